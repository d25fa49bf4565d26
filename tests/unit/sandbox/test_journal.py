from __future__ import annotations

from revenueflow.sandbox.journal import MOST_BYTES, Journal


def test_secrets_are_not_kept() -> None:
    journal = Journal()
    headers = [(b"Authorization", b"Bearer canary"), (b"x-goog-api-key", b"canary"), (b"accept", b"*/*")]
    entry = journal.add("hunter", "GET", "/v2/companies/find?domain=a.example&api_key=canary", headers, b"")
    shown = entry.shown()
    assert "canary" not in str(shown)
    assert shown["headers"] == {"accept": "*/*"} and shown["path"].startswith("/v2/companies/find?domain=a.example")


def test_since_a_number_and_since_a_time() -> None:
    journal = Journal()
    for place in range(4):
        journal.add("crm" if place % 2 else "slack", "PUT", f"/{place}", [], b"")
    assert [entry.n for entry in journal.entries(None, 2)] == [3, 4]
    assert [entry.n for entry in journal.entries("crm", 2)] == [4]


def test_bodies_are_capped() -> None:
    entry = Journal().add("crm", "PUT", "/", [], b"x" * (MOST_BYTES + 10))
    assert entry.shown()["body"] == "x" * MOST_BYTES
