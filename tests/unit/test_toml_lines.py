"""An error in a file names the line on which the key stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from revenueflow import defaults
from revenueflow.defaults.toml_lines import line_of
from revenueflow.errors import ConfigurationError
from revenueflow.routing.rules import RoutingRules

TEXT = '''version = "1" # = not a key
list = [
  "a = 1",
  { b = 2 },
]
"a key" = """
inner = 1
"""

[one.two]
key = { deep = 1 }

[[entries]]
name = "x"
[[entries.parts]]
n = 1
[[entries.parts]]
n = 2

[[ entries ]] # the second
name = "y"
dotted.key = 3
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("version", 1), ("list", 2), ("list.0", 3), ("list.1.b", 4),
        ("one.two", 10), ("one.two.key", 11), ("one.two.key.deep", 11),
        ("entries.0", 13), ("entries.0.name", 14), ("entries.0.parts.1.n", 18), ("entries.1", 20),
        ("entries.1.name", 21), ("entries.1.missing", 20), ("entries.1.dotted.key", 22), ("inner", None),
        ("entries", 13), ("entries.name", 13), ("one", 10),
        ("other", None), ("a key", 6),
    ],
)  # fmt: skip
def test_the_line_of_a_key(path: str, line: int | None) -> None:
    assert line_of(TEXT, path.split(".")) == line


def test_a_mistake_in_a_routing_table_is_told_with_its_line(tmp_path: Path) -> None:
    text = defaults.text("routing.toml")
    place = tmp_path / "routing.toml"
    place.write_text(text.replace('name = "India"\n', 'name = "India"\ncolour = "red"\n'))
    line = next(number for number, row in enumerate(place.read_text().splitlines(), 1) if row.startswith("colour"))
    with pytest.raises(ConfigurationError, match=rf"territories\.12\.colour: .*\(line {line}\)$"):
        defaults.read(RoutingRules, place)
    place.write_text(text.replace('countries = ["IN"]\nowner = "ananya-rao"', 'countries = ["IN"]\nowner = "nobody"'))
    line = next(number for number, row in enumerate(place.read_text().splitlines(), 1) if '"nobody"' in row)
    with pytest.raises(ConfigurationError, match=rf"territories\.12\.owner: no rep has this id \(line {line}\)$"):
        defaults.read(RoutingRules, place)
