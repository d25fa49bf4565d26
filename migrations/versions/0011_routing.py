"""Reps, whose turn it is, and what routing asks of other leads."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds tables and indexes: old code runs on it."""
    run_script("0011_routing.sql")


def downgrade() -> None:
    """All stays: whose turn it was can't be found out again."""
