"""Reps as CSV, places, a simple map: what is read, and what is refused with its place."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from revenueflow import defaults
from revenueflow.cli import routing_files
from revenueflow.domain.action import shared_record_key
from revenueflow.domain.lead import Tier
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import ConfigurationError, InvalidInput
from revenueflow.routing import conflicts, places, rep_file, rows
from revenueflow.routing.conditions import Subject, obstacle
from revenueflow.routing.route import decided, shortlist
from revenueflow.routing.rules import RoutingRules, Territory
from revenueflow.routing.selection import Situation

DATA = Path(__file__).parents[2] / "data" / "routing"
LABELLED = routing_files.rules(DATA / "rules.toml", DATA / "reps.csv")
WORDS = defaults.load(Vocabulary, "vocabulary.toml")
HEAD = "id,name,email,time_zone,country"


def test_reps_are_the_same_after_a_file() -> None:
    reps = rep_file.read((DATA / "reps.csv").read_text(), "reps.csv")
    assert len(reps) == 13
    lines = [",".join(rep_file.COLUMNS), *(",".join(rep_file.cells(rep).values()) for rep in reps)]
    assert rep_file.read("\n".join(lines), "again.csv") == reps


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{HEAD},colour\na,A,a@x.example,UTC,US,red", "r.csv: line 1: column 6: unknown; allowed are id, name"),
        ("id,name\na,A", "line 1: column email is missing"),
        (HEAD, "line 2: there is no rep"),
        (f"{HEAD}\na,A,nobody,UTC,US", "line 2: email: "),
        (f"{HEAD}\na,A,a@x.example,UTC,US\nb,B,b@x.example,Mars/Base,US", "line 3: timezone: "),
        (f"{HEAD}\na,A,a@x.example,UTC,US\na,A,a@x.example,UTC,US", "line 3: id: is given more than once"),
        (f"{HEAD},hours\na,A,a@x.example,UTC,US,9", "line 2: hours.end: "),
        (f"{HEAD},leave\na,A,a@x.example,UTC,US,2026-12-24", "line 2: leave.0.last: "),
        (f"{HEAD},leave\na,A,a@x.example,UTC,US,2026-12-24..2026-12-01", "line 2: leave.0: "),
        (f"{HEAD}\na,A,a@x.example,UTC,US,too,many", "line 2: has more cells"),
    ],
)
def test_a_mistake_in_a_list_of_reps(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        rep_file.read(text, "r.csv")
    assert complaint in refused.value.detail


@pytest.mark.parametrize(
    ("given_", "country", "code"),
    [
        ("20095", "DE", "20095"), ("D-20095", "DE", "20095"), ("DE 20095", "DE", "20095"),
        ("sw1a 1aa", "GB", "SW1A1AA"),
        ("94105-1234", "US", "941051234"), ("801234567", "DE", None), ("8010", "AT", "8010"), ("8010A", "AT", None),
        ("801", "DE", None), ("801234567", None, "801234567"),
        ("n/a", "DE", None), ("", "DE", None), ("unknown", None, None),
        ("1" * 61, "DE", None), (None, "DE", None),
    ],
)  # fmt: skip
def test_postcodes(given_: str | None, country: str | None, code: str | None) -> None:
    assert places.postcode(given_, country) == code


@pytest.mark.parametrize(
    ("given_", "country", "code"),
    [
        ("CA", "US", "CA"), ("california", "US", "CA"), ("US-NV", "US", "NV"), ("Quebec", "CA", "QC"),
        ("XX", "US", None),
        ("CA", None, None), (None, "US", None), ("Bayern", "DE", "BY"), ("x" * 4000, "US", None),
    ],
)  # fmt: skip
def test_states(given_: str | None, country: str | None, code: str | None) -> None:
    assert places.state(given_, country) == code


@pytest.mark.parametrize(
    ("location", "country", "found"),
    [
        ("Austin, TX 78701", "US", ("TX", "78701")), ("10115 Berlin", "DE", ("BE", "10115")),
        ("Toronto, ON", "CA", ("ON", None)),
        ("Hauptstr. 12, 80331 München", "DE", (None, "80331")), ("", "US", (None, None)), (None, "US", (None, None)),
        ("California", "US", ("CA", None)),
    ],
)  # fmt: skip
def test_a_place_in_words(location: str | None, country: str, found: tuple[str | None, str | None]) -> None:
    state, code = places.within(location, country)
    assert code == found[1]
    assert state == found[0] or (location == "10115 Berlin" and state is None)


@pytest.mark.parametrize("span", ["", "8-99", "90-80", "8_0", "80-"])
def test_spans_that_are_none(span: str) -> None:
    with pytest.raises(ValueError, match=r"postcodes are written|both ends"):
        places.postcodes(span)


spans = some.tuples(some.integers(1, 2), some.integers(0, 999), some.integers(0, 999)).map(
    lambda one: "-".join(
        f"{n % 10 ** one[0]:0{one[0]}}" for n in sorted((one[1] % 10 ** one[0], one[2] % 10 ** one[0]))
    )
)
territories = some.tuples(
    some.none() | some.lists(some.sampled_from(["BE", "BY", "HH"]), min_size=1, unique=True),
    some.none() | some.lists(spans, min_size=1, max_size=2),
)


@settings(max_examples=20)  # each tries thousands of leads
@given(some.lists(territories, max_size=4))
def test_a_territory_by_state_and_postcode_is_refused_when_it_gets_no_lead(conditions: list[Any]) -> None:
    table = [
        Territory(name=str(n), countries=("DE",), states=states, postcodes=codes, owner="ann")
        for n, (states, codes) in enumerate(conditions)
    ]
    codes = [None, *(f"{n:0{size}}" for size in (1, 2, 3) for n in range(10**size))]
    subjects = [
        Subject("DE", None, None, Tier.HOT, state, code) for state in (None, "BE", "BY", "HH", "SN") for code in codes
    ]
    winners = {next((t.name for t in table if obstacle(t, subject) is None), None) for subject in subjects}
    if {territory.name for territory in table} <= winners:
        assert conflicts.find(table) is None


def test_a_postcode_that_is_taken_before_is_refused() -> None:
    def table(*spans: str) -> list[Territory]:
        return [Territory(name=s, countries=("DE",), postcodes=(s,), owner="ann") for s in spans]

    assert conflicts.find(table("80-84", "85-89", "820-880")) is not None
    assert conflicts.find(table("80-84", "86-89", "820-880")) is None


def test_a_simple_map_becomes_rules_that_can_be_read_again(tmp_path: Path) -> None:
    file, toml = tmp_path / "map.json", tmp_path / "routing.toml"
    file.write_bytes(orjson.dumps({"US": "Dana Whitfield", "Germany": ["jonas", "lena@x.example"], "DEFAULT": "queue"}))
    found = routing_files.rules(file, None)
    toml.write_text(routing_files.as_toml(found))
    again = routing_files.rules(toml, None)
    assert tomllib.loads(toml.read_text())["default_owner"] == "queue"
    assert [one.owners for one in again.territories] == [("dana-whitfield",), ("jonas", "lena")]
    assert [one.countries for one in again.territories] == [("US",), ("DE",)]
    assert again.reps == found.reps


def test_who_is_named_in_a_map_is_among_the_reps_that_are_given(tmp_path: Path) -> None:
    file, reps = tmp_path / "map.json", tmp_path / "reps.csv"
    reps.write_text(f"{HEAD}\ndana,Dana,d@x.example,UTC,US")
    file.write_bytes(orjson.dumps({"US": "dana", "GB": "zed", "DE": ["D@x.example", "yan"], "DEFAULT": "queue"}))
    with pytest.raises(ConfigurationError) as refused:
        routing_files.rules(file, reps)
    assert refused.value.detail.endswith(
        "map.json: GB: no rep has this id, name or email: zed; DE.1: no rep has this id, name or email: yan"
    )
    file.write_bytes(orjson.dumps({"US": "dana", "DEFAULT": "queue"}))
    assert set(routing_files.rules(file, reps).by_id) == {"dana", "queue"}


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"US": "ann"}, "DEFAULT: must name one rep"),
        ({"Untied States": "ann", "DEFAULT": "q"}, "Untied States: is no country"),
        ({"US": 1, "DEFAULT": "q"}, "must be an object of countries"), ([1], "must be an object of countries"),
        ({"US": "ann", "USA": "bob", "DEFAULT": "q"}, "US is in"),
    ],
)  # fmt: skip
def test_a_map_that_cant_be_used(table: Any, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    file.write_bytes(orjson.dumps(table))
    with pytest.raises(ConfigurationError, match=complaint):
        routing_files.rules(file, None)


def test_rules_that_name_nobody_are_refused_with_the_line(tmp_path: Path) -> None:
    reps = tmp_path / "reps.csv"
    text = (DATA / "reps.csv").read_text()
    reps.write_text("\n".join(line for line in text.splitlines() if not line.startswith(("kim-", "ben-"))))
    lines = (DATA / "rules.toml").read_text().splitlines()
    with pytest.raises(ConfigurationError) as refused:
        routing_files.rules(DATA / "rules.toml", reps)
    number = lines.index('owner = "ben-ruiz"') + 1
    assert f"territories.0.owner: no rep has this id: ben-ruiz (line {number})" in refused.value.detail
    assert "territories.5.owners.1: no rep has this id: " in refused.value.detail


def test_an_industry_that_there_is_not_is_told_with_the_line(tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    text = defaults.text("routing.toml").replace(
        'countries = ["IN"]\n', 'countries = ["IN"]\nindustries = ["softwear"]\n'
    )
    draft.write_text(text)
    line = text.splitlines().index('industries = ["softwear"]') + 1
    with pytest.raises(ConfigurationError, match=rf"territories\.12\.industries: must be among .* \(line {line}\)"):
        routing_files.rules(draft, None)


def test_what_is_not_understood_of_a_lead_is_told() -> None:
    words = defaults.load(Vocabulary, "vocabulary.toml")
    row = rows.read({"Country": "Untied States", "size": "several", "industry": "x" * 4000, "tier": "odd"}, words, None)
    assert row.unclear == ("country", "headcount", "industry", "tier")
    assert rows.read({"country": "US", "size": "-5000"}, words, None).unclear == ("headcount",)
    assert rows.read({"country": "US", "zip_code": "94105", "size": "10k+"}, words, None).subject.postcode == "94105"


@pytest.mark.parametrize("content", [b"\xff\xfe,expected_owner\n", b'a,expected_owner\n"x', b"", b"\0"])
def test_a_file_that_is_none_is_no_crash(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_bytes(content)
    with suppress(InvalidInput):
        assert not [row for row in routing_files.leads(file) if row.expected]


def test_semicolons_separate_too(tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("country;company_size;expected_owner\nDE;240;ann\n")
    (row,) = routing_files.leads(file)
    assert (row.subject.country, row.subject.headcount, row.expected) == ("DE", 240, "ann")


texts = some.text(max_size=30) | some.sampled_from(
    ["9" * 400, "1e400", "10k+", "-5", "9999-12-31", "0001-01-01T00:00Z"]
)


@settings(deadline=None)
@given(some.dictionaries(some.sampled_from([name for names in rows.NAMES.values() for name in names]), texts))
def test_whatever_a_row_says_it_is_routed(row: dict[str, str]) -> None:
    read = rows.read(row, WORDS, row.get("domain"))
    found = shortlist(LABELLED, read.subject, read.situation)
    assert decided(LABELLED, found, found.reps[0].id if found.reps else None).owner_id in LABELLED.by_id


def test_a_segment_that_is_never_reached_is_refused() -> None:
    table = defaults.toml("routing.toml") | {
        "segments": [{"name": "a", "team": "x", "min_headcount": 10}, {"name": "b", "team": "x", "min_headcount": 20}],
    }
    with pytest.raises(ValueError, match=r'1\.name: "b" can.t be reached for any country: "a" before it'):
        RoutingRules.model_validate(table)


def test_a_company_is_named_once() -> None:
    accounts = [
        {"name": "a", "domains": ["X.example"], "owner": "dana-whitfield"},
        {"name": "b", "domains": ["x.example"], "owner": "dana-whitfield"},
    ]
    with pytest.raises(ValueError, match=r'1: domain x\.example is in "a" and in "b"'):
        RoutingRules.model_validate(defaults.toml("routing.toml") | {"named_accounts": accounts})


@pytest.mark.parametrize(
    ("lead", "country", "unclear"),
    [
        ({"location": "Berlin, Germany"}, "DE", ()), ({"location": "Austin, TX"}, "US", ()),
        ({"location": "Untied States"}, None, ("country",)), ({"location": "Paris, CA"}, None, ("country",)),
        ({}, None, ()),
    ],
)  # fmt: skip
def test_the_country_is_read_from_the_location(
    lead: dict[str, str], country: str | None, unclear: tuple[str, ...]
) -> None:
    row = rows.read(lead, WORDS, None)
    assert (row.subject.country, row.unclear) == (country, unclear)


def test_a_reason_tells_what_was_not_understood_from_what_was_not_given() -> None:
    def reason(**lead: str) -> str:
        return shortlist(LABELLED, rows.read(lead, WORDS, None).subject, Situation()).reason

    assert reason(country="Untied States") == "country was not understood"
    assert reason(location="Paris, CA") == "country was not understood"
    assert reason() == "country is not known"
    lead = rows.read({"country": "US", "size": "several", "industry": "odd", "state": "Nowhere"}, WORDS, None).subject
    asked = Territory(name="t", countries=("US",), states=("TX",), owner="ann")
    assert obstacle(asked, lead) == "state was not understood"
    assert obstacle(asked.model_copy(update={"states": None, "industries": ("x",)}), lead) == (
        "industry was not understood"
    )
    assert obstacle(asked.model_copy(update={"states": None, "min_headcount": 5}), lead) == (
        "headcount was not understood, must be 5 or more"
    )


def test_the_docs_make_the_key_of_an_account_as_we_do() -> None:
    text = (Path(__file__).parents[3] / "docs" / "routing.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r'python -c "(from uuid .*)"', text)
    ran = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(shared_record_key("account", "acme.example"))
    assert f"/records/account/{ran.stdout[:8]}-" in text
