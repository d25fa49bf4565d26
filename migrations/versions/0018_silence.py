"""Since when the CRM answers nobody, or not about one lead."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a column and a table: old code runs on it."""
    run_script("0018_silence.sql")


def downgrade() -> None:
    """They stay: old code does not look at them."""
