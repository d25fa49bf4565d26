"""The tree of RFC 6962: its published vectors, and proofs for every leaf of every small tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenueflow.audit.merkle import EMPTY, Tree, inclusion, leaf, root_of

# From the reference implementation of Certificate Transparency.
INPUTS = [
    b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43",
    bytes(range(0x50, 0x58)), bytes(range(0x60, 0x70)),
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATH_OF_FIRST = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]


def test_the_roots_are_those_of_the_published_vectors() -> None:
    tree = Tree()
    assert tree.root == EMPTY
    for data, root in zip(INPUTS, ROOTS, strict=True):
        tree.add(leaf(data))
        assert tree.root.hex() == root
    assert [beside.hex() for beside in inclusion(0, [leaf(data) for data in INPUTS])] == PATH_OF_FIRST


def test_each_leaf_of_each_tree_is_proved_at_its_place_and_no_other() -> None:
    leaves, tree = [], Tree()
    for n in range(1, 34):
        leaves.append(leaf(n.to_bytes(2, "big")))
        tree.add(leaves[-1])
        for index, each in enumerate(leaves):
            path = inclusion(index, leaves)
            assert root_of(each, index, n, path) == tree.root
            others = [other for other in range(n) if other != index]
            assert all(root_of(each, other, n, path) != tree.root for other in others)
            assert root_of(each, index, n, [*path, each]) is None
            assert not path or root_of(each, index, n, path[:-1]) is None


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
def test_a_changed_leaf_has_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    forged = data.draw(st.binary(min_size=32, max_size=32).filter(lambda found: found != leaves[index]))
    true, false = Tree(), Tree()
    for place, each in enumerate(leaves):
        true.add(each)
        false.add(forged if place == index else each)
    assert true.root != false.root
    assert root_of(forged, index, len(leaves), inclusion(index, leaves)) != true.root


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_proof_of_what_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion(index, [EMPTY, EMPTY])
