"""The customer's own company data, from a file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import Findings, Question, Status
from revenueflow.enrichment.providers.directory import Directory
from revenueflow.errors import ConfigurationError

CSV = """Company Name,Website,Employees,Industry,Technologies,Founded,Owner
Northwind,https://www.northwind.example/about,"1,200",Software,Salesforce; PostgreSQL,2011,ada@northwind.example
No site,,5,Retail,,,
Contoso,contoso.example,51-200,,,,
Contoso again,contoso.example,9,,,,
"""
ACME = {"name": "Acme", "domain": "acme.example", "technologies": ["Slack"], "revenue": 1_500_000.5, "founded": 1999}


def written(folder: Path, content: object, name: str = "companies.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else orjson.dumps(content))
    return path


async def ask(directory: Directory, *domains: str) -> list[Findings]:
    (lookup,) = directory.lookups
    return list(await directory.look_up(lookup, [Question(domain) for domain in domains]))


def facts(findings: Findings) -> dict[Signal, tuple[str, object]]:
    return {fact.signal: (fact.path, fact.value) for fact in findings.facts}


async def test_a_csv_by_the_usual_names(tmp_path: Path) -> None:
    directory = Directory(written(tmp_path, CSV))
    northwind, contoso, unknown = await ask(directory, "northwind.example", "contoso.example", "nobody.example")
    assert facts(northwind) == {
        Signal.COMPANY_NAME: ("$[0].company_name", "Northwind"),
        Signal.COMPANY_DOMAIN: ("$[0].website", "northwind.example"),
        Signal.INDUSTRY: ("$[0].industry", "Software"),
        Signal.HEADCOUNT: ("$[0].employees", 1200),
        Signal.TECHNOLOGIES: ("$[0].technologies", ["Salesforce", "PostgreSQL"]),
        Signal.FOUNDED_YEAR: ("$[0].founded", 2011),
    }
    assert facts(contoso)[Signal.HEADCOUNT] == ("$[2].employees", "51-200")
    assert (unknown.status, unknown.facts) == (Status.NOT_FOUND, ())
    assert directory.trust is Trust.FIRST_PARTY
    assert "@" not in northwind.model_dump_json()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", orjson.dumps([ACME]).decode()),
        ("a.jsonl", orjson.dumps(ACME).decode() + "\n\n"),
        ("a.csv", "\ufeffname;domain;technologies;revenue;founded\r\nAcme;acme.example;Slack;1500000.5;1999\r\n"),
    ],
)
async def test_every_form_says_the_same(tmp_path: Path, name: str, content: str) -> None:
    (acme,) = await ask(Directory(written(tmp_path, content, name)), "acme.example")
    assert facts(acme) == {
        Signal.COMPANY_NAME: ("$[0].name", "Acme"),
        Signal.COMPANY_DOMAIN: ("$[0].domain", "acme.example"),
        Signal.TECHNOLOGIES: ("$[0].technologies", ["Slack"]),
        Signal.REVENUE: ("$[0].revenue", 1_500_000.5),
        Signal.FOUNDED_YEAR: ("$[0].founded", 1999),
    }


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("a.csv", "name,industry\nA,B\n", "must have a column for the domain, named one of domain, website"),
        ("a.csv", "", "must have a column for the domain"),
        ("a.csv", 'domain,name\na.example,"secret\n', "line 2: not valid CSV"),
        ("a.csv", "domain,name\na.example,A,secret\n", "line 2: must have at most 2 columns"),
        ("a.csv", "domain,founded\na.example,secret\n", "line 2, column founded: must be a year from 1200 to 2100"),
        ("a.csv", "domain,funding\na.example,12M secret\n", "line 2, column funding: must be a number of at least 0"),
        ("a.csv", "domain,headcount\na.example,1.5\n", "line 2, column headcount: must be a whole number, or a range"),
        ("a.json", '{"domain": "a.example"}', "must be a list of objects"),
        ("a.json", '[{"domain": "a.example"}, "secret"]', "row 1: must be an object"),
        ("a.json", '[{"domain": "a.example", "tech": [{"n": "secret"}]}]', "row 0, column tech: must be a list of"),
        ("a.json", '[{"name": "secret"}]', "must have a column for the domain"),
        ("a.json", '[\n{"domain": secret}]', "line 2, column"),
        ("a.jsonl", '{"domain": "a.example"}\n{secret', "line 2, column"),
        ("a.txt", "secret", "the name must end in one of .csv, .json, .jsonl, .ndjson"),
    ],
)
def test_a_wrong_file_stops_the_start(tmp_path: Path, name: str, content: str, where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Directory(written(tmp_path, content, name))
    assert f"{tmp_path / name}: {where}" in caught.value.detail
    assert "secret" not in caught.value.detail


def test_a_file_that_is_not_there_or_no_text_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        Directory(tmp_path / "none.csv")
    latin = tmp_path / "latin.csv"
    latin.write_bytes("domain,name\na.example,Müller\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="byte 24: must be UTF-8 text"):
        Directory(latin)


async def test_a_new_version_is_read_and_a_broken_one_is_not(tmp_path: Path) -> None:
    path = written(tmp_path, "domain,name\na.example,One\n")
    directory = Directory(path)
    for content, told, warnings in (
        ("domain,name\na.example,Two\n", "Two", 0),
        ("domain,name\na.example,Broken,oh\n", "Two", 1),
        ("domain,name\na.example,Three\n", "Three", 0),
    ):
        replace(path, content)
        with capture_logs() as lines:
            (before,), (after,) = await asyncio.gather(ask(directory, "a.example"), ask(directory, "a.example"))
        assert before == after
        assert facts(after)[Signal.COMPANY_NAME][1] == told
        assert [line["event"] for line in lines] == ["directory_not_read_again"] * warnings


async def test_a_file_that_vanishes_leaves_what_was_read(tmp_path: Path) -> None:
    path = written(tmp_path, "domain,name\na.example,One\n")
    directory = Directory(path)
    path.unlink()
    with capture_logs() as lines:
        assert [(await ask(directory, "a.example"))[0].status for _ in range(3)] == [Status.FOUND] * 3
    assert [line["log_level"] for line in lines] == ["warning"]


def replace(path: Path, content: str) -> None:
    """As an editor or a nightly export does it: in one move, as a file of its own."""
    new = path.with_suffix(".new")
    new.write_text(content)
    new.replace(path)
