"""Bodies as fields: what can be read, and the reason when it can't."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow.sources.payload import LONGEST_KEY, Unreadable, body_key, delivery_key, fields, media_type

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty_body"),
        (b" \n\t", "empty_body"),
        (b"{", "malformed_json"),
        (b'{"a": 1,}', "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b'{"a": Infinity}', "malformed_json"),
        (b'{"a": "\x00"}', "malformed_json"),
        (b'{"a": "\\ud800"}', "malformed_json"),
        (b"\xef\xbb\xbf{}", "malformed_json"),
        ('{"name": "Jürgen"}'.encode("latin-1"), "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "malformed_json"),
        (b"[]", "not_an_object"),
        (b"[{}]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"17", "not_an_object"),
    ],
)
def test_json_that_cant_be_read_has_a_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=f"^{reason}$"):
        fields(raw, JSON)


@pytest.mark.parametrize(
    "kind", ["", JSON, "text/plain", "application/cloudevents+json", "APPLICATION/JSON; charset=x"]
)
def test_what_is_no_form_is_read_as_json(kind: str) -> None:
    assert fields('{"name": "Jürgen", "a": {"b": [1]}}'.encode(), kind) == {"name": "Jürgen", "a": {"b": [1]}}


def test_the_last_of_two_equal_keys_counts() -> None:
    assert fields(b'{"email": "a", "email": "b"}', JSON) == {"email": "b"}
    assert fields(b"email=a&email=b", FORM) == {"email": "b"}


def test_forms() -> None:
    raw = "name=J%C3%BCrgen+M&note=&Email%20Address=a%40x.example&city=Köln".encode()
    form = {"name": "Jürgen M", "note": "", "Email Address": "a@x.example", "city": "Köln"}
    assert fields(raw, f"{FORM}; charset=UTF-8") == form


@pytest.mark.parametrize("raw", ["name=Jürgen".encode("latin-1"), b"&".join(b"a=%d" % n for n in range(1001))])
def test_forms_that_cant_be_read(raw: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^malformed_form$"):
        fields(raw, FORM)


@given(some.binary(), some.sampled_from([JSON, FORM, "", "multipart/form-data; boundary=x"]))
def test_any_bytes_are_read_or_have_a_reason(raw: bytes, kind: str) -> None:
    try:
        assert isinstance(fields(raw, kind), dict)
    except Unreadable as problem:
        assert str(problem) in {"empty_body", "malformed_json", "not_an_object", "malformed_form"}


def test_media_types() -> None:
    assert media_type(" Application/JSON ; charset=utf-8") == JSON
    assert media_type("") == ""


def test_a_delivery_is_known_by_the_senders_key_or_by_a_hash() -> None:
    assert delivery_key("abc", b"x") == "abc"
    assert delivery_key(None, b"x") == delivery_key("", b"x") == body_key(b"x")
    long = "k" * (LONGEST_KEY + 1)
    assert delivery_key(long, b"x") == body_key(long.encode())
