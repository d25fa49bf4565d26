"""The kinds of factor that no shipped profile uses, which profile is for whom, and what is refused on which line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from revenueflow import defaults
from revenueflow.defaults.toml_lines import line_of
from revenueflow.domain.scoring import Factor, LeadFacts
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import ConfigurationError, InvalidInput
from revenueflow.scoring.kinds import AnyFactor, DecayFactor, EngagementFactor
from revenueflow.scoring.profile import Profile
from revenueflow.scoring.score import score
from revenueflow.wiring.files import check_files, offer_file, profiles

VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")
DECAY = DecayFactor(name="age", kind="decay", maximum=100, half_life_days=30, unknown=7)
ENGAGEMENT = EngagementFactor(name="did", kind="engagement", maximum=100, points={"submissions": 30, "visits": 5})


def of(rule: AnyFactor, facts: LeadFacts) -> Factor:
    profile = Profile.model_validate(
        {"name": "one", "version": "1", "tiers": {"hot": 70, "warm": 40}, "factors": [rule.model_dump()]}
    )
    (line,) = score(profile, facts, None, VOCABULARY).factors
    return line


@pytest.mark.parametrize(("days", "points"), [(0, 100), (15, 71), (30, 50), (60, 25), (3650, 0), (None, 7)])
def test_decay_halves(days: int | None, points: int) -> None:
    line = of(DECAY, LeadFacts(campaign_id="default", age_days=days))
    assert (line.points, line.missing) == (points, () if days is not None else ("age_days",))


@pytest.mark.parametrize(
    ("seen", "points"),
    [
        ({}, 0), ({"submissions": 1}, 30), ({"submissions": 2, "visits": 1}, 65), ({"submissions": 9}, 100),
        ({"x": 4}, 0),
    ],
)  # fmt: skip
def test_engagement_counts_up_to_the_maximum(seen: dict[str, int], points: int) -> None:
    line = of(ENGAGEMENT, LeadFacts(campaign_id="default", engagement=seen))
    assert (line.points, bool(line.missing)) == (points, points == 0)


def test_an_offer_goes_before_the_campaign_and_that_before_the_default(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text('version = 1\ndefault = "six_factor"\n[campaigns]\nfall = "dual_layer"\n')
    found = profiles(tmp_path)
    assert found.of("spring").name == "six_factor"
    assert found.of("fall").name == "dual_layer"
    assert found.of("fall", "grounded").name == "grounded"
    assert found.of("fall", "gone").name == "dual_layer"
    with pytest.raises(InvalidInput, match="known are dual_layer, grounded, six_factor"):
        found.get("gone")


def test_a_mapping_to_nowhere_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text('version = 1\ndefault = "grounded"\n[campaigns]\nfall = "gone"\n')
    with pytest.raises(ConfigurationError, match=r"profiles\.toml: campaigns\.fall: must be among .* \(line 4\)"):
        profiles(tmp_path)


def test_an_offer_that_names_a_profile_that_is_gone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "offer.toml").write_text('version = 1\n[profiles]\nfall = "gone"\n')
    with pytest.raises(ConfigurationError, match=r"offer\.toml: profiles\.fall: must be among .* \(line 3\)"):
        offer_file(tmp_path)


def test_a_copy_that_keeps_the_name_of_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scoring").mkdir()
    (tmp_path / "scoring/custom.toml").write_text(defaults.text("scoring/grounded.toml"))
    said = r"scoring/custom\.toml: name: must be that of the file, custom: .* \(line 5\)"
    with pytest.raises(ConfigurationError, match=said):
        profiles(tmp_path)
    assert [name for name, wrong in check_files(tmp_path) if wrong] == ["scoring/custom.toml"]


def test_a_profile_of_theirs_is_found_and_checked(tmp_path: Path) -> None:
    (tmp_path / "scoring").mkdir()
    ours = defaults.text("scoring/six_factor.toml")
    (tmp_path / "scoring/mine.toml").write_text(ours.replace('"six_factor"', '"mine"'))
    assert profiles(tmp_path).get("mine").label == "mine@2"
    (tmp_path / "scoring/broken.toml").write_text("name = 3\n")
    wrong = {name: said for name, said in check_files(tmp_path) if said}
    assert list(wrong) == ["scoring/broken.toml"]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("six_factor", "at_least = 100,", "at_least = 99,", r"factors\.4\.bands: .*band 0 overlaps .*line 74"),
        ("six_factor", "capped = true", "", r"factors: .*must add up to 100, they make 145"),
        ("six_factor", "capped = true", "capped = true\nbonus = 1", r"no such key here; allowed: capped,.*\(line 8\)"),
        ("dual_layer", "role = 15, industry", "role = 20, industry", r"fallback 2 is never reached"),
        ("dual_layer", "{ role = 10 }", "{ job = 10 }", r"must name a factor before it: role, industry, completeness"),
        ("dual_layer", "{ industry = 12 }", "{ industry = 21 }", r"can never be reached; industry has at most 20"),
        ("dual_layer", "{ at_least = 45, at_most = 50 }", "{ at_least = 51, at_most = 50 }", r"at_most must not"),
        ("dual_layer", '"consulting"', '"saas"', r"factors\.1\.groups: .*listed twice"),
        ("grounded", "\nsoftware = 10", "\nSofware = 10",
         r"factors\.1\.points\.Sofware: no lead .*did you mean `software`\? allowed: aerospace,.*\(line 29\)"),
        ("grounded", "c_level = 15", "c_levl = 15",
         r"factors\.0\.points\.c_levl: .*did you mean `c_level`\? allowed: c_level, director,.*\(line 19\)"),
        ("grounded", "at_least = 50, at_most = 199", "at_least = 60, at_most = 199",
         r"factors\.2: bands\.2: 50 to 59 is in no band, .* ends at 49; .*`other`.*\(line 59\)"),
        ("grounded", "at_least = 50, at_most = 199", "at_least = 51, at_most = 199", r"bands\.2: 50 is in no band"),
        ("grounded", "c_level = 15", "boss = 15", r"factors\.0\.points\.boss: no lead has this key; allowed: c_level"),
        ("grounded", 'fact = "industry"', 'fact = "country"', r"points\.aerospace: .*allowed: codes of ISO 3166-1"),
        ("grounded", 'fact = "industry"', 'fact = "department"', r"points\.aerospace: .*allowed: .*finance,"),
        ("six_factor", 'kind = "similarity"', 'kind = "engagement"\npoints = { visits = 9 }',
         r"factors\.5\.points\.visits: no lead has this key; allowed: submissions"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    (tmp_path / "scoring").mkdir()
    text = defaults.text(f"scoring/{name}.toml")
    assert old in text
    (tmp_path / f"scoring/{name}.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=said):
        profiles(tmp_path)
    (where,) = (told for file, told in check_files(tmp_path) if told and file.startswith("scoring/"))
    assert re.search(said, where)


def test_a_gap_between_bands_is_worth_what_other_says(tmp_path: Path) -> None:
    text = defaults.text("scoring/grounded.toml").replace(
        "at_least = 50, at_most = 199", "at_least = 60, at_most = 199"
    )
    (tmp_path / "scoring").mkdir()
    (tmp_path / "scoring/grounded.toml").write_text(text.replace('kind = "band"', 'kind = "band"\nother = 2'))
    profile = profiles(tmp_path).get("grounded")
    lines = score(profile, LeadFacts(campaign_id="default", headcount=55), None, VOCABULARY).factors
    assert [(line.points, line.reason) for line in lines if line.name == "size"] == [(2, "headcount is in no band")]


def test_a_wrong_fact_of_completeness_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "scoring").mkdir()
    text = defaults.text("scoring/grounded.toml").replace("phone = 2", "fone = 2")
    (tmp_path / "scoring/grounded.toml").write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        profiles(tmp_path)
    assert [fault.pointer for fault in refused.value.faults] == ["factors.4.points.fone"]
    assert refused.value.detail.count("fone") == 1
    assert "'phone'" in refused.value.detail


TEXT = """a = 1
[b]
c = [ # "why" is told here, it's no [ string
    { d = 1 },
    { d = 2 },
]
"e.f" = 2
[[g]]
h = 1
[[g]]
h = 2
[g.i]
j.k = 3
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1), (("b",), 2), (("b", "c"), 3), (("b", "c", 1), 5), (("b", "c", 1, "d"), 5), (("b", "e.f"), 7),
        (("g", 0, "h"), 9), (("g", 1, "h"), 11), (("g", 1, "kind", "i", "j", "k"), 13), (("g", 1), 10), (("zz",), None),
        ((), None),
    ],
)  # fmt: skip
def test_the_line_of_a_key_path(path: tuple[str | int, ...], line: int | None) -> None:
    assert line_of(TEXT, path) == line
