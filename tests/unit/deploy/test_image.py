"""deploy/Dockerfile: what the lock file says, and not as root."""

from __future__ import annotations

import re
from fnmatch import fnmatch

from tests.unit.deploy import ROOT

TEXT = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """(INSTRUCTION, the rest) with continued lines joined, comments left out."""
    lines = [line for line in TEXT.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = (line.split(None, 1) for line in joined.splitlines())
    return [(name.upper(), rest) for name, rest in found]


def of(kind: str) -> list[str]:
    return [rest for name, rest in instructions() if name == kind]


def last_stage() -> list[tuple[str, str]]:
    everything = instructions()
    start = max(i for i, (name, _) in enumerate(everything) if name == "FROM")
    return everything[start:]


def test_is_built_in_stages_on_a_pinned_base() -> None:
    (base,) = (default for name, default in (a.split("=") for a in of("ARG")) if name == "PYTHON_IMAGE")
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base)
    assert [line.split(" AS ") for line in of("FROM")] == [
        ["${PYTHON_IMAGE}", "build"],
        ["${PYTHON_IMAGE}", "runtime"],
    ]


def test_installs_exactly_what_the_lock_file_says() -> None:
    syncs = [run for run in of("RUN") if run.startswith("uv ")]
    assert len(syncs) == 2
    assert all(re.match(r"uv sync --frozen --no-dev\b", run) for run in syncs)
    assert "--no-install-project" in syncs[0]
    assert "--no-editable" in syncs[1], "an editable install would point at the build stage"
    installed = [run for run in of("RUN") if re.search(r"\bpip3? install|apt-get install", run)]
    assert installed == ['pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}"']


def test_uv_is_the_one_that_everybody_uses() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (ours,) = re.findall(r"^UV_VERSION := (\S+)$", makefile, re.MULTILINE)
    assert f"UV_VERSION={ours}" in of("ARG")


def test_the_lock_file_comes_before_the_sources() -> None:
    order = [rest for name, rest in instructions() if name in ("COPY", "RUN")]
    locked = next(i for i, rest in enumerate(order) if "uv.lock" in rest)
    sources = next(i for i, rest in enumerate(order) if rest.startswith("revenueflow"))
    assert locked < sources


def test_ends_as_a_user_that_is_not_root() -> None:
    users = [rest for name, rest in last_stage() if name == "USER"]
    assert users == ["10001:10001"]
    names = [name for name, _ in last_stage()]
    assert "RUN" not in names[names.index("USER") :]


def test_folders_for_state_belong_to_that_user() -> None:
    (prepared,) = [rest for name, rest in last_stage() if name == "RUN"]
    for folder in ("spool", "identity", "audit", "checkpoints"):
        assert f"/var/lib/revenueflow/{folder}" in prepared
    assert "-o 10001 -g 10001 -m 0700" in prepared


def test_runs_our_program_and_says_whether_it_is_healthy() -> None:
    stage = dict(last_stage())
    assert stage["ENTRYPOINT"] == '["revenueflow"]'
    assert stage["CMD"] == '["serve", "api"]'
    assert "/livez" in stage["HEALTHCHECK"]
    assert "NONE" not in stage["HEALTHCHECK"]


def test_what_is_copied_exists_and_is_let_through() -> None:
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    allowed = [line[1:] for line in patterns if line.startswith("!")]
    for copied in of("COPY"):
        if copied.startswith("--from="):
            continue
        for source in copied.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert "*" not in patterns or any(fnmatch(source, pattern) for pattern in allowed), source
    assert of("ADD") == []
