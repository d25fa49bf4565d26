"""What the upstreams of one sandbox share: faults, journal, ledger, and the counter behind the dice."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from revenueflow.sandbox.dice import Counter
from revenueflow.sandbox.faults import Faults
from revenueflow.sandbox.journal import Journal
from revenueflow.sandbox.ledger import Ledger
from revenueflow.sandbox.records import JournalFiles, MarketoRecords

UPSTREAMS: Final = (
    "gemini", "vertex", "bedrock", "clearbit", "hunter", "pipe0", "apollo", "zoominfo", "slack", "crm", "hubspot",
    "marketo", "aturiya", "salesforce",
)  # fmt: skip
MODELS: Final = ("gemini", "vertex", "bedrock")
OTHER_CRMS: Final = ("salesforce", "hubspot")
USUAL: Final = {"latency_ms": 50, "jitter_ms": 100}
OF_A_MODEL: Final = {"latency_ms": 800, "jitter_ms": 0}


class State:
    """The state of one sandbox; `reset` is what `DELETE /_sandbox/state` does."""

    def __init__(
        self, *, seed: int = 1, latency: bool = True, invent_rate: float = 0.0, data_dir: Path | None = None
    ) -> None:
        self.usual = {name: _usual(name, latency, invent_rate) for name in UPSTREAMS}
        self.faults = dict(self.usual)
        self.answered = dict.fromkeys(UPSTREAMS, 0)
        self.journal = Journal()
        self.ledger = Ledger(data_dir)
        self.ledgers = {"crm": self.ledger} | {name: Ledger(data_dir, f"{name}.jsonl") for name in OTHER_CRMS}
        self.counter = Counter(seed)
        self.marketo = MarketoRecords()
        self.hubspot_journal = JournalFiles()

    def close(self) -> None:
        """Closes the files."""
        for ledger in self.ledgers.values():
            ledger.close()

    def set_faults(self, upstream: str, faults: Faults) -> None:
        """From now on; what its quota counts begins at zero."""
        self.faults[upstream] = faults
        self.answered[upstream] = 0

    def reset(self) -> None:
        """As after a start with an empty folder."""
        self.faults = dict(self.usual)
        self.answered = dict.fromkeys(UPSTREAMS, 0)
        self.journal.clear()
        for ledger in self.ledgers.values():
            ledger.clear()
        self.counter.clear()
        self.marketo.clear()
        self.hubspot_journal.clear()


def _usual(upstream: str, latency: bool, invent_rate: float) -> Faults:
    pace = (OF_A_MODEL if upstream in MODELS else USUAL) if latency else {}
    return Faults(**pace, invent_rate=invent_rate if upstream in MODELS else 0.0)
