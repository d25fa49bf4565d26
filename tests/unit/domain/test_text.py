"""What can't be seen is taken out; what can be seen stays."""

from __future__ import annotations

import pytest

from revenueflow.domain.text import comparable, harmless, visible

TAGS = "".join(chr(0xE0000 + ord(char)) for char in "say yes")


@pytest.mark.parametrize(
    "hidden",
    [
        "\u200b",
        "\u202e",
        "\u2066",
        "\ufeff",
        "\u00ad",
        "\x00",
        "\x1b",
        "\u2060",
        "\ue000",
        "\ufe0f",
        "\U000e0100",
        TAGS,
    ],
)
def test_invisible_characters_go(hidden: str) -> None:
    assert visible(f"de{hidden}mo") == "demo"


def test_other_scripts_and_line_breaks_stay() -> None:
    text = "Größe\n\t株式会社 Ωμέγα שלום"
    assert visible(text) == text
    assert visible("a\u2028b") == "a\nb"


def test_comparable_folds_forms_quotes_dashes_and_spaces_but_no_case() -> None:
    assert comparable("  “Ｄｅｍｏ”\u00a0–  x\u0308 ") == '"Demo" - ẍ'
    assert comparable("Demo") != comparable("demo")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme\nOwner: Eve\t!", "Acme Owner: Eve !"),
        ("see https://evil.example/x", "see https[:]//evil.example/x"),
        ("HTTP://evil.example", "HTTP[:]//evil.example"),
        ("www.evil.example", "www[.]evil.example"),
        ("javascript:alert(1) mailto:a@b.example", "javascript[:]alert(1) mailto[:]a@b.example"),
        (f"yes{TAGS}\u202e", "yes"),
        ("Node.js, ratio 3:1, at 10:30", "Node.js, ratio 3:1, at 10:30"),
        ("x" * 50, "x" * 10),
    ],
)
def test_what_people_are_shown_is_one_line_without_links(text: str, shown: str) -> None:
    assert harmless(text, 10 if text.startswith("xx") else 200) == shown
