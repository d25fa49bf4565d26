"""CSV as people really have it: from Excel, from Windows, from an old Mac, half broken, and in pieces of any size."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revenueflow.errors import InvalidInput
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.csv import rejects as writing
from revenueflow.sources.csv import rows
from revenueflow.sources.csv.columns import Choice, checked
from revenueflow.sources.csv.reader import Item, Reader, Row
from revenueflow.sources.csv.rejects import DETAILS, Reject

TEXT = "Email,Name,Company\ndana@x.example,Dana Größe,Acme\n"


def encoded(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


def read(data: bytes | str) -> list[Arrival]:
    return list(rows(encoded(data)))


def items(data: bytes | str, choice: Choice | None = None, cuts: tuple[int, ...] = ()) -> list[Item]:
    """Rows and rejects of a file that comes in pieces, cut at these places."""
    reader, raw = Reader(choice or Choice()), encoded(data)
    places = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    found = [item for start, stop in pairwise(places) for item in reader.feed(raw[start:stop])]
    return [*found, *reader.close()]


def forms(data: bytes | str, choice: Choice | None = None) -> list[dict[str, str]]:
    found = [item.arrival.understood for item in items(data, choice) if isinstance(item, Row)]
    return [one.form.model_dump(exclude_none=True) for one in found if one]


def refused(data: bytes | str) -> list[tuple[int, str]]:
    return [(item.line, item.reason) for item in items(data) if isinstance(item, Reject)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings_separators_and_line_ends(encoding: str, separator: str, ending: str) -> None:
    text = TEXT.replace(",", separator).replace("\n", ending)
    assert forms(text.encode(encoding)) == [{"email": "dana@x.example", "name": "Dana Größe", "company": "Acme"}]


def test_utf_16_with_either_mark() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert forms(mark + TEXT.encode(encoding))[0]["name"] == "Dana Größe"


def test_a_line_of_another_encoding_spoils_no_other() -> None:
    data = "email,name\na@x.example,Größe\n".encode() + "b@x.example,Größe\n".encode("cp1252")
    assert [form["name"] for form in forms(data + "c@x.example,Größe\n".encode())] == ["Größe"] * 3


@pytest.mark.parametrize(
    "header",
    ['"Name; first, or last; or both";Email', '"a,b,c,d,e";Email;Name', "Comment, if any;Email;Name", "sep=;\nx;Email"],
)
def test_what_parts_the_cells_is_seen_outside_of_quotes(header: str) -> None:
    width = header.rpartition("\n")[2].replace("; first", "").replace("; or", "").count(";")
    at = 1
    line = ";".join(["a@x.example" if n == at else "x" for n in range(width + 1)])
    assert forms(f"{header}\n{line}\n")[0]["email"] == "a@x.example"


def test_quotes_hold_separators_quotes_and_line_breaks() -> None:
    text = 'email,message\n"dana@x.example","He said ""yes"",\r\nthen; left"\nb@x.example,plain\n'
    assert [form["message"] for form in forms(text)] == ['He said "yes",\nthen; left', "plain"]
    assert forms('"E\nmail",Name\na@x.example,A\n') == [{"email": "a@x.example", "name": "A"}]


def test_a_row_is_known_by_all_lines_up_to_it() -> None:
    text = 'email,message\n\n"a@x.example","two\nlines"\n,,\nb@x.example,x\n'
    keys = [one.delivery_key for one in read(text)]
    assert [key.partition(":")[2] for key in keys] == ["3", "6"]
    assert [one.delivery_key for one in read(text + "c@x.example,y\n")][:2] == keys
    for same in (text[:-1], text.replace("\n", "\r\n"), "\ufeff" + text):
        assert [one.delivery_key for one in read(same)] == keys
    assert read(text.encode("utf-16"))[1].delivery_key == keys[1]
    assert not {one.delivery_key for one in read(text.replace("two", "2"))} & set(keys)


def test_equal_rows_without_any_identity_are_leads_of_their_own() -> None:
    one, other = read("name,phone\nDana,1\nDana,1\n")
    assert one.own_id == one.delivery_key != other.own_id


def test_the_row_is_kept_as_json_with_columns_that_we_dont_know() -> None:
    (one,) = read("email,Shoe size,,email\na@x.example,42,x,b@x.example,beyond\n")
    assert orjson.loads(one.raw) == {
        "email": "a@x.example", "Shoe size": "42", "column 3": "x", "column 4": "b@x.example", "column 5": "beyond",
    }  # fmt: skip
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
    "data",
    [
        b"", b"\n", b"foo,bar\n1,2\n", b"\x00\x01\x02", b"a@x.example,Dana\n", b"\xef\xbb\xbf", b",,\nx,y,z\n",
        b'"Dana', b"," * 2**20,
    ],
)  # fmt: skip
def test_a_file_without_a_header_that_we_know(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(data)
    assert caught.value.faults[0].pointer == "/0"
    assert "Dana" not in f"{caught.value} {caught.value.faults}"


def test_a_header_alone_has_no_rows() -> None:
    assert items("email,name\n") == items("email,name") == []


@pytest.mark.parametrize(
    "cell", ["s" * 2**20, '"' + "s\n" * 5000 + "s" * 2**20 + '"', '"' + '""' * 2**19 + '"', "s" * 5 * 2**20]
)
def test_a_cell_beyond_all_measure_costs_its_row_only(cell: str) -> None:
    found = items(f"email,message\na@x.example,ok\nb@x.example,{cell}\nc@x.example,ok\n")
    assert [type(item) for item in found] == [Row, Reject, Row]
    assert isinstance(found[1], Reject)
    assert (found[1].line, found[1].reason) == (3, "row_too_long" if len(cell) > 2**22 else "cell_too_long")
    assert "sss" not in found[1].detail
    if len(cell) < 1.5 * 2**20:
        assert found[1].raw == f"b@x.example,{cell}"


def test_a_row_of_too_many_cells() -> None:
    assert refused("email,name\na@x.example" + ",x" * 30_000 + "\n") == [(2, "too_many_cells")]


@pytest.mark.parametrize("after", ["c@x.example,C\n", 'c@x.example,"C"\n', 'c@x.example,"C\n"\n', ""])
def test_a_quote_that_never_ends_costs_its_line_only(after: str) -> None:
    found = items(f'email,name\na@x.example,A\nb@x.example,"B\n{after}')
    assert isinstance(found[1], Reject)
    assert (found[1].line, found[1].reason, found[1].raw) == (3, "unended_quote", 'b@x.example,"B')
    kept = [item.arrival.understood.form.name for item in found if isinstance(item, Row) and item.arrival.understood]
    assert kept == (["A", "C"] if after else ["A"])


def test_an_open_quote_does_not_hold_the_rest_of_a_long_file() -> None:
    before = 'email,name\na@x.example,"A\n'
    found = items(before + "".join(f"p{n}@x.example,P\n" for n in range(12_000)))
    assert len(found) == 12_001
    assert isinstance(found[0], Reject)


def test_rows_that_say_nothing_are_rejected_and_blank_ones_are_none() -> None:
    text = "email,name,shoe size\n,,42\nno address,,\n  ,\t,\n\nno address,Dana,\n,Dana,\n"
    assert refused(text) == [(2, "nothing_known"), (3, "no_identity")]
    assert forms(text) == [{"email": "no address", "name": "Dana"}, {"name": "Dana"}]


def test_every_reason_is_explained() -> None:
    for reason, detail in DETAILS.items():
        assert Reject(1, reason, "s3cr3t").detail == detail
        assert detail.endswith(".")


def test_formulas_are_kept_as_given_and_written_as_text() -> None:
    raw = "no one,=1+1,+49 30,-x,@sum,\ty"
    assert forms("name,message\nDana,=1+1\n") == [{"name": "Dana", "message": "=1+1"}]
    line = writing.lines([Reject(2, "nothing_known", raw)], ",")
    cells = next(csv.reader([line]))[3:]
    assert cells == ["no one", "'=1+1", "'+49 30", "'-x", "'@sum", "'\ty"]


def test_rejects_can_be_mended_and_read_again() -> None:
    name = "=cmd|' /C calc'!A0"
    text = f'email;phone;name\nx@x.example;+49 30;"{name}\n'
    (reject,) = [item for item in items(text) if isinstance(item, Reject)]
    file = writing.header(["email", "phone", "name"]) + writing.lines([reject], ";")
    assert forms(file) == [{"email": "x@x.example", "phone": "+49 30", "name": name}]


def test_columns_are_mapped_as_the_operator_says() -> None:
    text = "Arbeitgeber;E-Mail;Name;Company\nAcme;a@x.example;A;Other\n;b@x.example;B;Other\n"
    choice = Choice(checked({"Arbeitgeber": "company", "Name": "ignore"}), campaign="fair")
    assert forms(text, choice) == [
        {"email": "a@x.example", "company": "Acme"},
        {"email": "b@x.example", "company": "Other"},
    ]
    first = next(item.arrival for item in items(text, choice) if isinstance(item, Row))
    assert first.understood
    assert first.understood.campaign_id == "fair"
    plain = read(text)[0]
    assert plain.delivery_key == first.delivery_key
    assert plain.raw != first.raw, "the same row under another mapping is another delivery of it"


@pytest.mark.parametrize("field", ["email", "source_id", "campaign_id", "linkedin_url", "first_name", "message"])
def test_a_column_can_be_any_field(field: str) -> None:
    (one,) = items("X,Email\ns3v3n@x.example,a@x.example\n", Choice({"X": field}))
    assert isinstance(one, Row)
    assert "s3v3n" in str(one.arrival.understood)


def test_a_mapping_that_is_none() -> None:
    with pytest.raises(InvalidInput, match=r"email, name, .*ignore") as caught:
        checked({"X": "s3cr3t"})
    assert (caught.value.faults[0].pointer, "s3cr3t" in str(caught.value)) == ("/map", False)
    with pytest.raises(InvalidInput) as caught:
        items(TEXT, Choice({"Shoe": "company"}))
    assert caught.value.faults[0].pointer == "/map"


CELL = st.text(st.sampled_from('ab,;\t|"\n\r =+@\0é€𝄞\u2028\x85'), max_size=12)
TABLES = st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=8)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])


def table(cells: list[list[str]], delimiter: str, ending: str, quoting: int) -> str:
    if ending != "\r\n" and any(set("\r\n") & set(cell) for row in cells for cell in row):
        quoting = csv.QUOTE_ALL  # the module quotes of line ends its own only
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([["Email", "Name", "Message"], *cells])
    return text.getvalue()


@settings(max_examples=150, deadline=None)
@given(
    TABLES, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([0, 1]), ENCODINGS,
    st.lists(st.integers(0, 10_000), max_size=6),
)  # fmt: skip
def test_any_table_in_any_pieces_gives_its_rows(
    cells: list[list[str]], delimiter: str, ending: str, quoting: int, encoding: str, cuts: list[int]
) -> None:
    data = table(cells, delimiter, ending, quoting).encode(encoding)
    found = items(data, cuts=tuple(cuts))
    assert found == items(data, cuts=tuple(range(len(data)))) == items(data)
    given_rows = [[_one_ending(cell) for cell in row] for row in cells if any(cell.strip() for cell in row)]
    assert len(found) == len(given_rows)
    for item, row in zip(found, given_rows, strict=True):
        if isinstance(item, Row):
            assert list(orjson.loads(item.arrival.raw).values()) == row
        else:
            assert item.reason in ("nothing_known", "no_identity")


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from('a@.,;"\n\r='), max_size=60), st.lists(st.integers(0, 100), max_size=4))
def test_of_any_text_no_line_is_lost(text: str, cuts: list[int]) -> None:
    """Each line that says something is part of a row or a reject, whatever its quotes."""
    data = f"email,name\n{text}".encode()
    found = items(data, cuts=tuple(cuts))
    assert found == items(data)
    kept = "".join(_content(item) for item in found)
    for letter in "a@.":
        assert kept.count(letter) == text.count(letter)


def _content(item: Item) -> str:
    return item.raw if isinstance(item, Reject) else "".join(orjson.loads(item.arrival.raw).values())


def _one_ending(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n")
