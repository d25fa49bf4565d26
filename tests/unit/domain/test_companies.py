"""Names of companies: what tells them apart, and what doesn't."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revenueflow import defaults
from revenueflow.domain.companies import THRESHOLD, match_score, normal_company, same_company
from revenueflow.domain.company_names import LegalForms
from revenueflow.domain.transliteration import latin
from revenueflow.errors import ConfigurationError

PAIRS = Path(__file__).parents[2] / "data" / "company_pairs.jsonl"
NAMES = [json.loads(line)["name1"] for line in PAIRS.read_text(encoding="utf-8").splitlines()]
WORDS = [
    "GmbH",
    "& Co.",
    "KG",
    "A.G.",
    "S p A",
    "ООО",
    "(publ)",
    "株式会社",
    "The",
    "II",
    "1st",
    "Nord's",
    "Ärzte",
    "e.V.",
    "Ltd",
    "of",
    "x",
]
texts = st.text() | st.sampled_from(NAMES) | st.lists(st.sampled_from(WORDS)).map(" ".join)


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("Siemens Aktiengesellschaft", "siemens"),
        ("SiemensAG", "siemens"),
        ("Müller & Söhne GmbH & Co. KG", "muller sohne"),
        ("ООО «Ромашка»", "romashka"),
        ("AB Volvo (publ)", "volvo"),
        ("Ferrari S.p.A.", "ferrari"),
        ("Foo sp. z o.o.", "foo"),
        ("株式会社ソニー", "ソニー"),
        ("SAS Institute Inc.", "sas institute"),
        ("J. P. Morgan & Co", "jp morgan"),
        ("Nordwind Aktiengeselschaft", "nordwind"),
        ("Gulf Cooperation", "gulf cooperation"),
        ("GmbH", "gmbh"),
        ("", ""),
        (" ?! ", ""),
    ],
)
def test_normal_company(name: str, normal: str) -> None:
    assert normal_company(name) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme GmbH", "ACME Gesellschaft mit beschränkter Haftung"),
        ("Acme GmbH", "Acme Inc."),
        ("Acme", "Acme Holding"),
        ("Acme (Schweiz) AG", "Acme AG"),
        ("Acme Deutschland", "Acme Germany Ltd"),
        ("Second Acme Bank", "2nd Acme Bank"),
        ("Acme Fund I", "Acme Fund"),
        ("Acme Werk 44", "Acme Werk Forty Four"),
        ("United Space Freight", "USF"),
        ("Van der Berg", "Vanderberg"),
        ("Logistik Acme", "Acme Logistik"),
        ("Αλφα Α.Ε.", "Alfa AE"),
        ("M&N", "Mono & Nono"),
    ],
)
def test_one_company(one: str, other: str) -> None:
    assert same_company(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Volkswagen AG", "Siemens AG"),
        ("Bank of America", "Bank of Canada"),
        ("Acme Fund II", "Acme Fund III"),
        ("Acme 2000", "Acme 2001"),
        ("1&1", "11"),
        ("Acme Austria", "Acme Australia"),
        ("Acme (Asia) Ltd", "Acme (France) Ltd"),
        ("Acme", "Acme Chile"),
        ("Acme Systems", "Acme Services"),
        ("Acme Software", "Acme"),
        ("ABB", "ABN"),
        ("Acme GmbH", "Acme e.V."),
        ("MN", "Mono Nono"),
        ("", ""),
        ("GmbH", "AG"),
    ],
)
def test_two_companies(one: str, other: str) -> None:
    assert not same_company(one, other)


def test_the_pairs_of_the_regression_set() -> None:
    wrong = []
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        if same_company(pair["name1"], pair["name2"]) != pair["is_match"]:
            wrong.append(line)
    assert len(wrong) <= 3, wrong


@given(texts)
@example("Foo AG (publ) Ltd")
@example("a.b c")
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normal_company(normal_company(text)) == normal_company(text)


@given(texts)
def test_letters_normalised_twice_are_the_same(text: str) -> None:
    assert latin(latin(text)) == latin(text)


@given(texts, texts)
def test_scores_are_symmetric_and_within_bounds(one: str, other: str) -> None:
    score = match_score(one, other)
    assert 0.0 <= score <= 1.0
    assert score == match_score(other, one)
    assert same_company(one, other) == (score >= THRESHOLD)


@given(texts)
def test_a_name_is_the_same_as_itself(text: str) -> None:
    assert same_company(text, text) == bool(text.strip())


def test_a_spelling_of_two_forms_is_an_error(tmp_path: Path) -> None:
    text = defaults.text("legal_forms.toml").replace("[forms]\n", '[forms]\nnew = ["GmbH"]\n', 1)
    (tmp_path / "legal_forms.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="gmbh"):
        defaults.load(LegalForms, "legal_forms.toml", tmp_path)
