"""People's approvals of single calls, and a lead's writes of the last minute, counted under a lock."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a table and a function: old code runs on it."""
    run_script("0009_approvals.sql")


def downgrade() -> None:
    """They stay: nothing that is older knows them."""
