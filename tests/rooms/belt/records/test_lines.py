"""Lines made in C are byte for byte those made in plain Python, and both are what a reader expects."""

import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.rooms.belt.guarded import HAS_COMPILER, run_guarded
from tests.rooms.belt.records.support import Ledger, check, write

from safebelt.kernel.conditions import Truth
from safebelt.kernel.merkle import Frontier, leaf_hash, root
from safebelt.rooms.belt.records import lines, segment
from safebelt.rooms.belt.records.draft import Draft, Place
from safebelt.rooms.belt.records.line import SALT_BYTES, link, parse

ROOT = Path(__file__).parents[4]
needs_it = pytest.mark.skipif(not lines.AVAILABLE, reason="installed without a compiler")
FORMS = [lines.plain, *([lines._lines.lines] if lines.AVAILABLE else [])]
both = pytest.mark.parametrize("made", FORMS, ids=["plain", "c"][: len(FORMS)])

NIST = [
    (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (bytes.fromhex("d3"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
    (bytes.fromhex("11af"), "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
    (
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ),
    (
        b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
    ),
    (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
]
"""NIST, SHA-256 examples to FIPS 180-4, and the first of the CAVP short messages."""

IDS = st.sampled_from(["rec_1", "rec_2", 'a"b\\', "务\x00\n\x1f\x7f🅰", ""])
PLACES = st.tuples(st.sampled_from(["seg-00000001", "w2-seg-00000007", '"']), st.integers(0, 1 << 60))
DRAFTS = st.builds(
    Draft,
    st.sampled_from(["intent", "outcome", "note", "说"]),
    IDS,
    st.binary(max_size=90),
    st.none() | st.binary(max_size=200),
)
INTENTS = st.dictionaries(IDS, PLACES, max_size=4)


def asked(drafts: list[Draft], held: int = 0, **other: Any) -> tuple[Any, ...]:
    """Return arguments of `lines.plain`, for a segment that holds some records."""
    tree = Frontier()
    for n in range(held):
        tree.append(leaf_hash(b"%d" % n))
    given: dict[str, Any] = {
        "drafts": drafts,
        "salts": os.urandom(SALT_BYTES * len(drafts)),
        "segment": "seg-00000001",
        "size": held,
        "end": held * 700,
        "last": "0" * 64,
        "stamp": "2026-11-23T12:00:00.000001+00:00",
        "heads": held // 3,
        "intents": {},
        "edge": tree.edge,
    }
    return tuple((given | other).values())


def test_it_is_compiled_wherever_it_can_be() -> None:
    compiled = [*(ROOT / "src/safebelt/rooms/belt/records").glob("_*.so")]

    assert lines.AVAILABLE or not compiled, "compiled, but it does not load"


@needs_it
@pytest.mark.parametrize("is_by_sums", [False, True])
def test_hashes_are_those_that_nist_publishes(is_by_sums: bool) -> None:
    for message, expected in NIST:
        assert lines._lines.digest((message,), is_by_sums).hex() == expected


@needs_it
@pytest.mark.parametrize("is_by_sums", [False, True])
def test_messages_of_every_length_hash_as_hashlib_hashes_them_in_whatever_parts(is_by_sums: bool) -> None:
    data = os.urandom(400)

    for size in range(len(data)):
        for cut in {0, 1, size // 2, min(size, 55), min(size, 64), size}:
            parts = (data[: min(cut, size)], data[cut:size])
            assert lines._lines.digest(parts, is_by_sums) == sha256(data[:size]).digest(), (size, cut)


@needs_it
@given(st.lists(st.binary(max_size=300), max_size=5), st.booleans())
def test_any_message_hashes_as_hashlib_hashes_it(parts: list[bytes], is_by_sums: bool) -> None:
    assert lines._lines.digest(tuple(parts), is_by_sums) == sha256(b"".join(parts)).digest()


@needs_it
@given(st.lists(DRAFTS, max_size=8), INTENTS, st.integers(0, 40), st.sampled_from(["0" * 64, "", 'x"务']))
@example([Draft("outcome", "rec_1", b"{}", None), Draft("outcome", "rec_1", b"{}", b"1")], {"rec_1": ("s", 7)}, 3, "")
@example([Draft("intent", "i", b"", b""), Draft("outcome", "i", b"", None), Draft("intent", "i", b"", None)], {}, 0, "")
@example([Draft("intent", "i", b"", None)] * 2 + [Draft("outcome", "i", b"", None)] * 2, {"i": ("s", 0)}, 7, "x")
def test_a_group_becomes_the_same_lines_in_c_and_in_python(
    drafts: list[Draft], intents: dict[str, Place], size: int, last: str
) -> None:
    group = asked(drafts, size, intents=intents, last=last)
    before, edge = dict(intents), list(group[-1])

    assert lines._lines.lines(*group) == lines.plain(*group)
    assert (intents, group[-1]) == (before, edge)


@both
@given(st.integers(0, 20), st.integers(1, 20))
def test_what_is_made_reads_as_lines_of_one_chain_and_one_tree(made: lines.Lines, size: int, count: int) -> None:
    drafts = [
        Draft("outcome" if n % 2 else "intent", f"rec_{n // 2}", b'{"n":%d}' % n, b'{"text":"x"}' if n % 3 else None)
        for n in range(count)
    ]

    data, last, edge, opened, ended = made(*asked(drafts, size))

    read = [parse(raw) for raw in data.splitlines(keepends=True)]
    assert all(line is not None and line.is_bound() for line in read)
    found = [line for line in read if line is not None]
    links = ["0" * 64, *(link(line.core_bytes) for line in found)]
    assert [line.core.prev for line in found] == links[:-1]
    assert last == links[-1]
    assert [line.core.seq for line in found] == [*range(size, size + count)]
    leaves = [leaf_hash(b"%d" % n) for n in range(size)] + [leaf_hash(line.core_bytes) for line in found]
    assert Frontier.of(edge).root() == root(leaves)
    assert set(opened) == ({drafts[-1].id} if count % 2 else set())
    assert ended == {draft.id for draft in drafts if draft.type == "outcome"}
    places = {line.core.id: sum(map(len, data.splitlines(keepends=True)[: 2 * n])) for n, line in enumerate(found[::2])}
    assert all(place == ("seg-00000001", size * 700 + places[name]) for name, place in opened.items())
    assert all(
        line.core.intent == ("seg-00000001", size * 700 + places[line.core.id])
        for line in found
        if line.core.type == "outcome"
    )


@both
def test_a_log_written_by_either_form_is_found_sound(
    made: lines.Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "made", made)
    ledger = Ledger()

    write(tmp_path, 25, ledger=ledger, segment_records=7)

    assert len(ledger.sealed) >= 7
    assert check(tmp_path, ledger).holds is Truth.TRUE


@needs_it
def test_long_contents_are_hashed_while_other_threads_make_lines_too() -> None:
    groups = [
        asked([Draft("intent", f"rec_{n}{m}", b"{}", os.urandom(300_000)) for m in range(3)], n) for n in range(8)
    ]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda group: lines._lines.lines(*group), groups * 4))

    assert found == [lines.plain(*group) for group in groups] * 4


GOOD = {"type": "note", "id": "i", "facts": b"{}", "data": None}


@needs_it
@pytest.mark.parametrize(
    "wrong",
    [
        {"type": 1}, {"type": None}, {"id": b"i"}, {"id": None}, {"facts": "{}"}, {"facts": None},
        {"facts": bytearray()}, {"data": "x"}, {"data": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_draft_of_other_things_than_texts_and_bytes_is_refused(wrong: dict[str, Any]) -> None:
    drafts: Any = [SimpleNamespace(**(GOOD | wrong))]

    with pytest.raises(TypeError):
        lines._lines.lines(*asked(drafts))
    assert lines._lines.lines(*asked([SimpleNamespace(**GOOD)]))  # type: ignore[list-item]


@needs_it
@pytest.mark.parametrize(
    "wrong",
    [
        {"drafts": None}, {"drafts": [None]}, {"salts": "x" * 16}, {"salts": b"short"}, {"segment": b"s"}, {"size": "1"},
        {"size": -1}, {"size": 1 << 62}, {"end": -1}, {"end": 1 << 70}, {"last": None}, {"stamp": b"now"},
        {"heads": -1}, {"heads": 1.5}, {"intents": []}, {"intents": {"i": ["s", 1]}}, {"intents": {"i": ("s",)}},
        {"intents": {"i": (1, 1)}}, {"intents": {"i": ("s", -1)}}, {"intents": {"i": ("s", "1")}}, {"edge": ()},
        {"edge": [b"short"]}, {"edge": ["x" * 32]}, {"edge": [None] * 64},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_group_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError, AttributeError)):
        lines._lines.lines(*asked([Draft("outcome", "i", b"{}", None)], **wrong))


@needs_it
def test_half_a_surrogate_pair_in_an_id_is_refused_by_both_forms() -> None:
    for made in FORMS:
        with pytest.raises(UnicodeEncodeError):
            made(*asked([Draft("note", "\ud800", b"{}", None)]))


@pytest.mark.soak
@pytest.mark.skipif(not HAS_COMPILER, reason="no compiler")
def test_no_group_and_nothing_in_its_place_makes_it_read_or_write_astray(tmp_path: Path) -> None:
    assert run_guarded(Path(__file__).with_name("spoiling.py"), tmp_path, 120) > 1_000
