"""Trees and proofs as RFC 6962 says them, against published vectors, and against every kind of tampering."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.kernel import merkle

REFERENCE = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
"""The eight leaves of Certificate Transparency's reference tree."""

ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Its roots at sizes 0 to 8, as published in certificate-transparency's and transparency-dev's tests."""

INCLUSION = [
    (
        5,
        8,
        "QnGia+DYqE8L1UyMMC58s6O10fpngKQLzOKHNHfatlg=",
        [
            "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
            "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
            "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
        ],
    ),
    (2, 3, "ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=", ["+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="]),
    (
        1,
        5,
        "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
        [
            "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=",
            "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
            "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (
        6,
        8,
        [
            "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=",
            "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
            "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
        ],
    ),
    (2, 5, ["Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=", "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="]),
]
"""`happy-path` vectors of github.com/transparency-dev/merkle, testdata (Apache-2.0)."""

LEAVES = [merkle.leaf_hash(leaf) for leaf in REFERENCE]
sizes = st.integers(1, 300)


def tree(size: int) -> list[bytes]:
    return [merkle.leaf_hash(number.to_bytes(4)) for number in range(size)]


def decoded(lines: list[str]) -> list[bytes]:
    return [base64.b64decode(line) for line in lines]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_tree(size: int) -> None:
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "leaf", "proof"), INCLUSION)
def test_inclusion_proofs_are_those_of_transparency_dev(index: int, size: int, leaf: str, proof: list[str]) -> None:
    assert base64.b64decode(leaf) == LEAVES[index]
    assert merkle.inclusion_proof(index, LEAVES[:size]) == decoded(proof)
    assert merkle.verify_inclusion(index, size, LEAVES[index], decoded(proof), bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_consistency_proofs_are_those_of_transparency_dev(old: int, new: int, proof: list[str]) -> None:
    roots = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])

    assert merkle.consistency_proof(old, LEAVES[:new]) == decoded(proof)
    assert merkle.verify_consistency(old, new, decoded(proof), *roots)


def test_every_leaf_of_every_small_tree_has_a_proof_and_no_other_leaf_index_or_size_fits_it() -> None:
    for size in range(1, 34):
        leaves, root = tree(size), merkle.root(tree(size))
        for index in range(size):
            proof = merkle.inclusion_proof(index, leaves)
            fits = [
                (i, s)
                for s in range(-1, 36)
                for i in range(-1, 36)
                if merkle.verify_inclusion(i, s, leaves[index], proof, root)
            ]
            assert (index, size) in fits
            assert {i for i, s in fits if s == size} == {index}


def test_every_pair_of_small_trees_is_consistent_and_fits_no_other_old_size() -> None:
    for new in range(1, 34):
        leaves, root = tree(new), merkle.root(tree(new))
        for old in range(1, new + 1):
            proof, old_root = merkle.consistency_proof(old, leaves), merkle.root(leaves[:old])
            fits = [o for o in range(-1, 36) if merkle.verify_consistency(o, new, proof, old_root, root)]
            assert fits == [old]


@given(sizes, st.data())
def test_an_inclusion_proof_with_any_bit_turned_fails(size: int, data: st.DataObject) -> None:
    leaves = tree(size)
    index = data.draw(st.integers(0, size - 1))
    proof, root = merkle.inclusion_proof(index, leaves), merkle.root(leaves)
    parts = [leaves[index], root, *proof]
    where, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))

    assert merkle.verify_inclusion(index, size, parts[0], parts[2:], parts[1])
    parts[where] = (int.from_bytes(parts[where]) ^ 1 << bit).to_bytes(32)
    assert not merkle.verify_inclusion(index, size, parts[0], parts[2:], parts[1])


@given(sizes, st.data())
def test_a_consistency_proof_with_any_bit_turned_fails(size: int, data: st.DataObject) -> None:
    leaves = tree(size)
    old = data.draw(st.integers(1, size))
    parts = [merkle.root(leaves[:old]), merkle.root(leaves), *merkle.consistency_proof(old, leaves)]
    where, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))

    assert merkle.verify_consistency(old, size, parts[2:], parts[0], parts[1])
    parts[where] = (int.from_bytes(parts[where]) ^ 1 << bit).to_bytes(32)
    assert not merkle.verify_consistency(old, size, parts[2:], parts[0], parts[1])


@given(sizes, st.data())
def test_a_proof_with_a_hash_more_or_less_fails(size: int, data: st.DataObject) -> None:
    leaves, old = tree(size), data.draw(st.integers(1, size))
    index, root, old_root = old - 1, merkle.root(leaves), merkle.root(leaves[:old])
    inclusion, consistency = merkle.inclusion_proof(index, leaves), merkle.consistency_proof(old, leaves)

    def changed(proof: list[bytes]) -> list[list[bytes]]:
        variants = [*proof, root], [root, *proof], [*proof, b""], proof[1:], proof[:-1]
        return [variant for variant in variants if variant != proof]

    assert not any(merkle.verify_inclusion(index, size, leaves[index], bad, root) for bad in changed(inclusion))
    assert not any(merkle.verify_consistency(old, size, bad, old_root, root) for bad in changed(consistency))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (2, 1), (-1, 1)])
def test_consistency_with_nothing_or_with_the_future_is_refused(old: int, new: int) -> None:
    assert not merkle.verify_consistency(old, new, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
    with pytest.raises(ValueError, match="no consistency"):
        merkle.consistency_proof(old, LEAVES[: max(new, 0)])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    assert not merkle.verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(index, LEAVES[:size])


def test_hashes_of_another_length_are_refused() -> None:
    assert not merkle.verify_inclusion(0, 1, b"", [], b"")
    assert not merkle.verify_consistency(1, 2, [LEAVES[0]], b"short", LEAVES[0])
    assert merkle.verify_inclusion(0, 1, LEAVES[0], [], LEAVES[0])


@given(st.integers(0, 600))
def test_the_frontier_the_peaks_and_the_node_reader_come_to_the_same_root(size: int) -> None:
    leaves, frontier = tree(size), merkle.Frontier()
    for leaf in leaves:
        frontier.append(leaf)

    assert frontier.root() == merkle.root(leaves) == merkle.fold(merkle.peaks(leaves))
    assert merkle.root_at(size, merkle.node_reader(leaves)) == merkle.root(leaves)
