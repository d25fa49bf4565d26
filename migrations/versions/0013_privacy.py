"""Erased people, and work that is done every so often."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds tables and indexes: old code runs on it."""
    run_script("0013_privacy.sql")


def downgrade() -> None:
    """They stay: an erasure that is forgotten would be undone by the next delivery."""
