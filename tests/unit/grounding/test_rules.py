"""A mistake in grounding.toml is an error that names the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from revenueflow import defaults
from revenueflow.errors import ConfigurationError
from revenueflow.grounding.rules import GroundingRules


def test_the_points_of_fit_sum_to_a_hundred() -> None:
    assert sum(defaults.load(GroundingRules, "grounding.toml").fit.points.values()) == 100


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("supported = 0.8", "supported = 1.8", "lexical.supported"),
        ("unsupported = 0.4", "unsupported = 0.9", "lexical"),
        ("vendor = 1.0", "", "trust"),
        ("penalty = 0.3", "penalty = 0.3\nmood = 1", "fit.mood"),
        ("industry = 14", "industries = 14", "fit.points"),
    ],
)
def test_a_wrong_entry_names_file_and_key(tmp_path: Path, old: str, new: str, place: str) -> None:
    text = defaults.text("grounding.toml")
    assert old in text
    (tmp_path / "grounding.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"grounding\.toml") as caught:
        defaults.load(GroundingRules, "grounding.toml", tmp_path)
    assert any(fault.pointer.startswith(place) for fault in caught.value.faults)
