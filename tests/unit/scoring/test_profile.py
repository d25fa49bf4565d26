"""What a profile may not say: each mistake is refused with its key path."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from revenueflow import defaults
from revenueflow.domain.vocabulary import SENIORITIES, Vocabulary
from revenueflow.errors import ConfigurationError
from revenueflow.scoring.profile import Profile, TableFactor

NAME = "scoring/grounded.toml"
GOOD = """
name = "small"
version = "1"
tiers = { hot = 70, warm = 40 }
[[factors]]
name = "size"
kind = "band"
fact = "headcount"
maximum = 60
bands = [{ at_least = 1, at_most = 9, points = 5 }, { at_least = 10, points = 60 }]
[[factors]]
name = "claims"
kind = "grounded"
maximum = 40
"""


def load(folder: Path, text: str) -> Profile:
    path = folder / NAME
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return defaults.load(Profile, NAME, folder)


def test_the_shipped_profile_gives_half_to_rules_and_half_to_claims() -> None:
    profile = defaults.load(Profile, NAME)
    by_kind = {factor.kind: factor.maximum for factor in profile.factors}
    assert by_kind["grounded"] == 50
    assert sum(factor.maximum for factor in profile.factors) == 100


def test_the_shipped_tables_use_words_of_the_vocabulary_only() -> None:
    vocabulary = defaults.load(Vocabulary, "vocabulary.toml")
    known = {"industry": set(vocabulary.industries), "seniority": set(SENIORITIES)}
    for factor in defaults.load(Profile, NAME).factors:
        if isinstance(factor, TableFactor):
            assert set(factor.points) <= known[factor.fact]


def test_a_good_profile_is_read(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).label == "small@1"


@pytest.mark.parametrize(
    ("old", "new", "path", "allowed"),
    [
        ("at_most = 9", "at_most = 10", "factors.0.bands", "band 0 overlaps band 1"),
        ("at_most = 9, ", "", "factors.0.bands", "band 0 overlaps band 1"),
        ("at_least = 10", "at_least = 0", "factors.0.bands", "rising order"),
        ("at_most = 9", "at_most = 0", "factors.0.bands.0", "at_most must not be below at_least"),
        ("maximum = 40", "maximum = 41", "factors", "must add up to 100, they make 101"),
        (
            "points = 60",
            "points = 61",
            "factors.0",
            "maximum is 60, but the most that can be reached is 61",
        ),
        (
            "points = 60",
            "points = 50",
            "factors.0",
            "maximum is 60, but the most that can be reached is 50",
        ),
        ('name = "claims"', 'name = "size"', "factors", "more than once: size"),
        ('fact = "headcount"', 'fact = "shoe_size"', "factors.0.fact", "headcount"),
        ('kind = "grounded"', 'kind = "astrology"', "factors.1", "grounded"),
        ("maximum = 40", "maximum = 40\nweight = 2", "factors.1.weight", "no such key"),
        ("fact = ", "fakt = ", "factors.0.fakt", "did you mean `fact`? allowed: bands, fact,"),
        (
            "maximum = 40",
            "maximum = 40\nhigh = 2",
            "factors.1.high",
            "there is no such key here; allowed: kind, maximum, name",
        ),
        ("at_most", "atmost", "factors.0.bands.0.atmost", "did you mean `at_most`? allowed: at_least, at_most, points"),
        ("hot = 70", "HOT = 70", "tiers.HOT", "did you mean `hot`? allowed: hot, warm"),
        ('kind = "grounded"', "", "factors.1", "kind must be given"),
        ("warm = 40", "warm = 70", "tiers", "warm must be below hot"),
        ('version = "1"', "", "version", "must be given"),
    ],
)
def test_a_mistake_is_refused_with_file_and_key_path(
    tmp_path: Path, old: str, new: str, path: str, allowed: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, GOOD.replace(old, new))
    assert str(tmp_path / NAME) in refused.value.detail
    told = {fault.pointer: fault.detail for fault in refused.value.faults}
    assert allowed in told.pop(path)
    assert set(told.values()) <= {"must be given"}, "what was written under another name"
    assert path == "version" or "(line " in refused.value.detail


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"kind": "keyword", "fact": "title", "groups": [{"points": 60, "phrases": ["a b", "A  B"]}]},
            "twice",
        ),
        (
            {"kind": "keyword", "fact": "title", "groups": [{"points": 60, "phrases": ["--"]}]},
            "holds no word",
        ),
        ({"kind": "table", "fact": "industry", "points": {"Food": 60, "food": 1}}, "differ in case only"),
        (
            {"kind": "completeness", "points": {"email": 30, "phone": 20}},
            "the most that can be reached is 50",
        ),
    ],
)
def test_other_kinds_are_checked_too(change: dict[str, Any], complaint: str) -> None:
    table = copy.deepcopy(defaults.toml(NAME))
    table["factors"] = [
        {"name": "one", "maximum": 60} | change,
        {"name": "c", "kind": "grounded", "maximum": 40},
    ]
    with pytest.raises(ValueError, match=complaint):
        Profile.model_validate(table)
