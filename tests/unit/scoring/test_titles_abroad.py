"""Titles in other languages than English: one table for every profile; the English tables stay as they are."""

from __future__ import annotations

import pytest

from revenueflow import defaults
from revenueflow.domain.lead import LeadForm
from revenueflow.domain.phrases import words
from revenueflow.domain.vocabulary import SENIORITIES, Vocabulary
from revenueflow.enrichment.form_facts import FormFacts
from revenueflow.scoring.profile import KeywordFactor, Profile
from revenueflow.scoring.score import score

WORDS = defaults.load(Vocabulary, "vocabulary.toml")
GROUNDED, DUAL = (defaults.load(Profile, f"scoring/{name}.toml") for name in ("grounded", "dual_layer"))
FACTS = FormFacts(WORDS)
POINTS = {"c_level": (15, 20), "vp": (13, 15), "director": (11, 15), "manager": (7, 10), "individual": (2, 0)}
"""By level: what `grounded` and `dual_layer` give."""
LEVELS = {
    "c_level": [
        "Geschäftsführer", "Geschäftsführerin", "Geschäftsführer:in (m/w/d)", "Vorständin", "Finanzvorstand",
        "Inhaberin", "Mitgründerin", "Directrice générale", "PDG", "Gérante", "Cofondatrice", "Directora General",
        "Consejero Delegado", "Gerente General", "Dueña", "Amministratore delegato", "Titolare", "Fondatrice",
        "Imprenditrice", "Diretora Executiva", "Sócio-gerente", "Proprietário", "Algemeen directeur",
        "Zaakvoerder", "Eigenaar", "Mede-oprichter",
    ],
    "vp": [
        "Vizepräsidentin Vertrieb", "Vicepresidenta", "Vice-présidente", "Vice-presidente de vendas",
    ],
    "director": [
        "Leiter Einkauf", "Leiterin IT", "Vertriebsleiterin", "Bereichsleiter", "Hauptabteilungsleiter",
        "Hauptabteilungsleiterin", "Hauptabteilungsleitung Einkauf", "Prokurist", "Prokuristin", "Prokurist:in",
        "Directeur commercial", "Directora de Marketing", "Subdirector", "Direttrice vendite", "Dirigente",
        "Diretor comercial", "Hoofd Inkoop", "Adjunct-directeur", "Marketingdirecteur",
    ],
    "manager": [
        "Abteilungsleiter Marketing", "Abteilungsleiterin Buchhaltung", "Abteilungsleitung", "Teamleiterin",
        "Projektleiter", "Filialleiterin", "Serviceteamleiter", "Schichtleitung", "Eventmanagerin",
        "Responsable des achats", "Chef de projet", "Jefe de Compras", "Jefa de ventas", "Gerente de Ventas",
        "Encargada", "Responsabile acquisti", "Capo reparto", "Encarregado", "Teamleider", "Afdelingshoofd",
        "Bedrijfsleider",
    ],
    "individual": [
        "Assistentin der Geschäftsführung", "Sachbearbeiter", "Einkäuferin", "Werkstudentin", "Impiegata",
        "Estagiário", "Medewerker", "Sekretärin",
    ],
}  # fmt: skip


def points(profile: Profile, title: str) -> int:
    found = score(profile, FACTS.of(LeadForm(title=title)), None, WORDS)
    return next(line.points for line in found.factors if line.name == "role")


@pytest.mark.parametrize(("level", "title"), [(level, one) for level, titles in LEVELS.items() for one in titles])
def test_every_profile_sees_the_same_level(level: str, title: str) -> None:
    assert WORDS.seniority(title) == level
    assert (points(GROUNDED, title), points(DUAL, title)) == POINTS[level]


def test_the_whole_table_is_agreed_on() -> None:
    for level, titles in WORDS.title_levels.items():
        for title in titles:
            assert (points(GROUNDED, title), points(DUAL, title)) == POINTS[level], title


def test_no_word_of_it_is_one_of_the_english_tables() -> None:
    (role,) = (one for one in DUAL.factors if isinstance(one, KeywordFactor) and one.fact == "title")
    english = {words(one) for one in role.worth} | {
        words(one) for one in ("president", "supervisor", "chef", "partner")
    }
    assert not {one for titles in WORDS.title_levels.values() for one in titles if words(one) in english}


@pytest.mark.parametrize(
    ("title", "worth"),
    [
        ("Director of Sales", 15), ("Chief Wizard", 20), ("Senior Director", 15), ("Product Manager", 10),
        ("Architect", 10), ("President", 0), ("Supervisor", 0), ("Managing Director", 15), ("Senior Berater", 10),
        ("Architektin", 10), ("Manager Vertrieb", 10), ("Board Member", 0), ("Team Leader", 0),
    ],
)  # fmt: skip
def test_the_english_table_stays_as_it_was_published(title: str, worth: int) -> None:
    assert points(DUAL, title) == worth


def test_a_level_is_that_of_a_title() -> None:
    good = {"kind": "keyword", "name": "role", "maximum": 20, "groups": [{"points": 20, "phrases": ["ceo"]}]}
    KeywordFactor.model_validate(good | {"fact": "title", "levels": {"vp": 15}})
    for wrong, said in (
        ({"fact": "company", "levels": {"vp": 15}}, "those of a title"),
        ({"fact": "title", "levels": {"boss": 15}}, "c_level"),
        ({"fact": "title", "levels": {"vp": 21}}, "can be reached is 21"),
    ):
        with pytest.raises(ValueError, match=said):
            KeywordFactor.model_validate(good | wrong)


def test_the_words_for_levels_are_the_known_ones() -> None:
    assert set(WORDS.title_levels) == set(SENIORITIES)
