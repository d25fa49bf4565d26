"""Touches that the CRM shows, and owners that it is owed."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns, an index and a table: old code runs on it."""
    run_script("0014_touches.sql")


def downgrade() -> None:
    """They stay: old code does not look at them, and what the CRM is owed would be forgotten."""
