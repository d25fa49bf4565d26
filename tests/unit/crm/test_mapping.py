"""Our values in a vendor's fields and back: what is written must be known again."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from revenueflow import defaults
from revenueflow.crm.mapping import CrmMap
from revenueflow.domain.action import record_key, shared_record_key
from revenueflow.mcp.tools import TOOLS
from tests.support.tool_calls import SAMPLES

MAPS = {name: defaults.load(CrmMap, f"{name}.toml") for name in ("salesforce", "hubspot")}
LEAD = uuid4()


@pytest.fixture(params=MAPS)
def table(request: pytest.FixtureRequest) -> CrmMap:
    return MAPS[request.param]


def test_every_type_that_a_tool_writes_has_its_place(table: CrmMap) -> None:
    assert set(table.objects) == {tool.object_type for tool in TOOLS.values() if tool.target == "crm"}


@pytest.mark.parametrize("name", [name for name in SAMPLES if not TOOLS[name].reads])
def test_what_a_tool_writes_is_known_again(table: CrmMap, name: str) -> None:
    tool = TOOLS[name]
    fields = tool.fields(tool.args.model_validate({"lead_id": str(LEAD), **SAMPLES[name].args}))
    normal = table.normal(tool.object_type, fields)
    assert normal
    assert {key: fields[key] for key in normal} == normal
    assert table.read(tool.object_type, table.written(tool.object_type, fields)) | normal == normal


@pytest.mark.parametrize("status", ["new", "working", "nurturing", "qualified", "unqualified"])
def test_every_status_has_a_word_there_that_is_its_own(table: CrmMap, status: str) -> None:
    assert table.normal("lead", {"status": status}) == {"status": status}
    assert table.objects["lead"].known["status"].values[status] != status


@pytest.mark.parametrize(
    ("currency", "minor", "amount"),
    [("EUR", 400_050, 4000.5), ("EUR", 400_000, 4000), ("JPY", 500, 500), ("KWD", 1234, 1.234)],
)
def test_amounts_are_in_the_units_of_their_currency(table: CrmMap, currency: str, minor: int, amount: float) -> None:
    fields = {"amount_minor": minor, "currency": currency}
    written = table.written("opportunity", fields)
    assert written[table.objects["opportunity"].known["amount_minor"].to] == amount
    assert table.normal("opportunity", fields) == fields


@pytest.mark.parametrize(
    ("name", "given", "known"),
    [
        ("name", "Dana Reyes", "Dana Reyes"),
        ("name", "Dana  de la Cruz ", "Dana  de la Cruz"),
        ("name", "Dana", "Dana"),
        ("headcount", 240, 240),
        ("headcount", "200-500", "200-500"),
        ("score", 0, 0),
    ],
)
def test_values_of_a_lead(table: CrmMap, name: str, given: Any, known: Any) -> None:
    assert table.normal("lead", {name: given}) == {name: known}


def test_what_is_too_long_for_the_vendor_is_cut_and_known_again() -> None:
    assert MAPS["salesforce"].normal("lead", {"title": "x" * 500}) == {"title": "x" * 128}


def test_times_come_back_in_other_forms(table: CrmMap) -> None:
    field = table.objects["task"].known["due_at"].to
    for form in ("2026-11-20T10:00:00.000+0000", "2026-11-20T10:00:00Z", "2026-11-20T12:00:00+02:00"):
        assert table.read("task", {field: form}) == {"due_at": "2026-11-20T10:00:00Z"}
    assert table.read("task", {field: "soon"}) == {}


def test_what_is_not_of_its_kind_is_left_out(table: CrmMap) -> None:
    known = table.objects["lead"].known
    assert table.read("lead", {known["score"].to: "hot", known["email"].to: ""}) == {}


def test_an_owner_is_the_vendor_s_user_if_the_table_names_one(table: CrmMap) -> None:
    also = table.objects["lead"].known["owner_id"].also
    assert also is not None
    assert also not in table.written("lead", {"owner_id": "dana-whitfield"})
    told = table.model_copy(update={"owners": {"dana-whitfield": "005x"}})
    assert told.written("lead", {"owner_id": "dana-whitfield"})[also] == "005x"


def test_records_refer_to_each_other_by_our_keys(table: CrmMap) -> None:
    ((link, found),) = table.links("task", {"lead_id": str(LEAD)}).items()
    assert (link.type in ("Lead", "contacts"), found) == (True, ("lead", record_key(LEAD, "lead")))
    ((_, found),) = table.links("contact", {"lead_id": str(LEAD), "domain": "l.example"}).items()
    assert found == ("account", shared_record_key("account", "l.example"))
    assert table.links("contact", {"lead_id": str(LEAD)}) == {}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("1763460000000", "2025-11-18T10:00:00Z"),
        (1763460000123, "2025-11-18T10:00:00.123000Z"),
        ("2025-11-18T10:00:00.000+0000", "2025-11-18T10:00:00Z"),
        ("2025-11-18T11:00:00+01:00", "2025-11-18T10:00:00Z"),
        ("1" * 40, None),
        ("soon", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_a_moment_is_text_or_milliseconds(given: Any, read: str | None) -> None:
    assert MAPS["hubspot"].read("lead", {"notes_last_contacted": given}).get("contacted_at") == read


def test_what_shows_a_touch_is_read_and_never_written(table: CrmMap) -> None:
    ours = {"touched_at", "contacted_at", "activity_on", "created_at"}
    known = table.objects["lead"].known
    assert ours & known.keys() and all(known[name].read_only for name in ours & known.keys())
    assert not set(table.written("lead", dict.fromkeys(ours, "2026-11-18T10:00:00Z"))) & {
        known[n].to for n in ours & known.keys()
    }
