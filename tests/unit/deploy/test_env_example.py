""".env.example: every setting, with the default that it has, and no secret."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.unit.deploy import ROOT, load, variables

LINE = re.compile(r"^(#?)([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)
TEXT = (ROOT / ".env.example").read_text(encoding="utf-8")
SHOWN = {name: (bool(commented), value.strip('"')) for commented, name, value in LINE.findall(TEXT)}
COMPOSE_ONLY = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))


def test_names_every_setting_once_and_nothing_else() -> None:
    names = [name for _, name, _ in LINE.findall(TEXT)]
    assert len(names) == len(set(names))
    assert set(names) == variables().keys() | COMPOSE_ONLY


def is_plain(default: Any) -> bool:
    return isinstance(default, str | int | float)


@pytest.mark.parametrize("name", sorted(name for name, default in variables().items() if is_plain(default)))
def test_shows_the_default(name: str) -> None:
    commented, value = SHOWN[name]
    default = variables()[name]
    assert commented, "what has a default is a comment"
    assert TypeAdapter(type(default)).validate_python(value) == default


def test_everything_that_is_set_is_left_for_the_reader() -> None:
    assert [name for name, (commented, value) in SHOWN.items() if not commented and value] == []


def test_secrets_are_placeholders() -> None:
    for name, (_, value) in SHOWN.items():
        if re.search(r"(PASSWORD|SECRET|TOKEN|KEY)$", name):
            assert value == "", name
        if "@" in value:
            assert ":PASSWORD@" in value, name


def test_is_not_ignored_by_git_while_env_is() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert ".env" in ignored
    assert "!.env.example" in ignored


def test_defaults_of_compose_are_those_shown() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name, default in re.findall(r"\$\{(\w+):-([^}]*)\}", text):
        assert SHOWN[name] == (True, default)
    assert load("docker-compose.yml")["name"] == "revenueflow"
