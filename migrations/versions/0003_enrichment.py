"""What providers have answered, and what was spent on it."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds tables and columns: old code runs on it."""
    run_script("0003_enrichment.sql")


def downgrade() -> None:
    """What is added may stay: old code does not look at it."""
