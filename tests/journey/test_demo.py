"""`revenueflow demo --once`: 100 labelled leads, from the senders' wire to the CRM."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.journey.conftest import revenueflow

COUNTS = (
    "deliveries", "accepted", "processed", "needs_review", "dead", "crm_records", "claims", "claims_rejected",
    "claims_invented", "invented_caught", "audit_verified",
)  # fmt: skip


@pytest.mark.slow
def test_the_demo_ends_well(server_home: Path) -> None:
    with revenueflow(server_home, "demo", "--once", "--data-dir", str(server_home / "data")) as process:
        assert process.wait(120) == 0, (server_home / "err.log").read_text()[-3000:]
    out = (server_home / "out.log").read_text()
    assert "100 of 100 as labelled" in out, [line for line in out.splitlines() if line.rstrip().endswith("NO")]
    told = orjson.loads(out.splitlines()[-1])
    assert set(COUNTS) <= set(told)
    assert (told["deliveries"], told["accepted"], told["dead"]) == (100, 88, 0)
    assert (told["processed"], told["needs_review"]) == (82, 6)
    assert told["crm_records"] == told["processed"]
    assert 0 < told["claims_rejected"] < told["claims"]
    assert told["claims_invented"] > 0
    assert told["invented_caught"] == told["claims_invented"]
    assert told["audit_verified"] is True
