"""Offers and scorings that are asked for twice with one Idempotency-Key are made once."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns that may be NULL: old code runs on it."""
    run_script("0015_request_keys.sql")


def downgrade() -> None:
    """They stay: a key that is forgotten would make its offer again."""
