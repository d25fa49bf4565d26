"""Scoring profiles as files: held against the words of vocabulary.toml, and against the name of their file."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from revenueflow import defaults
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.scoring.profile import Profile
from revenueflow.scoring.words import KeyPath, strange_keys


def published(name: str, folder: Path | None) -> Profile:
    """scoring/NAME.toml, whose `name` is NAME: scores are kept under it, so no two files may have the same.

    Raises ConfigurationError with the file, each key path and its line.
    """
    file = f"scoring/{name}.toml"
    given, path = defaults.text(file, folder), defaults.locate(file, folder)
    profile = parse(given, path, folder)
    if profile.name != name:
        said = f"must be that of the file, {name}: scores are kept under it; or name the file {profile.name}.toml"
        raise defaults.refused(given, path, [(("name",), said)])
    return profile


def draft(path: Path, folder: Path | None) -> Profile:
    """The profile in a file anywhere, read anew each time. Raises ConfigurationError as `published` does."""
    return parse(defaults.text_of(path), path, folder)


def parse(given: str, path: Path, folder: Path | None) -> Profile:
    """A profile as TOML; `path` is what errors name, `folder` has the vocabulary, or else ours goes.

    Raises ConfigurationError as `published` does.
    """
    profile = defaults.parse(Profile, given, path)
    wrong = list(strange_keys(profile, defaults.load(Vocabulary, "vocabulary.toml", folder)))
    if wrong:
        raise defaults.refused(given, path, [(_as_written(given, place), said) for place, said in wrong])
    return profile


def _as_written(given: str, place: Sequence[str | int]) -> KeyPath:
    """A path whose last key is folded, as it stands in the file."""
    table = tomllib.loads(given)
    for part in place[:-1]:
        table = table[part]  # type: ignore[index]  # a list by its number, a table by its key
    return *place[:-1], next(key for key in table if key.casefold() == place[-1])
