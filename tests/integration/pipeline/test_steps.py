"""Each step, on upstreams that speak the vendors' wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from revenueflow.domain.evidence import Signal
from revenueflow.settings import AnalysisSettings, CrmSettings, EnrichmentSettings, HubSpotSettings, SlackSettings
from revenueflow.sources import hubspot
from tests.support.house import LEAD, STEPS, House
from tests.support.policy import by_rules_alone

CONTACT = "40101"  # terrence.ashby@quillmere.example in the sandbox's HubSpot


def event(contact: str = CONTACT) -> dict[str, Any]:
    return {
        "portalId": 1, "subscriptionId": 2, "eventId": 3, "objectId": int(contact), "occurredAt": 1_763_600_000_000,
        "subscriptionType": "contact.creation",
    }  # fmt: skip


async def from_hubspot(home: House, contact: str = CONTACT) -> Any:
    (arrival,) = hubspot.read(orjson.dumps([event(contact)]))
    return await home.accept(arrival)


def lead_record(records: list[dict[str, Any]]) -> dict[str, Any]:
    (record,) = [one for one in records if one["type"] == "lead"]
    fields: dict[str, Any] = record["fields"]
    return fields


def output(home: House, lead: Any, step: str) -> dict[str, Any]:
    held: dict[str, Any] = orjson.loads(home.steps(lead)[step]["output"])
    return held


async def test_a_lead_goes_all_the_way(home: House) -> None:
    lead = await home.deliver()
    job = await home.run(lead)
    assert (job["state"], set(home.steps(lead))) == ("done", set(STEPS))
    row = home.lead(lead)
    assert (row["status"], row["tier"], row["domain"]) == ("processed", "hot", "larkvale-systems.example")
    assert row["owner_id"]
    assert row["crm_id"]
    fields = lead_record(await home.sandbox.records())
    assert fields["email"] == LEAD["email"]
    assert (fields["score"], fields["tier"], fields["owner_id"]) == (row["score"], "hot", row["owner_id"])
    carried = home.rows("SELECT value FROM claims WHERE field = 'industry' AND verdict = 'supported'")
    assert orjson.dumps(fields["industry"]).decode() in {row["value"] for row in carried}
    (task,) = [one for one in await home.sandbox.records() if one["type"] == "task"]
    assert task["fields"]["owner_id"] == row["owner_id"]
    assert task["fields"]["due_at"] > row["received_at"].isoformat()


async def test_every_decision_is_in_the_trail(home: House) -> None:
    lead = await home.deliver()
    await home.run(lead)
    told = [action for action, _ in home.audit(lead)]
    for action in ("lead.captured", "lead.enriched", "lead.analysed", "lead.grounded", "lead.scored", "lead.routed",
                   "crm.upsert_lead", "crm.set_lead_score", "crm.assign_owner", "crm.create_task", "crm.post_message",
                   "lead.processed"):  # fmt: skip
        assert action in told, action


async def test_a_hubspot_event_fetches_its_contact_first(home: House) -> None:
    lead = await from_hubspot(home)
    assert (await home.run(lead))["state"] == "done"
    assert home.lead(lead)["email"] == "terrence.ashby@quillmere.example"
    (request,) = await home.sandbox.requests("hubspot")
    assert f"/contacts/{CONTACT}" in request["path"]


async def test_a_contact_that_is_gone_is_parked_where_people_see_it(home: House) -> None:
    lead = await from_hubspot(home, "999999")
    job = await home.run(lead)
    assert job["state"] == "parked"
    assert home.lead(lead)["status"] == "parked"


@pytest.mark.parametrize("status", [503, 429])
async def test_a_hubspot_that_is_away_costs_the_lead_nothing(home: House, status: int) -> None:
    await home.sandbox.break_("hubspot", error_rate=1, status=status)
    lead = await from_hubspot(home)
    job = await home.run(lead)
    assert (job["state"], job["attempt"]) == ("ready", 0)
    await home.sandbox.break_("hubspot")
    home.rows("UPDATE jobs SET run_at = now()")
    assert (await home.run(lead))["state"] == "done"


@pytest.mark.parametrize(("sent", "kept"), [("030 / 12 34 56", "+4930123456"), ("ask for extension 123456", None)])
async def test_a_phone_is_kept_in_e164_beside_what_was_sent(home: House, sent: str, kept: str | None) -> None:
    lead = await home.deliver(phone=sent, country="Deutschland")
    await home.run(lead)
    row = home.lead(lead)
    assert (row["phone"], orjson.loads(row["form"])["phone"]) == (kept or sent, sent)


async def test_a_lead_whom_nobody_can_reach_is_parked_and_seen(home: House) -> None:
    lead = await home.deliver(email=None, phone=None, leadId="4711")
    job = await home.run(lead)
    assert (job["state"], job["error_class"]) == ("parked", "no_contact_point")
    row = home.lead(lead)
    assert (row["status"], row["company"], row["score"]) == ("parked", "Larkvale Systems", None)
    assert home.audit(lead)[-1] == ("lead.parked", "parked")
    assert await home.calls("clearbit") == await home.calls("gemini") == await home.calls("crm") == 0


@pytest.mark.parametrize("email", ["dana.reyes@gmail.com", "dana@mailinator.com"])
async def test_no_vendor_is_asked_about_free_mail(home: House, email: str) -> None:
    lead = await home.deliver(email=email)
    assert (await home.run(lead))["state"] == "done"
    assert await home.calls("clearbit") == await home.calls("hunter") == 0
    row = home.lead(lead)
    assert row["domain"] is None
    assert {"technologies", "funding_total"} <= set(orjson.loads(row["signals_missed"]))
    assert row["tier"] != "hot"


async def test_a_website_tells_the_domain_and_the_private_address_stays_here(home: House) -> None:
    lead = await home.deliver(email="dana.reyes@gmail.com", website="https://www.larkvale-systems.example/about")
    await home.run(lead)
    assert home.lead(lead)["domain"] == "larkvale-systems.example"
    requests = await home.sandbox.requests("clearbit") + await home.sandbox.requests("hunter")
    assert {request["path"].partition("?")[2] for request in requests} == {"domain=larkvale-systems.example"}


async def test_vendors_that_are_away_cost_their_signals_only(home: House) -> None:
    for vendor in ("clearbit", "hunter"):
        await home.sandbox.break_(vendor, error_rate=1, status=500)
    lead = await home.deliver()
    assert (await home.run(lead))["state"] == "done"
    assert {"technologies", "funding_total", "revenue"} <= set(orjson.loads(home.lead(lead)["signals_missed"]))
    assert {row["provider"] for row in home.rows("SELECT DISTINCT provider FROM evidence")} == {"form"}


async def test_a_vendor_that_is_still_looking_is_waited_for(home: House) -> None:
    await home.sandbox.break_("clearbit", error_rate=1, status=202)
    lead = await home.deliver()
    job = await home.run(lead)
    assert (job["state"], job["step"], job["error_class"]) == ("ready", "enrich", "vendor_pending")
    await home.sandbox.break_("clearbit")
    asked = await _companies(home, "hunter")
    home.rows("UPDATE lookups SET ask_again_at = now() WHERE state = 'pending'")
    home.rows("UPDATE jobs SET run_at = now()")
    assert (await home.run(lead))["state"] == "done"
    assert await _companies(home, "hunter") == asked == 1, "what is known already is not asked again"
    assert "clearbit" in {row["provider"] for row in home.rows("SELECT DISTINCT provider FROM evidence")}


async def _companies(home: House, vendor: str) -> int:
    return sum("/companies/" in request["path"] for request in await home.sandbox.requests(vendor))


async def test_a_vendor_is_not_waited_for_for_ever(home: House) -> None:
    await home.sandbox.break_("clearbit", error_rate=1, status=202)
    lead = await home.deliver()
    home.rows("UPDATE deliveries SET received_at = received_at - interval '3 minutes'")
    assert (await home.run(lead))["state"] == "done"
    missed = {(one["provider"], one["reason"]) for one in output(home, lead, "enrich")["missed"]}
    assert ("clearbit", "pending") in missed


@pytest.mark.parametrize("status", [503, 429, 400, 403])
async def test_when_the_model_fails_the_rules_answer(home: House, status: int) -> None:
    await home.sandbox.break_("gemini", error_rate=1, status=status)
    lead = await home.deliver()
    assert (await home.run(lead))["state"] == "done"
    analysed = output(home, lead, "analyse")
    assert analysed["analysis"]["analyst"] == "rules"
    (failure,) = analysed["failures"]
    assert failure["analyst"] == "gemini"
    assert home.value("SELECT count(*) FROM claims WHERE verdict = 'supported'") > 0
    assert home.lead(lead)["tier"] == "hot"


async def test_invented_claims_reach_neither_score_nor_crm(home: House) -> None:
    await home.sandbox.break_("gemini", invent_rate=1)
    lead = await home.deliver()
    await home.run(lead)
    (request,) = await home.sandbox.requests("gemini")
    claims = orjson.loads(request["answer"])["claims"]
    invented = {claims[place]["statement"] for place in request["invented"]}
    assert invented
    verdicts = {row["statement"]: row["verdict"] for row in home.rows("SELECT statement, verdict FROM claims")}
    assert "supported" not in {verdicts[statement] for statement in invented}
    written = orjson.dumps(await home.sandbox.records()).decode() + str(await home.sandbox.requests("slack"))
    true = {claim["statement"] for claim in claims} - invented
    for statement in invented - true:
        assert statement not in written
    audited = home.value("SELECT detail FROM audit_events WHERE action = 'lead.grounded'")
    assert sum(count for verdict, count in orjson.loads(audited)["claims"].items() if verdict != "supported") >= 1


async def test_without_any_key_the_lead_goes_as_far_as_it_can(home: House) -> None:
    home.settings = home.settings.model_copy(
        update={
            "analysis": AnalysisSettings(api_key=None),
            "enrichment": EnrichmentSettings(clearbit_key=None, hunter_key=None),
            "hubspot": HubSpotSettings(token=None),
            "slack": SlackSettings(token=None),
            "crm": CrmSettings(provider="mock"),
        }
    )
    lead = await home.deliver()
    assert (await home.run(lead))["state"] == "done"
    assert output(home, lead, "analyse")["analysis"]["analyst"] == "rules"
    missed = set(orjson.loads(home.lead(lead)["signals_missed"]))
    assert missed >= {Signal.TECHNOLOGIES, Signal.FUNDING_TOTAL, Signal.DESCRIPTION}
    assert {one["reason"] for one in output(home, lead, "enrich")["missed"]} == {"not_configured"}
    assert output(home, lead, "notify")["status"] in ("not_hot", "not_configured")
    rows = home.rows("SELECT object_type, crm_id FROM mock_crm_records ORDER BY object_type")
    assert [row["object_type"] for row in rows] == ["lead", "task"]
    assert home.lead(lead)["crm_id"] == rows[0]["crm_id"]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_crm_that_is_away_spends_no_attempt(home: House, status: int) -> None:
    by_rules_alone(Path(str(home.settings.config_dir)))
    await home.sandbox.break_("crm", error_rate=1, status=status)
    lead = await home.deliver()
    job = await home.run(lead)
    assert (job["state"], job["step"], job["attempt"]) == ("ready", "record", 0)
    home.rows("UPDATE jobs SET run_at = now(), attempt = 4")
    job = await home.run(lead)
    assert (job["state"], job["step"], job["attempt"]) == ("ready", "record", 4)
    assert await home.calls("gemini") == 1


async def test_a_crm_that_refuses_is_for_a_person(home: House) -> None:
    await home.sandbox.break_("crm", error_rate=1, status=400)
    lead = await home.deliver()
    job = await home.run(lead)
    assert (job["state"], job["error_class"]) == ("parked", "crm_bad_request")
    assert home.lead(lead)["status"] == "parked"


async def test_slack_hears_of_hot_leads_only(home: House) -> None:
    hot = await home.deliver()
    cold = await home.deliver(
        email="someone@gmail.com", jobTitle=None, company=None, message=None, country=None, phone=None
    )  # fmt: skip
    await home.run(hot)
    await home.run(cold)
    assert [home.lead(lead)["tier"] for lead in (hot, cold)] == ["hot", "cold"]
    (request,) = await home.sandbox.requests("slack")
    assert str(hot) in request["body"]
    assert output(home, cold, "notify")["status"] == "not_hot"


async def test_a_stranger_cannot_mention_everybody_in_slack(home: House) -> None:
    lead = await home.deliver(company="<!channel> & <https://evil.example|Larkvale>")
    await home.run(lead)
    (request,) = await home.sandbox.requests("slack")
    text = orjson.loads(request["body"])["text"]
    assert "<" not in text
    assert "&lt;!channel&gt; &amp; " in text


@pytest.mark.parametrize(
    ("fault", "status", "calls"),
    [
        pytest.param({"lose_answer_rate": 1}, "unknown", 1, id="lost"),
        pytest.param({"error_rate": 1, "status": 500}, "unknown", 1, id="in doubt"),
        pytest.param({"error_rate": 1, "status": 403}, "failed", 1, id="refused"),
        pytest.param({"error_rate": 1, "status": 429}, "delayed", 3, id="busy"),
    ],
)
async def test_slack_holds_no_lead_up(home: House, fault: dict[str, float], status: str, calls: int) -> None:
    await home.sandbox.break_("slack", **fault)
    lead = await home.deliver()
    for _ in range(calls):
        home.rows("UPDATE jobs SET run_at = now()")
        await home.run(lead)
    assert home.job(lead)["state"] == "done"
    assert output(home, lead, "notify")["status"] == status
    assert await home.calls("slack") == calls
    assert [record["type"] for record in await home.sandbox.records()] == ["lead", "task"]


async def test_a_wrong_key_is_not_the_leads_fault(home: House) -> None:
    enrichment = home.settings.enrichment.model_copy(update={"hunter_key": SecretStr(" ")})
    home.settings = home.settings.model_copy(update={"enrichment": enrichment})
    lead = await home.deliver()
    assert (await home.run(lead))["state"] == "done"
    assert "hunter" not in {row["provider"] for row in home.rows("SELECT DISTINCT provider FROM evidence")}
