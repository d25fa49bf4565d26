"""Reads the file behind `directory`: its columns, what their cells may hold, and one company for each domain.

Columns may have any of the names in COLUMNS, in any case, with anything for "_" that is neither letter nor digit
("Founded Year" is founded_year); others are left alone. A row without a domain says nothing; of two rows with one
domain the first counts. A cell that can't be read makes the file wrong.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

import orjson
from pydantic import JsonValue

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.domains import host_of_url, registrable
from revenueflow.enrichment.mapping import (
    FIRST_YEAR,
    LAST_YEAR,
    LONGEST_TEXT,
    NOTHING,
    At,
    Converter,
    Unfit,
    amount,
    amount_or_range,
    count_or_range,
    field,
    prose,
    text,
    texts,
    year,
)
from revenueflow.errors import ConfigurationError

Row: TypeAlias = dict[str, JsonValue]
Version: TypeAlias = tuple[int, int, int]
LARGEST_FILE = 64 * 2**20
FORMS = (".csv", ".json", ".jsonl", ".ndjson")
DOMAIN = ("domain", "website", "company_domain", "company_website", "web_site", "url", "homepage")
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,6})?")
_GROUPED = re.compile(r"\d{1,3}([ ,'’\u00a0\u202f])\d{3}(\1\d{3})*")


def domain_of(value: JsonValue) -> str | None:
    """The registrable domain of a website or host; None for anything else."""
    host = host_of_url(value) if isinstance(value, str) else None
    return registrable(host) if host else None


def products(value: JsonValue) -> JsonValue:
    """A list of names, or names in one cell that are separated by ";"."""
    if isinstance(value, str):
        return texts([part.strip() for part in text(value).split(";") if part.strip()])
    return texts(value)


def digits(form: Converter) -> Converter:
    """A cell of a CSV is text: digits, also in groups of three ("12,000"), are read as a number."""

    def read_digits(value: JsonValue) -> JsonValue | At:
        cell = value.strip() if isinstance(value, str) else ""
        if _GROUPED.fullmatch(cell):
            return form(int(re.sub(r"\D", "", cell)))
        if _NUMBER.fullmatch(cell):
            return form(float(cell) if "." in cell else int(cell))
        return form(value)

    return read_digits


COLUMNS = (
    field(Signal.COMPANY_NAME, text, "name", "company", "company_name", "account", "account_name", "organization"),
    field(Signal.COMPANY_DOMAIN, domain_of, *DOMAIN),
    field(Signal.DESCRIPTION, prose, "description", "about"),
    field(Signal.INDUSTRY, text, "industry", "sector", "branch"),
    field(
        Signal.HEADCOUNT,
        digits(count_or_range),
        "headcount",
        "employees",
        "employee_count",
        "number_of_employees",
        "company_size",
        "size",
    ),
    field(Signal.COUNTRY, text, "country", "country_code", "billing_country"),
    field(Signal.CITY, text, "city", "location", "billing_city"),
    field(Signal.TECHNOLOGIES, products, "technologies", "tech_stack", "tech", "tools"),
    field(Signal.REVENUE, digits(amount_or_range), "revenue", "annual_revenue", "revenue_range"),
    field(Signal.FUNDING_TOTAL, digits(amount), "funding", "funding_total", "total_funding"),
    field(Signal.FUNDING_STAGE, text, "funding_stage", "stage"),
    field(Signal.FOUNDED_YEAR, digits(year), "founded", "founded_year", "year_founded"),
)
BY_NAME = {name: column for column in COLUMNS for name in column.paths}
TEXT = f"text of at most {LONGEST_TEXT} characters"
ALLOWED = {
    Signal.HEADCOUNT: "a whole number, or a range such as 51-200",
    Signal.TECHNOLOGIES: 'a list of names, or names separated by ";"',
    Signal.REVENUE: "a number of at least 0, or a range as text",
    Signal.FUNDING_TOTAL: "a number of at least 0",
    Signal.FOUNDED_YEAR: f"a year from {FIRST_YEAR} to {LAST_YEAR}",
}


class Place(NamedTuple):
    """A company's row, by our names of the columns, and its number."""

    number: int
    row: Row


