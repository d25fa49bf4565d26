"""The queue of analyses that a person must look at; where quotes stand; the summary of a lead."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a table and columns with defaults: old code runs on it."""
    run_script("0006_reviews.sql")


def downgrade() -> None:
    """All stays: decisions of people can't be made again by a program."""
