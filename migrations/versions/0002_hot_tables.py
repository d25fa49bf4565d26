"""Storage of the tables that every step writes to."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Changes how rows are stored, not what they hold: old code runs on it."""
    run_script("0002_hot_tables.sql")


def downgrade() -> None:
    """The rows are the same either way."""
