"""Records as tables of lists, and what the readers of facts say of a statement about them."""

from __future__ import annotations

from datetime import date

from pydantic import JsonValue

from revenueflow.grounding.checks.free.facts import facts
from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.parts import Part

SINGER: JsonValue = {
    "title": ["Mira Tan"],
    "Born": ["Mira Ines Tan , (1970-10-12) October 12, 1970 (age 48) , Lyon, France"],
    "Years active": ["1991 - 2003", "2008 - present"],
    "Labels": ["Halo", "Northsea", "Ember"],
    "Genres": ["Jazz", "Soul"],
    "Instruments": ["Vocals", "piano"],
    "Spouse(s)": ["Jon Berg ( m. 1994; div. 2001)", "Leo Moss ( m. 2010)"],
    "Children": ["3, including Ana Berg"],
    "Occupation(s)": ["Singer", "songwriter"],
}
PAINTER: JsonValue = {
    "title": ["Otto Kranz"],
    "Born": ["6 October 1852 Graz, Austria"],
    "Died": ["29 August 1900 (1900-08-29) (aged 47) Turin, Italy"],
}
FILM: JsonValue = {
    "title": ["Low Tide"],
    "Directed by": ["Ada Quist"],
    "Written by": ["Ada Quist"],
    "Produced by": ["Ravi Sen", "Tom Hale"],
    "Edited by": ["Nell Ford"],
    "Starring": ["Pia Lund", "Sam Okoye"],
    "Release date": ["20 November 2002 (United Kingdom)", "22 November 2002 (United States)"],
    "Running time": ["133 minutes"],
    "Country": ["United Kingdom"],
    "Language": ["English"],
    "Budget": ["$145 million"],
    "Box office": ["$120.5 million"],
}
ALBUM: JsonValue = {
    "title": ["Glass Rain"],
    "Released": ["13 May 1985"],
    "Recorded": ["1983 - 1984"],
    "Length": ["46:21"],
    "Label": ["Halo"],
    "Producer": ["Tom Hale"],
}
PICTURE: JsonValue = {"title": ["The Ferry"], "Artist": ["Otto Kranz"], "Year": ["1888"], "Medium": ["Oil on canvas"]}


def finding(record: JsonValue, statement: str, as_of: date | None = None) -> Finding | None:
    return facts(Part(statement), Leaves({"E1": record}, as_of=as_of))


def stance(record: JsonValue, statement: str) -> Stance | None:
    found = finding(record, statement)
    return found.stance if found else None
