"""Offers can be withdrawn."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a column that may be NULL: old code runs on it."""
    run_script("0017_offers.sql")


def downgrade() -> None:
    """It stays: an offer that was withdrawn must not hold again."""
