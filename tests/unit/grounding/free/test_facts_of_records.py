"""Statements over tables of key and values: agreed, denied, or left to others."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from revenueflow.grounding.checks.free.facts import absent
from revenueflow.grounding.free.finding import Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.parts import Part
from tests.unit.grounding.free.record import ALBUM, FILM, PAINTER, PICTURE, SINGER, finding, stance

TIME = [
    (SINGER, "Mira Tan was born in 1970."),
    (SINGER, "Mira Tan was born in the fall of 1970."),
    (SINGER, "Mira Tan was born before 1980."),
    (SINGER, "Mira Tan was born in the 20th century."),
    (SINGER, "Mira Tan has been active since the 1990s."),
    (SINGER, "Mira Tan started her career in her twenties."),
    (SINGER, "Mira Tan is still active."),
    (SINGER, "Mira Tan has been active for over 20 years."),
    (PAINTER, "Otto Kranz died in the summer of 1900."),
    (PAINTER, "Otto Kranz died at the age of 47."),
    (PAINTER, "Otto Kranz died in his forties."),
    (PICTURE, "The Ferry was painted in the late 19th century."),
    (ALBUM, "Glass Rain was released in the 1980s."),
]
NOT_TIME = [
    (SINGER, "Mira Tan was born in 1971."),
    (SINGER, "Mira Tan was born in the spring of 1970."),
    (SINGER, "Mira Tan was born after 1980."),
    (SINGER, "Mira Tan was born in the 19th century."),
    (SINGER, "Mira Tan started her career in her thirties."),
    (SINGER, "Mira Tan has retired from music."),
    (SINGER, "Mira Tan has been active for less than a decade."),
    (SINGER, "Mira Tan has performed continuously since 1991."),
    (SINGER, "Mira Tan passed away."),
    (SINGER, "Mira Tan was married to Jon Berg for over 15 years."),
    (SINGER, "Mira Tan married Leo Moss in her twenties."),
    (PAINTER, "Otto Kranz is still alive."),
    (PAINTER, "Otto Kranz died when he was 60 years old."),
    (PAINTER, "Otto Kranz died in the winter."),
    (PAINTER, "Otto Kranz died after 1901."),
    (ALBUM, "Glass Rain was released in the 1970s."),
    (FILM, "Low Tide was released in the United States before the United Kingdom."),
    (FILM, "Low Tide was released simultaneously in the UK and the US."),
]
NUMBERS = [
    (SINGER, "Mira Tan has been with three labels."),
    (SINGER, "Mira Tan has at least two labels."),
    (SINGER, "Mira Tan has three children."),
    (FILM, "Low Tide has a running time of over two hours."),
    (FILM, "Low Tide grossed over 100 million dollars."),
    (ALBUM, "Glass Rain is less than an hour long."),
]
NOT_NUMBERS = [
    (SINGER, "Mira Tan has been with five labels."),
    (SINGER, "Mira Tan was on a single label."),
    (SINGER, "Mira Tan has only one label."),
    (SINGER, "Mira Tan has always been on the same label."),
    (SINGER, "Mira Tan has no children."),
    (SINGER, "Mira Tan has more than four children."),
    (SINGER, "Mira Tan has five sons."),
    (ALBUM, "Glass Rain had several producers."),
    (ALBUM, "Glass Rain was over an hour long."),
    (FILM, "Low Tide runs for less than two hours."),
    (FILM, "Low Tide made a profit at the box office."),
    (FILM, "Low Tide had a budget of over 200 million dollars."),
]
NAMES = [
    (FILM, "Low Tide was directed by Ada Quist."),
    (FILM, "Low Tide was written and directed by the same person."),
    (FILM, "Low Tide stars Pia Lund."),
    (SINGER, "Mira Tan was born in France."),
    (PAINTER, "Otto Kranz was born in Europe."),
    (PICTURE, "The Ferry is an oil painting."),
]
NOT_NAMES = [
    (FILM, "Low Tide was directed by Nell Ford."),
    (FILM, "Low Tide was directed and written by Pia Lund."),
    (FILM, "Low Tide was directed and produced by the same person."),
    (FILM, "Low Tide is an Australian film."),
    (SINGER, "Mira Tan was born in Texas."),
    (SINGER, "Mira Tan was born in Asia."),
    (SINGER, "Mira Tan performs metal music."),
    (SINGER, "Mira Tan does not play the piano."),
    (PAINTER, "Otto Kranz died in Spain."),
    (PAINTER, "Otto Kranz was born and died in the same country."),
    (PICTURE, "The Ferry is a mosaic."),
]
OPEN = [
    (SINGER, "Mira Tan may have been born in 1971."),
    (SINGER, "Mira Tan was not born in 1970."),
    (SINGER, "Mira Tan's mother was born in 1940."),
    (SINGER, "Mira Tan had two children with Jon Berg."),
    (SINGER, "Mira Tan was born in 1970 and won many prizes."),
    (SINGER, "Mira Tan is the first singer of Lyon born in 1970."),
    (SINGER, "Mira Tan was born in Villeurbanne."),
    (FILM, "Low Tide was directed by Ada Quirk."),
    (FILM, "Low Tide was loved by Ravi Sen."),
    (ALBUM, "Glass Rain was released by an independent shop."),
    (PAINTER, "Otto Kranz was the best painter of Graz."),
]


@pytest.mark.parametrize(("record", "statement"), TIME + NUMBERS + NAMES)
def test_agreed(record: JsonValue, statement: str) -> None:
    assert stance(record, statement) is Stance.AGREES


@pytest.mark.parametrize(("record", "statement"), NOT_TIME + NOT_NUMBERS + NOT_NAMES)
def test_denied(record: JsonValue, statement: str) -> None:
    assert stance(record, statement) is Stance.DISAGREES


@pytest.mark.parametrize(("record", "statement"), OPEN)
def test_left_to_others(record: JsonValue, statement: str) -> None:
    assert stance(record, statement) is None


def test_a_finding_shows_what_was_said_and_what_is_there() -> None:
    found = finding(PAINTER, "Otto Kranz was born in 1853.")
    assert found is not None
    assert (found.check, found.expected, found.found) == ("dates", "1853", ["1852-10-06"])
    assert [leaf.path for leaf in found.leaves] == [("Born", 0)]
    assert found.score < 0.5


def test_a_state_of_two_letters_is_no_country_and_a_cuisine_no_origin() -> None:
    place: JsonValue = {"name": "Cove", "city": "Santa Rosa", "state": "CA"}
    assert stance(place, "Cove is located in California.") is Stance.AGREES
    assert stance(place, "Cove is located in Canada.") is Stance.DISAGREES
    assert stance(place, "Cove is an Italian restaurant.") is None
    assert stance(place, "Cove serves dishes from American and Thai cuisines.") is None
    assert stance(place, "Cove is a German company.") is Stance.DISAGREES


def test_a_record_may_be_old_so_how_long_it_lasts_is_known_only_downwards() -> None:
    band: JsonValue = {"title": ["Reef"], "Years active": ["2012 - present"]}
    assert stance(band, "Reef has been active for over ten years.") is None
    assert stance({"title": ["Reef"], "Years active": ["1972 - 2012"]}, "Reef was active for less than ten years.") is (
        Stance.DISAGREES
    )


@pytest.mark.parametrize(
    "statement",
    [
        "Mira Tan won many prizes for charity.",
        "Mira Tan likes soul more than jazz.",
        "Mira Tan owns two restaurants abroad.",
    ],
)
def test_what_a_table_says_nothing_about_is_missing(statement: str) -> None:
    found = absent(Part(statement), Leaves({"E1": SINGER}))
    assert found is not None
    assert (found.stance, found.check) == (Stance.MISSING, "absent")
    assert found.score < 0.5


def test_only_a_table_of_short_values_is_taken_for_complete() -> None:
    about: JsonValue = {"title": ["Mira Tan"], "About": ["Mira Tan sings in bars and on ships. " * 20]}
    assert absent(Part("Mira Tan won many prizes for charity."), Leaves({"E1": about})) is None
    assert absent(Part("Mira Tan won many prizes for charity."), Leaves({"E1": "Mira Tan sings."})) is None
    assert absent(Part("Mira Tan won many prizes for charity."), Leaves({"E1": {"name": "Mira Tan"}})) is None
