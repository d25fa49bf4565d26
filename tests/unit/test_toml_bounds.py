"""Texts of a few bytes that would take gigabytes, minutes or the stack of a parser, and values that are no numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, JsonValue

from revenueflow import defaults
from revenueflow.defaults import key_paths
from revenueflow.defaults.toml_lines import Lines
from revenueflow.domain.base import Value
from revenueflow.errors import ConfigurationError
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Sla

HERE = Path("draft.toml")
PARTS = r"draft\.toml: a key must have at most 10 parts \(line "
DEEP = r"draft\.toml: arrays and tables must be at most 15 deep \(line "
DIGITS = r"draft\.toml: a number must have at most 30 digits \(line "


class Anything(Value):
    """Takes every value."""

    a: JsonValue = None
    number: float = 0.0
    whole: int = 0
    on: bool = False
    words: frozenset[str] = Field(default=frozenset())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (".".join(["a"] * 300_000) + " = 1", PARTS + "1"),
        ("x = 1\n[" + " . ".join(["a"] * 300_000) + "]", PARTS + "2"),
        ("a = { " + '."b"' * 20_000 + " = 1 }", PARTS + "1"),
        ("'''\n'''." * 300_000, PARTS),
        ("a = " + "[" * 4000 + "]" * 4000, DEEP + "1"),
        ("\n\na = " + "{a=" * 4000 + "1" + "}" * 4000, DEEP + "3"),
        ('a = [\n"]", # ]\n' + "[" * 4000, DEEP + "3"),
        ("a = " + "9" * 5000, DIGITS + "1"), ("a = 1\nb = [-" + "9" * 5000, DIGITS + "2"),
        ("a = 0x" + "f" * 5000, DIGITS),
    ],
)  # fmt: skip
def test_what_asks_for_too_much_is_not_parsed(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        defaults.parse(Anything, text, HERE)
    assert caught.value.faults[0].pointer == ""


@pytest.mark.parametrize(
    "text",
    [
        'a = "' + "." * 50 + "[" * 50 + "9" * 50 + '" # ' + "[.9" * 50,
        "a = '" + "[" * 50 + "'", 'a = """\n' + '\\"""[.' * 50 + '"""""', "a = '''\n''" + "[.\n" * 50 + "'''''",
        "a = [" + "1.5, " * 100 + "]", "a = [" + "[[]], " * 100 + "]", "[a.b.c.d.e.f.g.h.i.j]",
        "[a]\nb5d0f3a525b5e5d1e8a1c1f2e3d4c5b6a11111111111111111111111111111 = 1",
    ],
)  # fmt: skip
def test_dots_brackets_and_digits_of_texts_and_comments_dont_count(text: str) -> None:
    defaults.parse(Anything, text, HERE)


def test_as_deep_as_may_be_is_read() -> None:
    keys = "b" + ".b" * 9
    text = f"[a{'.a' * 9}]\n{keys} = " + f"{{ {keys} = " * 15 + "1" + "}" * 15
    assert defaults.parse(Anything, text, HERE).a


@pytest.mark.parametrize(
    "text", ['a = """' + '\\"""' * 50_000, '"\\' * 100_000, "[" + "'" * 200_001, "a = '''" * 30_000]
)
def test_what_is_left_open_is_no_toml(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^draft\.toml: not valid TOML"):
        defaults.parse(Anything, text, HERE)


def test_of_many_mistakes_the_first_are_told() -> None:
    text = "".join(f"k{number} = 1\n" for number in range(key_paths.MOST + 50))
    with pytest.raises(ConfigurationError, match=rf"k{key_paths.MOST - 1}: .*; and 50 more$") as caught:
        defaults.parse(Anything, text, HERE)
    assert len(caught.value.faults) == key_paths.MOST


def test_of_a_long_key_the_beginning_is_told() -> None:
    with pytest.raises(ConfigurationError) as caught:
        defaults.parse(Anything, f"{'k' * 100_000} = 1", HERE)
    assert caught.value.faults[0].pointer == "k" * key_paths.LONGEST + "…"
    assert len(caught.value.detail) < 1000


def test_what_a_caller_sends_is_not_kept() -> None:
    first, second = (defaults.parse(Anything, "a = 1", HERE) for _ in range(2))
    assert first is not second
    assert defaults.load(Sla, "sla.toml") is defaults.load(Sla, "sla.toml")


def test_the_lines_of_a_long_array_and_of_what_follows() -> None:
    lines = Lines("a = [\n" + "1,\n" * 50_000 + ']\nb = """\n\\"""\n[x]\n"""\nc = 1\n')
    assert (lines.of(["a", 49_999]), lines.of(["b"]), lines.of(["c"]), lines.of(["x"])) == (
        50_001,
        50_003,
        50_007,
        None,
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('whole = "15"', "whole: Input should be a valid integer"),
        ("whole = true", "whole: Input should be a valid integer"),
        ("whole = 1.0", "whole: Input should be a valid integer"), ("on = 1", "on: Input should be a valid boolean"),
        ('number = "1.5"', "number: Input should be a valid number"),
        ("words = [1]", "words.0: Input should be a valid string"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_as_by_the_schema(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        defaults.parse(Anything, text, HERE)


def test_a_whole_number_is_a_number_and_an_array_a_set() -> None:
    read = defaults.parse(Anything, 'number = 2\nwords = ["a"]\na = [1979-05-27]', HERE)
    assert (read.number, read.words, read.a) == (2.0, {"a"}, ["1979-05-27"])


@pytest.mark.parametrize(("old", "new"), [("ask = true", "ask = 1"), ("keep_minutes = 15", 'keep_minutes = "15"')])
def test_a_routing_table_is_read_strictly(old: str, new: str) -> None:
    with pytest.raises(ConfigurationError, match=r"crm.*: Input should be a valid .* \(line 1\d\)$"):
        defaults.parse(RoutingRules, defaults.text("routing.toml").replace(old, new, 1), HERE)
