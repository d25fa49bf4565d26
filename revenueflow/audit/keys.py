"""The files of the key that signs checkpoints: the key itself, and beside it the public keys of all times."""

from __future__ import annotations

import os
from pathlib import Path

from revenueflow.audit.notes import Signer, Verifier
from revenueflow.errors import ConfigurationError

NAME = "REVENUEFLOW_AUDIT_KEY_FILE"


def public_file(path: Path) -> Path:
    """Where the public keys are: one on a line, the newest last. May be published; retired ones stay."""
    return path.with_name(path.name + ".pub")


def write(path: Path) -> Verifier:
    """Makes a fresh key, readable by us alone, and adds its public half. Raises FileExistsError, OSError."""
    signer = Signer.new()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(signer.secret + "\n")
    with public_file(path).open("a", encoding="ascii") as file:
        file.write(f"{signer.verifier}\n")
    return signer.verifier


def signer(path: Path | None) -> Signer:
    """The key that signs. Raises ConfigurationError."""
    try:
        return Signer.parse(_required(path).read_text(encoding="ascii"))
    except OSError:
        raise ConfigurationError(f"{NAME}: the file can't be read") from None
    except ValueError:
        raise ConfigurationError(f"{NAME}: the file holds no key of `revenueflow keys audit`") from None


def verifiers(path: Path | None) -> tuple[Verifier, ...]:
    """The public keys. Raises ConfigurationError."""
    return read_public(public_file(_required(path)))


def read_public(path: Path) -> tuple[Verifier, ...]:
    """The public keys of a file. Raises ConfigurationError."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        found = tuple(Verifier.parse(line) for line in lines if line.strip())
    except OSError:
        raise ConfigurationError(f"{path}: the public keys can't be read") from None
    except ValueError:
        raise ConfigurationError(f"{path}: needs a verifier key of `revenueflow keys audit` on each line") from None
    if not found:
        raise ConfigurationError(f"{path}: holds no verifier key")
    return found


def _required(path: Path | None) -> Path:
    if path is None:
        raise ConfigurationError(f"{NAME}: is not set; `revenueflow keys audit --out FILE` makes one; back it up")
    return path
