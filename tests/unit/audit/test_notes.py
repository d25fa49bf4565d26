"""Signed checkpoints: what is signed is read, anything else is nothing."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from revenueflow.audit import checkpoint_file, keys
from revenueflow.audit.merkle import EMPTY
from revenueflow.audit.notes import ORIGIN, Checkpoint, Signer, Verifier, read
from revenueflow.errors import ConfigurationError, Unavailable

SIGNER = Signer(bytes(range(32)))
NOTE = SIGNER.sign(Checkpoint(7, EMPTY))


def test_a_note_has_the_form_of_c2sp() -> None:
    text, signature = NOTE.split("\n\n")
    assert text.split("\n") == [ORIGIN, "7", base64.b64encode(EMPTY).decode()]
    assert signature.startswith(f"— {ORIGIN} ")
    assert read(NOTE, (Verifier.parse(str(SIGNER.verifier)),)) == Checkpoint(7, EMPTY)


@pytest.mark.parametrize(
    "forged",
    [
        NOTE.replace("\n7\n", "\n8\n"), NOTE.replace(ORIGIN, "somebody/else", 1), NOTE[:-6], "",
        NOTE.partition("\n\n")[0],
        NOTE.replace("— ", "- "), NOTE.replace("\n7\n", "\n07\n"), NOTE * 2000, Signer.new().sign(Checkpoint(7, EMPTY)),
    ],
)  # fmt: skip
def test_a_note_that_is_not_ours_is_none(forged: str) -> None:
    assert read(forged, (SIGNER.verifier,)) is None


def test_another_trails_text_is_no_checkpoint_though_our_key_signed_it() -> None:
    class Other(Checkpoint):
        text = "somebody/else\n7\nAAAA\n"

    assert read(SIGNER.sign(Other(7, EMPTY)), (SIGNER.verifier,)) is None


def test_a_retired_key_still_verifies(tmp_path: Path) -> None:
    file = tmp_path / "audit.key"
    keys.write(file)
    old = keys.signer(file).sign(Checkpoint(1, EMPTY))
    file.rename(tmp_path / "old")
    keys.write(file)
    new = keys.signer(file).sign(Checkpoint(2, EMPTY))
    assert [found and found.size for found in (read(old, keys.verifiers(file)), read(new, keys.verifiers(file)))] == [
        1,
        2,
    ]
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        keys.write(file)


@pytest.mark.parametrize("content", ["", "x", str(SIGNER.verifier), SIGNER.secret.replace("+", "-"), "ü"])
def test_a_file_without_a_key_is_refused_without_its_content(tmp_path: Path, content: str) -> None:
    file = tmp_path / "audit.key"
    file.write_text(content, encoding="utf-8")
    keys.public_file(file).write_text(content if "PRIVATE" in content else "x")
    with pytest.raises(ConfigurationError) as caught:
        keys.signer(file)
    assert not content or content not in str(caught.value)
    with pytest.raises(ConfigurationError):
        keys.verifiers(file)
    with pytest.raises(ConfigurationError, match="is not set"):
        keys.signer(None)
    with pytest.raises(ConfigurationError, match="can't be read"):
        keys.signer(tmp_path / "none")


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "checkpoints.jsonl"
    checkpoint_file.append(file, NOTE, "2026-11-21T00:00:00.000000Z")
    with file.open("ab") as torn:
        torn.write(b'{"at":"2026')
    checkpoint_file.append(file, NOTE, "2026-11-21T00:01:00.000000Z")
    assert checkpoint_file.notes(file) == [NOTE, NOTE]
    with pytest.raises(Unavailable):
        checkpoint_file.append(tmp_path / "no" / "folder", NOTE, "")
    with pytest.raises(Unavailable):
        checkpoint_file.notes(tmp_path / "none")
