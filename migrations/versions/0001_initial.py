"""The first schema: deliveries, leads, jobs, steps, evidence, claims, actions, audit, keys, controls."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the three files in one transaction."""
    for name in ("0001_initial.sql", "0001_audit.sql", "0001_roles.sql"):
        run_script(name)


def downgrade() -> None:
    """There is nothing below the first schema: restore a backup instead."""
    raise NotImplementedError("0001 is the first schema")
