"""A file that asks for too much is a mistake in the configuration, at a terminal: exit code 78, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import cli

DEEP = "a = " + "{a=" * 4000 + "1" + "}" * 4000


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("deep.toml", ("routing", "check", "--rules", "deep.toml")),
        ("deep.toml", ("score", "leads.csv", "--no-ai", "--profile", "deep.toml")),
        ("sla.toml", ("doctor",)),
    ],
)
def test_a_deep_file(tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    (tmp_path / name).write_text(DEEP)
    (tmp_path / "leads.csv").write_text("email\nann@larkvale.example\n")
    ran = cli.run(
        tmp_path, *arguments, REVENUEFLOW_CONFIG_DIR=str(tmp_path), DATABASE_URL="postgresql://a:b@127.0.0.1:1/c",
        REDIS_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip
    assert ran.code == 78, ran.err
    said = next(line for line in f"{ran.out}\n{ran.err}".splitlines() if name in line and "deep" in line)
    assert "arrays and tables must be at most 15 deep (line 1)" in said
    assert "Traceback" not in ran.err
