"""Calls about leads that nobody has, and when a routine last came to its end."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns: old code runs on it."""
    run_script("0016_doors.sql")


def downgrade() -> None:
    """They stay: without `queued` people would be asked about leads that do not exist."""
