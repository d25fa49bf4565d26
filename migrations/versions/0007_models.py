"""What models answered and cost, and which leads are analysed again."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds tables and columns: old code runs on it."""
    run_script("0007_models.sql")


def downgrade() -> None:
    """They stay: the answers are paid for."""
