"""A proof is believed by a stranger who has the public key and nothing of ours."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rooms.ledger.conftest import Desk

from safebelt.engines.signing import Signer, VerifierKey, sign_note
from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, NotFound, Problem
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.model import Checkpoint
from safebelt.rooms.ledger.service import check, check_consistency, opener

ORIGIN = "example.org/log"
SIGNER = Signer.of(ORIGIN, b"k" * 32)
KEYS = (SIGNER.verifier,)


def stranger(proof: str, vkey: str) -> dict[str, object]:
    """Verify a proof as RFC 9162 section 2.1.3.2, tlog-proof and signed-note say, without any code of ours."""
    head, note = proof.split("\n\n", 1)
    _, extra, index_line, *path = head.split("\n")
    text, signature_line = note.rsplit("\n\n", 1)
    origin, size, root = text.split("\n")
    name, _, key = vkey.split("+", 2)
    signature = base64.b64decode(signature_line.split(" ")[2])[4:]
    Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(signature, f"{text}\n".encode())
    assert origin == name
    body = base64.b64decode(extra.removeprefix("extra "))
    fn, sn = int(index_line.removeprefix("index ")), int(size) - 1
    assert fn <= sn
    r = hashlib.sha256(b"\0" + body).digest()
    for p in map(base64.b64decode, path):
        assert sn != 0
        if fn & 1 or fn == sn:
            r = hashlib.sha256(b"\1" + p + r).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = hashlib.sha256(b"\1" + r + p).digest()
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    assert r == base64.b64decode(root)
    return json.loads(body)  # type: ignore[no-any-return]


def entry_bytes(number: int) -> bytes:
    return json.dumps(
        {
            "actor": "owner",
            "at": "2026-11-21T12:00:00.000000+00:00",
            "data": {"n": number},
            "door": "cli",
            "id": f"ent_{number}",
            "kind": "test.noted.v1",
            "subject": "s",
        },
        separators=(",", ":"),
        sort_keys=True,
    ).encode()


def made(index: int, size: int, origin: str = ORIGIN, signer: Signer = SIGNER) -> str:
    """A proof made without a database."""
    leaves = [merkle.leaf_hash(entry_bytes(number)) for number in range(size)]
    root = merkle.root(leaves)
    checkpoint = Checkpoint(
        origin=origin, size=size, root=root, note=sign_note(decide.checkpoint_text(origin, size, root), signer)
    )
    return decide.write_proof(
        body=entry_bytes(index), index=index, path=merkle.inclusion_proof(index, leaves), checkpoint=checkpoint
    )


def made_consistency(old: int, new: int) -> str:
    leaves = [merkle.leaf_hash(entry_bytes(number)) for number in range(new)]
    ends = []
    for size in (old, new):
        root = merkle.root(leaves[:size])
        ends.append(
            Checkpoint(
                origin=ORIGIN, size=size, root=root, note=sign_note(decide.checkpoint_text(ORIGIN, size, root), SIGNER)
            )
        )
    return decide.write_consistency(old=ends[0], new=ends[1], path=merkle.consistency_proof(old, leaves))


def fails(judge: object, text: str) -> bool:
    """Whether a text is judged not to hold, or refused as no proof at all."""
    try:
        reason, seen = judge(text, KEYS)  # type: ignore[operator]
    except Invalid:
        return True
    return reason.holds is Truth.FALSE and seen is None


def test_a_stranger_reads_and_verifies_every_entry(desk: Desk) -> None:
    ids = [each for batch in (("a",), ("b", "c"), tuple("defgh")) for each in desk.note(*batch)]
    (key,) = desk.ledger.verifier_keys()
    for number, entry_id in enumerate(ids):
        proof = desk.ledger.prove(entry_id)

        seen = stranger(proof, str(key))
        reason, entry = check(proof, [key])

        assert (seen["id"], seen["data"]) == (entry_id, {"text": "abcdefgh"[number]})
        assert reason.holds is Truth.TRUE
        assert entry is not None
        assert (entry["id"], entry["index"], entry["log"]) == (entry_id, number, ORIGIN)


def test_proofs_reach_across_tiles(desk: Desk) -> None:
    ids = desk.note(*map(str, range(600)))
    desk.ledger.advance()
    (key,) = desk.ledger.verifier_keys()

    for number in (0, 255, 256, 511, 512, 599):
        assert stranger(desk.ledger.prove(ids[number]), str(key))["id"] == ids[number]


def test_a_proof_outlives_a_rotation_with_the_key_of_its_time(desk: Desk) -> None:
    from safebelt.kernel.actors import OWNER

    (entry_id,) = desk.note("a")
    before = desk.ledger.prove(entry_id)
    new = desk.ledger.rotate_key(reason="yearly", by=OWNER)
    after = desk.ledger.prove(entry_id)
    old = desk.ledger.verifier_keys()[0]

    assert [check(before, [old])[0].holds, check(after, [new])[0].holds] == [Truth.TRUE, Truth.TRUE]
    assert [check(before, [new])[0].holds, check(after, [old])[0].holds] == [Truth.FALSE, Truth.FALSE]


@pytest.mark.parametrize(("index", "size"), [(0, 1), (2, 3), (5, 7)])
def test_every_changed_byte_of_a_proof_fails(index: int, size: int) -> None:
    proof = made(index, size).encode()
    assert not fails(check, proof.decode())
    for at in range(len(proof)):
        for change in (0x01, 0x20, 0x80):
            changed = bytearray(proof)
            changed[at] ^= change
            assert fails(check, changed.decode(errors="surrogateescape")), (at, bytes(changed[at - 5 : at + 5]))


@pytest.mark.parametrize(("old", "new"), [(1, 1), (3, 7)])
def test_every_changed_byte_of_a_proof_of_consistency_fails(old: int, new: int) -> None:
    proof = made_consistency(old, new).encode()
    assert not fails(check_consistency, proof.decode())
    for at in range(len(proof)):
        for change in (0x01, 0x20, 0x80):
            changed = bytearray(proof)
            changed[at] ^= change
            assert fails(check_consistency, changed.decode(errors="surrogateescape")), at


@given(st.integers(0, 6), st.integers(1, 7), st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_proof_cut_lengthened_or_with_a_byte_set_to_anything_fails(
    index: int, size: int, data: st.DataObject
) -> None:
    proof = made(index % size, size).encode()
    at = data.draw(st.integers(0, len(proof) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1).filter(lambda each: each != proof[at : at + 1]))
    more = data.draw(st.binary(min_size=1, max_size=3))
    for changed in (
        proof[:at],
        proof[:at] + proof[at + 1 :] if proof[at : at + 1] != proof[at + 1 : at + 2] else b"",
        proof[:at] + byte + proof[at + 1 :],
        proof + more,
    ):
        assert fails(check, changed.decode(errors="surrogateescape"))


def test_a_damaged_proof_is_a_negative_verdict_and_another_file_is_bad_use() -> None:
    proof = made(1, 3)

    assert check("C" + proof[1:], KEYS)[0].holds is Truth.FALSE
    for text in ("", "hello\n", made_consistency(1, 2)):
        with pytest.raises(Invalid):
            check(text, KEYS)
    with pytest.raises(Invalid):
        check_consistency("hello\n", KEYS)


def test_the_reason_says_which_step_failed_and_what_was_not_evaluated() -> None:
    reason, _ = check(made(1, 3), [Signer.of(ORIGIN, bytes(32)).verifier])

    *steps, witnesses = reason.because
    assert [step.holds for step in steps] == [Truth.TRUE, Truth.FALSE, Truth.UNKNOWN, Truth.UNKNOWN]
    assert witnesses.holds is Truth.UNKNOWN
    assert witnesses.says.en.startswith("Witnesses: not evaluated")
    assert "None of the keys given" in reason.as_text("en")


def test_a_key_named_after_another_log_vouches_for_nothing() -> None:
    other = Signer.of("example.org/other", b"k" * 32)

    assert check(made(1, 3, signer=other), [other.verifier])[0].holds is Truth.FALSE


def test_a_signed_text_that_only_begins_like_a_checkpoint_vouches_for_nothing() -> None:
    proof = made(0, 1)
    text = proof.partition("\n\n")[2].partition("\n\n")[0] + "\n\nmore\n"
    forged = proof.partition("\n\n")[0] + "\n\n" + sign_note(text, SIGNER)

    assert fails(check, forged)


def test_leaf_bytes_that_are_no_entry_are_not_shown_as_one() -> None:
    body = b'{"hello":1}'
    root = merkle.leaf_hash(body)
    checkpoint = Checkpoint(
        origin=ORIGIN, size=1, root=root, note=sign_note(decide.checkpoint_text(ORIGIN, 1, root), SIGNER)
    )

    reason, entry = check(decide.write_proof(body=body, index=0, path=[], checkpoint=checkpoint), KEYS)

    assert (reason.holds, entry) == (Truth.FALSE, None)


def test_consistency_is_proven_between_all_published_checkpoints(desk: Desk) -> None:
    sizes = []
    for count in (1, 2, 5, 250, 10):
        desk.note(*map(str, range(count)))
        checkpoint = desk.ledger.advance()
        assert checkpoint is not None
        sizes.append(checkpoint.size)
    keys = desk.ledger.verifier_keys()
    for new in sizes:
        for old in (size for size in sizes if size <= new):
            reason, seen = check_consistency(desk.ledger.consistency(old, new), keys)
            assert reason.holds is Truth.TRUE
            assert seen == {"origin": ORIGIN, "old_size": old, "new_size": new}
    assert check_consistency(desk.ledger.consistency(sizes[0]), keys)[1] == {
        "origin": ORIGIN,
        "old_size": sizes[0],
        "new_size": sizes[-1],
    }


def test_consistency_with_what_was_never_published_is_refused(desk: Desk) -> None:
    desk.note("a", "b")
    desk.ledger.advance()
    desk.note("c")
    desk.ledger.advance()
    for old, new in ((1, 3), (2, 4), (0, 3), (-1, None)):
        with pytest.raises(NotFound):
            desk.ledger.consistency(old, new)
    with pytest.raises(Invalid):
        desk.ledger.consistency(3, 2)


def test_two_histories_of_one_log_are_not_consistent() -> None:
    leaves = [merkle.leaf_hash(entry_bytes(number)) for number in range(6)]
    roots = merkle.root([*leaves[:3], leaves[5]]), merkle.root(leaves)
    old, new = (
        Checkpoint(
            origin=ORIGIN, size=size, root=root, note=sign_note(decide.checkpoint_text(ORIGIN, size, root), SIGNER)
        )
        for size, root in zip((4, 6), roots, strict=True)
    )

    forged = decide.write_consistency(old=old, new=new, path=merkle.consistency_proof(4, leaves))

    assert check_consistency(forged, KEYS)[0].holds is Truth.FALSE


def test_an_opener_says_which_keys_signed() -> None:
    text, keys = opener([SIGNER.verifier])(sign_note("x\n", SIGNER))

    assert (text, keys) == ("x\n", {str(SIGNER.verifier)})
    with pytest.raises(Problem):
        opener([VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")])(
            sign_note("x\n", SIGNER)
        )
