"""The Merkle tree of RFC 6962, section 2.1, over leaf hashes: its root, and proofs that a leaf is in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that only grows. It keeps one hash for each full subtree: log2(size) of them."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[bytes] = []

    def add(self, leaf_hash: bytes) -> None:
        """Appends a leaf, by its hash."""
        grown, size = leaf_hash, self.size
        while size & 1:
            grown = node(self._full.pop(), grown)
            size >>= 1
        self._full.append(grown)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root of the leaves so far."""
        if not self._full:
            return EMPTY
        *left, found = self._full
        for each in reversed(left):
            found = node(each, found)
        return found


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    tree = Tree()
    for each in leaves:
        tree.add(each)
    return tree.root


def inclusion(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The hashes beside the path from leaf `index` to the root, from the bottom up. Linear in the leaves."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    path, level = [], list(leaves)
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        level = [node(*level[place : place + 2]) if place + 1 < len(level) else level[place] for place in _pairs(level)]
        index >>= 1
    return path


def root_of(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to; None if it has not the length that this place in the tree asks for."""
    found, last, steps = leaf_hash, size - 1, iter(path)
    try:
        while last > 0:
            if index & 1:
                found = node(next(steps), found)
            elif index < last:
                found = node(found, next(steps))
            index, last = index >> 1, last >> 1
    except StopIteration:
        return None
    return found if next(steps, None) is None else None


def _pairs(level: Sequence[bytes]) -> range:
    return range(0, len(level), 2)
