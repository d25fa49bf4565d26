"""CSV imports: progress and rejected rows."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds two tables: old code runs on it."""
    run_script("0004_imports.sql")


def downgrade() -> None:
    """Old code does not know the tables: they may stay."""
