"""What sales did with a lead, until when somebody is to touch it, and a view for reports."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds two tables and a view: old code runs on it."""
    run_script("0012_outcomes.sql")


def downgrade() -> None:
    """The tables stay: nothing that is older reads them."""