class Loaded(NamedTuple):
    """One version of the file: companies by domain."""

    version: Version
    companies: Mapping[str, Place]


def version_of(path: Path) -> Version | None:
    """What changes when the file does; None while there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def load(path: Path) -> Loaded:
    """The file as it is now. Raises ConfigurationError with file, line or row, column and what is allowed."""
    version = version_of(path)
    if path.suffix.lower() not in FORMS:
        raise ConfigurationError(f"{path}: the name must end in one of {', '.join(FORMS)}")
    if version is None or not path.is_file():
        raise ConfigurationError(f"{path}: no such file")
    if version[1] > LARGEST_FILE:
        raise ConfigurationError(f"{path}: must have at most {LARGEST_FILE // 2**20} MB")
    return Loaded(version, _by_domain(path, _readers[path.suffix.lower()](path, _content(path))))


def _content(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: byte {error.start + 1}: must be UTF-8 text") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from None


def _by_domain(path: Path, rows: Iterable[tuple[str, Row]]) -> dict[str, Place]:
    companies: dict[str, Place] = {}
    number, keyed = -1, False
    for number, (place, given) in enumerate(rows):
        row = {name: value for name, value in _named(given).items() if name in BY_NAME}
        keyed = keyed or any(name in row for name in DOMAIN)
        _check(f"{path}: {place}", row)
        domain = next((found for name in DOMAIN if (found := domain_of(row.get(name)))), None)
        if domain:
            companies.setdefault(domain, Place(number, row))
    if number >= 0 and not keyed:
        raise _no_domain(path)
    return companies


def _no_domain(path: Path) -> ConfigurationError:
    return ConfigurationError(f"{path}: must have a column for the domain, named one of {', '.join(DOMAIN)}")


def _named(row: Row) -> Row:
    """By our names; of two columns that are one to us, the first counts."""
    return {_plain(name): row[name] for name in reversed(row)}


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _check(place: str, row: Row) -> None:
    for name, value in row.items():
        column = BY_NAME[name]
        if value in NOTHING or column.signal is Signal.COMPANY_DOMAIN:
            continue
        try:
            column.convert(value)
        except Unfit:
            raise ConfigurationError(f"{place}, column {name}: must be {ALLOWED.get(column.signal, TEXT)}") from None


def _of_csv(path: Path, content: str) -> Iterator[tuple[str, Row]]:
    """Separated by commas or semicolons, whichever the header has more of."""
    header = content.partition("\n")[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    try:
        names = next(reader, [])
        if not any(_plain(name) in DOMAIN for name in names):
            raise _no_domain(path)
        for cells in reader:
            if len(cells) > len(names):
                raise ConfigurationError(f"{path}: line {reader.line_num}: must have at most {len(names)} columns")
            if cells:
                yield f"line {reader.line_num}", dict(zip(names, cells, strict=False))
    except csv.Error:
        raise ConfigurationError(f"{path}: line {reader.line_num}: not valid CSV") from None


def _of_json(path: Path, content: str) -> Iterator[tuple[str, Row]]:
    rows = _json(path, content, 1)
    if not isinstance(rows, list):
        raise ConfigurationError(f"{path}: must be a list of objects")
    for number, row in enumerate(rows):
        yield f"row {number}", _object(path, f"row {number}", row)


def _of_lines(path: Path, content: str) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            yield f"line {number}", _object(path, f"line {number}", _json(path, line, number))


_readers: dict[str, Callable[[Path, str], Iterator[tuple[str, Row]]]] = {
    ".csv": _of_csv,
    ".json": _of_json,
    ".jsonl": _of_lines,
    ".ndjson": _of_lines,
}


def _json(path: Path, content: str, first_line: int) -> JsonValue:
    try:
        value: JsonValue = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise ConfigurationError(f"{path}: line {line}, column {error.colno}: not valid JSON") from None
    return value


def _object(path: Path, place: str, row: JsonValue) -> Row:
    if not isinstance(row, dict):
        raise ConfigurationError(f"{path}: {place}: must be an object")
    return row
