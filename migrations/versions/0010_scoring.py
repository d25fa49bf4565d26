"""The history of scores, offers, and runs that score what is stored anew."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds tables: old code runs on it."""
    run_script("0010_scoring.sql")


def downgrade() -> None:
    """All stays: nothing that is older reads it."""
