"""What auditors read: views of the sealed trail, of leads, denials and writes."""

from __future__ import annotations

from revenueflow.db.migrate import run_script

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds views: old code runs on it."""
    run_script("0008_sealing.sql")


def downgrade() -> None:
    """The views stay: nothing that is older reads them."""
