"""Settings of the sealed trail."""

from __future__ import annotations

from revenueflow.settings.base import Group, env


class SealSettings(Group):
    """How often the sealer works."""

    pause: float = env("REVENUEFLOW_SEAL_SECONDS", 1, about="seconds between two rounds of the sealer", gt=0, le=60)
    checkpoint: float = env(
        "REVENUEFLOW_CHECKPOINT_SECONDS", 60, about="seconds between two signed checkpoints", gt=0, le=3600
    )
