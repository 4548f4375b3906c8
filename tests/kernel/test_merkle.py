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


# --- published families of changed proofs ---------------------------------------------------------------------------
# What github.com/transparency-dev/merkle (Apache-2.0) publishes in testdata: of each good proof the same changes, with
# sizes and indexes as its unsigned 64 bits have them; and cases of its own for sizes and hashes that are none.

WORD = 1 << 64
SOME_HASH = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
GOOD_INCLUSION = [(0, 1), (0, 8), (5, 8), (2, 3), (1, 5)]
GOOD_CONSISTENCY = [(1, 8), (6, 8), (2, 5), (6, 7)]


def changed_inclusion(index: int, size: int) -> list[tuple[int, int, bytes, list[bytes], bytes]]:
    """Index, size, leaf, proof and root of what must not verify."""
    leaf, root, proof = LEAVES[index], bytes.fromhex(ROOTS[size]), merkle.inclusion_proof(index, LEAVES[:size])
    cases = [((index + step) % WORD, size, leaf, proof, root) for step in (-1, 1)]
    cases += [(index ^ 2, size, leaf, proof, root)]
    cases += [(index, other, leaf, proof, root) for other in (size * 2, size // 2)]
    cases += [(index, size, b"WrongLeaf", proof, root)]
    cases += [(index, size, leaf, proof, other) for other in (merkle.EMPTY_ROOT, SOME_HASH)]
    more = [[*proof, b""], [*proof, root], [b"", *proof], [root, *proof], *([proof[:-1]] if proof else [])]
    more += [[*proof[:at], bytes([node[0] ^ 8]) + node[1:], *proof[at + 1 :]] for at, node in enumerate(proof)]
    more += [[proof[0], SOME_HASH, *proof[1:]]] if len(proof) > 1 else []
    return [*cases, *((index, size, leaf, other, root) for other in more)]


def changed_consistency(old: int, new: int) -> list[tuple[int, int, list[bytes], bytes, bytes]]:
    """Sizes, proof and roots of what must not verify."""
    proof = merkle.consistency_proof(old, LEAVES[:new])
    one, two = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    cases = [(other, new, proof, one, two) for other in (old - 1, old + 1, old ^ 2)]
    cases += [(old, other, proof, one, two) for other in (new * 2, new // 2)]
    cases += [(old, new, proof, b"WrongRoot", two), (old, new, proof, one, b"WrongRoot"), (old, new, proof, two, one)]
    more = [[], [*proof, b""], [*proof, one], [*proof, two], [b"", *proof], [one, *proof], [two, *proof]]
    more += [[proof[0], *proof], proof[:-1]]
    more += [[*proof[:at], bytes([node[0] ^ 16]) + node[1:], *proof[at + 1 :]] for at, node in enumerate(proof)]
    return [*cases, *((old, new, other, one, two) for other in more)]


@pytest.mark.parametrize(("index", "size"), GOOD_INCLUSION)
def test_no_published_change_of_an_inclusion_proof_verifies_in_a_tree_or_a_subtree(index: int, size: int) -> None:
    leaf, root, proof = LEAVES[index], bytes.fromhex(ROOTS[size]), merkle.inclusion_proof(index, LEAVES[:size])
    good = merkle.verify_inclusion(index, size, leaf, proof, root)
    shift = 1 << (size - 1).bit_length()

    assert good
    assert merkle.verify_subtree_inclusion(index + shift, shift, size + shift, leaf, proof, root)
    for at, other, *rest in changed_inclusion(index, size):
        assert not merkle.verify_inclusion(at, other, *rest)
        assert not merkle.verify_subtree_inclusion(at, 0, other, *rest)
        beyond = 1 << max(other - 1, 0).bit_length()
        assert not merkle.verify_subtree_inclusion(at + beyond, beyond, other + beyond, *rest)


@pytest.mark.parametrize(("old", "new"), GOOD_CONSISTENCY)
def test_no_published_change_of_a_consistency_proof_verifies(old: int, new: int) -> None:
    for one, other, proof, *roots in changed_consistency(old, new):
        assert not merkle.verify_consistency(one, other, proof, *roots)
        if one > 0:
            assert not merkle.verify_subtree_consistency(0, one, other, proof, *roots)


def test_published_cases_of_a_tree_with_one_entry_and_of_none() -> None:
    one, some = merkle.leaf_hash(b"data"), SOME_HASH

    assert merkle.verify_inclusion(0, 1, one, [], one)
    assert not any(merkle.verify_inclusion(0, 1, leaf, [], root) for leaf, root in [(b"", one), (one, b""), (b"", b"")])
    for index, size in [(0, 0), (0, 1), (1, 0), (2, 1)]:
        for leaf, root in [(some, b""), (b"", merkle.EMPTY_ROOT), (some, merkle.EMPTY_ROOT)]:
            assert not merkle.verify_inclusion(index, size, leaf, [], root)
    first, second, empty = b"don't care 1", b"don't care 2", merkle.EMPTY_ROOT
    assert merkle.verify_consistency(1, 1, [], second, second)
    for sizes, roots in [
        ((0, 0), (first, second)), ((1, 1), (first, second)), ((0, 0), (first, first)), ((0, 1), (first, second)),
        ((1, 0), (first, second)), ((2, 1), (first, second)), ((1, 2), (first, second)), ((0, 0), (empty, second)),
        ((1, 1), (empty, second)), ((0, 1), (empty, second)),
    ]:  # fmt: skip
        assert not merkle.verify_consistency(*sizes, [], *roots)
    assert not any(merkle.verify_consistency(*sizes, [empty], empty, empty) for sizes in [(0, 0), (1, 1), (0, 1)])


# --- subtrees -------------------------------------------------------------------------------------------------------


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 defines it."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return merkle.node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_subproof(start: int, end: int, leaves: list[bytes], is_known: bool) -> list[bytes]:
    """SUBTREE_SUBPROOF as draft-ietf-plants-merkle-tree-certs section 4.4.1 defines it."""
    if (start, end) == (0, len(leaves)):
        return [] if is_known else [naive_root(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if end <= k:
        return [*naive_subproof(start, end, leaves[:k], is_known), naive_root(leaves[k:])]
    if k <= start:
        return [*naive_subproof(start - k, end - k, leaves[k:], is_known), naive_root(leaves[:k])]
    assert start == 0
    return [*naive_subproof(0, end - k, leaves[k:], False), naive_root(leaves[:k])]


def subtrees(size: int) -> list[tuple[int, int]]:
    return [
        (start, end) for start in range(size) for end in range(start + 1, size + 1) if merkle.is_subtree(start, end)
    ]


def test_what_is_a_subtree_is_aligned_to_its_size_and_not_empty() -> None:
    assert subtrees(5) == [
        (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 2), (2, 3), (2, 4), (3, 4), (4, 5)
    ]  # fmt: skip
    assert merkle.is_subtree(8, 13)
    for start, end in [(0, 0), (1, 1), (2, 1), (-1, 1), (1, 3), (3, 5), (4, 9), (1, (1 << 63) + 2)]:
        assert not merkle.is_subtree(start, end)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13, 14, 21, 33])
def test_subtrees_and_their_proofs_are_those_of_the_definition(size: int) -> None:
    leaves = tree(size)
    node, root = merkle.node_reader(leaves), merkle.root(leaves)
    for start, end in subtrees(size):
        subtree = naive_root(leaves[start:end])
        proof = merkle.subtree_consistency_path(start, end, size, node)

        assert merkle.subtree_root(start, end, node) == subtree
        assert proof == naive_subproof(start, end, leaves, True)
        assert merkle.verify_subtree_consistency(start, end, size, proof, subtree, root)
        if start == 0:
            assert proof == merkle.consistency_proof(end, leaves)
        for index in range(start, end):
            path = merkle.subtree_inclusion_path(index, start, end, node)
            assert path == merkle.inclusion_proof(index - start, leaves[start:end])
            assert merkle.verify_subtree_inclusion(index, start, end, leaves[index], path, subtree)


@given(st.integers(1, 5000), st.data())
def test_a_subtree_of_any_tree_is_proven_and_any_bit_turned_fails(size: int, data: st.DataObject) -> None:
    leaves = tree(size)
    level = data.draw(st.integers(0, size.bit_length()))
    start = data.draw(st.integers(0, (size - 1) >> level)) << level
    end = data.draw(st.integers(start + 1, min(size, start + (1 << level)) if start else size))
    node, root = merkle.node_reader(leaves), merkle.root(leaves)
    proof = merkle.subtree_consistency_path(start, end, size, node)
    parts = [merkle.subtree_root(start, end, node), root, *proof]

    assert parts[0] == naive_root(leaves[start:end])
    assert proof == naive_subproof(start, end, leaves, True)
    assert merkle.verify_subtree_consistency(start, end, size, parts[2:], parts[0], parts[1])
    where, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[where] = (int.from_bytes(parts[where]) ^ 1 << bit).to_bytes(32)
    assert not merkle.verify_subtree_consistency(start, end, size, parts[2:], parts[0], parts[1])
    assert not merkle.verify_subtree_consistency(start, end, size, [*proof, root], merkle.root(leaves[start:end]), root)


def test_a_subtrees_proof_fits_no_other_subtree_of_its_tree() -> None:
    for size in range(1, 18):
        leaves = tree(size)
        node, root, every = merkle.node_reader(leaves), merkle.root(leaves), subtrees(size)
        for start, end in every:
            proof, subtree = merkle.subtree_consistency_path(start, end, size, node), naive_root(leaves[start:end])
            fits = [s for s in every if merkle.verify_subtree_consistency(*s, size, proof, subtree, root)]
            assert fits == [(start, end)]


@pytest.mark.parametrize(("start", "end"), [(0, 0), (1, 3), (3, 2), (4, 9)])
def test_what_is_no_subtree_has_neither_hash_nor_proof(start: int, end: int) -> None:
    node = merkle.node_reader(LEAVES)
    with pytest.raises(ValueError, match="no subtree"):
        merkle.subtree_root(start, end, node)
    with pytest.raises(ValueError, match="no subtree"):
        merkle.subtree_inclusion_path(start, start, end, node)
    with pytest.raises(ValueError, match="no subtree"):
        merkle.subtree_consistency_path(start, end, 8, node)
    assert not merkle.verify_subtree_inclusion(start, start, end, LEAVES[0], [], LEAVES[0])
    assert not merkle.verify_subtree_consistency(start, end, 8, [], LEAVES[0], LEAVES[0])


def test_what_lies_outside_a_subtree_or_its_tree_has_no_proof() -> None:
    node = merkle.node_reader(LEAVES)
    for index in (3, 8):
        with pytest.raises(ValueError, match="no leaf"):
            merkle.subtree_inclusion_path(index, 4, 8, node)
    with pytest.raises(ValueError, match="not within"):
        merkle.subtree_consistency_path(4, 8, 7, node)
    assert not merkle.verify_subtree_consistency(4, 8, 7, [], LEAVES[0], LEAVES[0])


@given(st.integers(1, 600))
def test_levels_made_at_once_are_those_made_hash_by_hash(size: int) -> None:
    leaves, node = tree(size), merkle.node_reader(tree(size))
    entries = [number.to_bytes(4) for number in range(size)]

    assert merkle.leaf_hashes(entries) == leaves
    parents = merkle.parents(b"".join(leaves))
    assert parents == b"".join(node(1, at) for at in range(size // 2))
    assert merkle.Frontier(size, node).root() == merkle.root(leaves)
