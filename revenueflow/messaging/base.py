"""What a chat system must be able to do for us. A message carries no key: it is never sent twice on purpose."""

from __future__ import annotations

from typing import Protocol


class Messenger(Protocol):
    """A chat system.

    Raises UpstreamUnavailable (clearly not sent), UpstreamRejected (refused) or OutcomeUnknown (maybe sent).
    """

    name: str

    async def post(self, channel: str, text: str) -> str:
        """Sends a message; returns its id there."""
        ...
