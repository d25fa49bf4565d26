"""Folders for a server that runs as another user than we do.

PostgreSQL refuses to run as root. As root we run it as `nobody` (or as the owner of the data that is already
there), who must reach its programs and its data: a home such as /root is closed to it. What is out of reach
is placed under the first usable of SHARED_PLACES instead.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

from revenueflow.devserver.binaries import PostgresBinaries
from revenueflow.devserver.children import Identity
from revenueflow.devserver.errors import DataDirUnusable

SHARED_PLACES = (Path("/var/lib/revenueflow"), Path("/var/tmp/revenueflow"))  # noqa: S108 ownership is checked
"""Owned by root, open to nobody's reading. /var/tmp is for systems whose /var/lib is read-only."""


def server_identity(existing: Path) -> Identity | None:
    """The user to run a server as: None is ourselves; as root, the owner of `existing` data, or nobody."""
    if os.geteuid() != 0:
        _require_ours(existing)
        return None
    if existing.exists() and existing.stat().st_uid != 0:
        return Identity(existing.stat().st_uid, existing.stat().st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise DataDirUnusable("PostgreSQL does not run as root, and this system has no user `nobody`.") from None
    return Identity(nobody.pw_uid, nobody.pw_gid)


def reachable(path: Path, identity: Identity) -> bool:
    """Whether `identity` may pass every folder down to `path` and enter it; by owner, group and mode bits."""
    path = path.resolve()
    return all(_may_pass(folder, identity) for folder in (path, *path.parents))


def make_folder(path: Path, identity: Identity | None) -> Path:
    """Make `path` and what is missing above it: private to us, or passable for `identity`."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700 if identity is None else 0o711)
    return path


def place_data(link: Path, identity: Identity | None) -> Path:
    """The real folder for the data known as `link`; the parent exists, the folder itself perhaps not yet.

    When `link` is out of reach it becomes a symbolic link to a folder in a shared place. The link is the only
    record of that folder, so removing the data directory starts afresh and never meets older data.
    """
    if link.is_symlink():
        make_folder(link.resolve().parent, identity)
        return link.resolve()
    if identity is None or link.exists() or reachable(link.parent, identity):
        return link.resolve()
    home = make_folder(_shared_place(identity) / "data" / secrets.token_hex(8), identity)
    link.symlink_to(home / link.name)
    return home / link.name


def give(path: Path, identity: Identity | None) -> None:
    """Make `identity` the owner of `path`."""
    if identity is None:
        return
    try:
        os.chown(path, identity.uid, identity.gid)
    except OSError as error:
        raise DataDirUnusable(
            f"Running as root, PostgreSQL needs a second user, and {path} can't be given to user "
            f"{identity.uid} ({error.strerror}). In a container with one user only, don't be root."
        ) from error


def remove_data(link: Path) -> None:
    """Remove the data known as `link`, wherever it was placed."""
    if link.is_symlink():
        shutil.rmtree(link.resolve().parent, ignore_errors=True)
        link.unlink()
    elif link.exists():
        shutil.rmtree(link)


def runnable_bin(found: PostgresBinaries, identity: Identity | None) -> Path:
    """The folder of programs that `identity` can run: the one found, or a copy in a shared place.

    The copy is made once for each version and appears by a rename, so starters that race see all of it or
    none.
    """
    if identity is None or _all_readable(found.bin, identity):
        return found.bin
    if found.package is None or found.key is None:
        raise DataDirUnusable(f"{found.bin} can't be reached by the user {identity.uid} that PostgreSQL runs as.")
    home = make_folder(_shared_place(identity) / "bin", identity)
    if not (home / found.key).exists():
        _copy(found.package, home / found.key)
    return home / found.key / found.package.name / found.bin.relative_to(found.package)


def _copy(package: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}")
    skipped = shutil.ignore_patterns("include", "__pycache__", "*.py")
    shutil.copytree(package, partial / package.name, symlinks=True, ignore=skipped)
    libraries = package.with_name(f"{package.name}.libs")  # where a Linux wheel keeps them, found by a relative path
    if libraries.is_dir():
        shutil.copytree(libraries, partial / libraries.name, symlinks=True)
    _open_for_reading(partial)
    try:
        partial.rename(target)
    except OSError:
        shutil.rmtree(partial)
        if not target.exists():
            raise


def _open_for_reading(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _shared_place(identity: Identity, places: Iterable[Path] | None = None) -> Path:
    tried = tuple(SHARED_PLACES if places is None else places)
    for place in tried:
        try:
            make_folder(place, identity)
        except OSError:
            continue
        state = place.stat()
        if state.st_uid == os.geteuid() and not state.st_mode & 0o022 and reachable(place, identity):
            return place
    raise DataDirUnusable(
        f"Running as root, PostgreSQL needs a folder that user {identity.uid} can reach, and none of "
        f"{', '.join(map(str, tried))} can be used. Choose another data directory, or don't be root."
    )


def _may_pass(folder: Path, identity: Identity) -> bool:
    state = folder.stat()
    return _has_bit(state, identity, 0o1)


def _all_readable(folder: Path, identity: Identity) -> bool:
    return reachable(folder, identity) and all(
        _has_bit(path.stat(), identity, 0o5) for path in (folder / "postgres", folder / "initdb")
    )


def _has_bit(state: os.stat_result, identity: Identity, bits: int) -> bool:
    if state.st_uid == identity.uid:
        return state.st_mode >> 6 & bits == bits
    if state.st_gid == identity.gid:
        return state.st_mode >> 3 & bits == bits
    return state.st_mode & bits == bits


def _require_ours(existing: Path) -> None:
    if existing.exists() and existing.stat().st_uid != os.geteuid():
        raise DataDirUnusable(
            f"{existing} belongs to user {existing.stat().st_uid}, not to us. It was probably made by root: "
            "start as root again, or choose another data directory."
        )
