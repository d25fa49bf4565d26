"""The files that people edit: ours, or theirs one by one, and errors that lead to the place."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from pydantic import Field

from revenueflow import defaults
from revenueflow.cli.schema import file_name, pretty
from revenueflow.domain.base import Value
from revenueflow.enrichment.rules import EnrichmentRules
from revenueflow.errors import ConfigurationError
from revenueflow.wiring.files import TABLES, check_files, json_schema


class Table(Value):
    """A small one."""

    name: str
    limits: dict[str, int] = Field(default={})


def test_ours_are_right_and_all_of_them_are_checked() -> None:
    checked = dict(check_files(None))
    assert set(checked.values()) == {None}
    on_disk = {
        path.relative_to(defaults.HERE).as_posix()
        for path in defaults.HERE.rglob("*.*")
        if path.suffix in (".toml", ".md")
    }
    unread = {"email_domains.toml", "legal_forms.toml", "naics.toml", "time_zones.toml"}  # not overridden by any folder
    assert on_disk - set(checked) <= unread


def test_a_folder_overrides_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/analyse.md").write_text("theirs: ü", encoding="utf-8")
    assert defaults.text("prompts/analyse.md", tmp_path) == "theirs: ü"
    assert defaults.toml("routing.toml", tmp_path) == defaults.toml("routing.toml")


def test_a_folder_of_that_name_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "routing.toml").mkdir()
    with pytest.raises(ConfigurationError, match=r"routing\.toml: is no file"):
        defaults.locate("routing.toml", tmp_path)


def test_no_such_file() -> None:
    with pytest.raises(ConfigurationError, match=r"^nothing\.toml: no such file"):
        defaults.text("nothing.toml")


def test_what_is_no_toml_names_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text("a = 1\nb = [\n")
    with pytest.raises(ConfigurationError, match=r"t\.toml: not valid TOML: .*(line|end of document)"):
        defaults.toml("t.toml", tmp_path)


def test_what_is_no_text_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_bytes(b'a = "\xff"\n')
    with pytest.raises(ConfigurationError, match=r"t\.toml: not UTF-8"):
        defaults.toml("t.toml", tmp_path)


def test_a_wrong_table_names_file_key_paths_and_no_value(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('extra = "secret"\n[limits]\na = 1\nb = "secret"\n')
    with pytest.raises(ConfigurationError) as caught:
        defaults.load(Table, "t.toml", tmp_path)
    assert str(tmp_path / "t.toml") in str(caught.value)
    assert {fault.pointer for fault in caught.value.faults} == {"name", "extra", "limits.b"}
    assert "secret" not in f"{caught.value} {caught.value.faults}"


@pytest.mark.parametrize("name", [name for name, _ in check_files(None)])
def test_every_file_of_theirs_is_checked_before_the_start(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("nonsense = 1\n" if name.endswith(".toml") else "no front matter")
    wrong = {found: problem for found, problem in check_files(tmp_path) if problem}
    assert list(wrong) == [name]
    assert Path(name).name in str(wrong[name])


@pytest.mark.parametrize("name", TABLES)
def test_the_schema_that_we_ship_is_that_of_the_model_and_our_file_fits_it(name: str) -> None:
    shipped = (defaults.HERE / "schemas" / file_name(name)).read_bytes()
    assert shipped == pretty(json_schema(name)), "run: revenueflow schema --write revenueflow/defaults/schemas"
    jsonschema.validate(defaults.toml(name), json_schema(name), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("answers = 2", "answer = 2", "signals.industry.answer: there is no such key here"),
        ("answers = 2", 'answers = "many"', "signals.industry.answers: Input should be a valid integer"),
        ('"directory", "clearbit"', '"clearbitt"', "clearbitt: must be among directory, clearbit, hunter"),
        ("fresh_days = 90", "fresh_days = -1", "fresh_days: Input should be greater than or equal to 0.01"),
        ("[signals.industry]", "[signals.industries]", "Input should be 'company_name', 'company_domain'"),
        ("[signals.news]", "[signals.message]", "only the form can say it"),
        ("day = 250", "day = -1", "caps.day: Input should be greater than or equal to 0"),
        ("answers = 2", 'only_if = { missing = ["titel"] }', "each must be among email, name, phone"),
        ("answers = 2", 'overwrite = "sometimes"', "Input should be 'never', 'when_blank', 'when_fresher' or 'always'"),
    ],
)
def test_a_wrong_waterfall_names_the_key_and_what_is_allowed(tmp_path: Path, old: str, new: str, told: str) -> None:
    (tmp_path / "enrichment.toml").write_text(defaults.text("enrichment.toml").replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        defaults.load(EnrichmentRules, "enrichment.toml", tmp_path)
    assert told in caught.value.detail
    assert str(tmp_path / "enrichment.toml") in caught.value.detail
