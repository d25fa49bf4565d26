"""Cursors of the sources that are pulled, and campaigns."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds tables: old code runs on it."""
    run_script("0005_sources.sql")


def downgrade() -> None:
    """The tables stay: what they hold can be pulled again."""
