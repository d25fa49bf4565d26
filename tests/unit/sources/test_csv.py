"""CSV as people really have it: from Excel, from Windows, from an old Mac, half broken."""

from __future__ import annotations

from hashlib import sha256

import orjson
import pytest

from revenueflow.errors import InvalidInput
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.csv import rows

TEXT = "Email,Name,Company\ndana@x.example,Dana Größe,Acme\n"


def read(data: bytes | str) -> list[Arrival]:
    return list(rows(data.encode() if isinstance(data, str) else data))


def forms(data: bytes | str) -> list[dict[str, str]]:
    return [one.understood.form.model_dump(exclude_none=True) for one in read(data) if one.understood]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le-bom"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings_separators_and_line_ends(encoding: str, separator: str, ending: str) -> None:
    text = TEXT.replace(",", separator).replace("\n", ending)
    data = b"\xff\xfe" + text.encode("utf-16-le") if encoding.endswith("bom") else text.encode(encoding)
    assert forms(data) == [{"email": "dana@x.example", "name": "Dana Größe", "company": "Acme"}]


def test_quotes_hold_separators_quotes_and_line_breaks() -> None:
    text = 'email,message\n"dana@x.example","He said ""yes"",\r\nthen; left"\nb@x.example,plain\n'
    assert [form["message"] for form in forms(text)] == ['He said "yes",\nthen; left', "plain"]


def test_a_row_is_known_by_file_and_line() -> None:
    text = 'email,message\n\n"a@x.example","two\nlines"\n,,\nb@x.example,x\n'
    digest = sha256(text.encode()).hexdigest()
    assert [one.delivery_key for one in read(text)] == [f"{digest}:4", f"{digest}:6"]
    assert read(text + "\n")[0].delivery_key != read(text)[0].delivery_key


def test_a_row_without_any_identity_is_still_a_lead_of_its_own() -> None:
    one, other = read("name,phone\nDana,1\nDana,1\n")
    assert one.own_id == one.delivery_key != other.own_id


def test_the_row_is_kept_as_json_with_columns_that_we_dont_know() -> None:
    (one,) = read("email,Shoe size\na@x.example,42\n")
    assert orjson.loads(one.raw) == {"email": "a@x.example", "Shoe size": "42"}
    assert one.content_type == "application/json"


def test_of_two_columns_with_one_name_the_first_that_says_something_counts() -> None:
    assert forms("email,phone,phone\na@x.example,123,\nb@x.example,,456\n") == [
        {"email": "a@x.example", "phone": "123"},
        {"email": "b@x.example", "phone": "456"},
    ]


def test_short_and_long_rows() -> None:
    assert forms("email,name\na@x.example\nb@x.example,B,more\n") == [
        {"email": "a@x.example"},
        {"email": "b@x.example", "name": "B"},
    ]


def test_nul_and_control_characters_go() -> None:
    assert forms(b"email,name\na@x.example,Da\x00na\x1b\n") == [{"email": "a@x.example", "name": "Dana"}]


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"foo,bar\n1,2\n", b"\x00\x01\x02", b"a@x.example,Dana\n", b"\xef\xbb\xbf"]
)
def test_a_file_without_a_header_that_we_know(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(data)
    assert caught.value.faults[0].pointer == "/0"
    assert "Dana" not in f"{caught.value} {caught.value.faults}"


def test_a_header_alone_has_no_rows() -> None:
    assert read("email,name\n") == []


def test_a_cell_beyond_all_measure_names_its_line() -> None:
    with pytest.raises(InvalidInput) as caught:
        read("email,message\na@x.example,ok\nb@x.example," + "secret" * 30_000)
    assert caught.value.faults[0].pointer == "/3"
    assert "secret" not in f"{caught.value} {caught.value.faults}"


def test_a_quote_that_never_ends_takes_the_rest_but_nothing_before_it() -> None:
    before, rest = read('email,name\na@x.example,A\nb@x.example,"B\nc@x.example,C\n')
    assert before.understood
    assert before.understood.form.name == "A"
    assert rest.understood
    assert rest.understood.form.name == "B c@x.example,C"
