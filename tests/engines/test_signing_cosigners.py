"""Cosignatures are those of C2SP tlog-cosignature: ones that others made open here, and nothing changed passes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.engines.signing import (
    Cosigner,
    CosignerStore,
    SignatureType,
    Signer,
    VerifierKey,
    open_note,
    read_note,
    sign_note,
    signature_lines,
    signers_named,
)
from safebelt.engines.signing.messages import ed25519_message, mldsa44_message
from safebelt.kernel.errors import Conflict, Invalid, Problem, Refused, Unavailable

VECTORS = Path(__file__).with_name("vectors")
NOTE = (VECTORS / "navigli.note").read_text("utf-8")
KEYS = [VerifierKey.parse(line) for line in (VECTORS / "navigli.vkeys").read_text("utf-8").splitlines()]
"""A checkpoint of a certificate log, as a witness in public use cosigned it with both of its keys."""

TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
"""The example of c2sp.org/tlog-cosignature."""
W1 = {type_: Cosigner.of("witness.example.com/w1", type_, bytes([type_]) * 32) for type_ in list(SignatureType)[1:]}
LOG = Signer.of("example.com/behind-the-sofa", bytes(32))
Chance = Callable[[int], bytes]


def test_what_an_independent_witness_cosigned_opens_with_both_of_its_keys() -> None:
    opened = open_note(NOTE, KEYS)

    assert [key.type for key in opened.signed_by] == [SignatureType.ED25519, SignatureType.MLDSA44]
    assert set(opened.at.values()) == {1785704691}
    assert [str(key) for key in KEYS] == (VECTORS / "navigli.vkeys").read_text("utf-8").splitlines()


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.type.name)
@pytest.mark.parametrize("line", [0, 1, 2])
def test_what_an_independent_witness_cosigned_opens_with_nothing_changed(key: VerifierKey, line: int) -> None:
    lines = NOTE.split("\n")
    lines[line] = {0: lines[0] + "x", 1: lines[1] + "0", 2: "A" + lines[2][1:]}[line]

    with pytest.raises(Refused, match="does not fit"):
        open_note("\n".join(lines), [key])


def test_the_signed_messages_are_those_of_the_specification() -> None:
    root = bytes.fromhex("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62")

    assert ed25519_message(1679315147, TEXT) == f"cosignature/v1\ntime 1679315147\n{TEXT}".encode()
    assert mldsa44_message("w", 1679315147, TEXT) == (
        b"subtree/v1\n\0" + b"\x01w" + (1679315147).to_bytes(8) + b"\x1bexample.com/behind-the-sofa"
        b"" + (0).to_bytes(8) + (20852163).to_bytes(8) + root
    )


@pytest.mark.parametrize("cosigner", W1.values(), ids=lambda each: each.verifier.type.name)
def test_a_cosignature_opens_with_its_time_and_every_changed_byte_of_it_is_refused(cosigner: Cosigner) -> None:
    line = cosigner.cosign(TEXT, at=1679315147)
    key = VerifierKey.parse(str(cosigner.verifier))
    note = f"{TEXT}\n{line}"
    assert open_note(note, [key]).at == {key: 1679315147}

    data = bytearray(note.encode())
    for at in range(0, len(data), 1 if cosigner.verifier.type is SignatureType.ED25519 else 37):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(Problem):
            open_note(changed.decode(errors="surrogateescape"), [key])


def test_a_cosignature_is_of_its_own_name_type_and_text() -> None:
    ed, ml = (W1[type_] for type_ in (SignatureType.ED25519, SignatureType.MLDSA44))
    other = Cosigner.of("witness.example.com/w2", SignatureType.MLDSA44, bytes([6]) * 32)
    assert other.verifier.public == ml.verifier.public
    moved = ml.cosign(TEXT, at=7).split(" ")[2]

    renamed = signature_lines(f"— witness.example.com/w2 {moved}")
    assert ("witness.example.com/w2", other.verifier.key_id) not in renamed
    for cosigner in (ed, ml):
        with pytest.raises(Problem):
            open_note(f"{TEXT}\n{cosigner.cosign(TEXT.replace('63', '64'), at=7)}", [cosigner.verifier])
    with pytest.raises(ValueError, match="another type"):
        Cosigner.of("w", SignatureType.NOTE, bytes(32))


def test_lines_after_the_third_are_signed_by_ed25519_and_not_by_mldsa44() -> None:
    more = f"{TEXT}more\n"
    changed = f"{TEXT}else\n"
    ed, ml = (W1[type_] for type_ in (SignatureType.ED25519, SignatureType.MLDSA44))

    assert open_note(f"{changed}\n{ml.cosign(more, at=7)}", [ml.verifier]).signed_by
    with pytest.raises(Refused):
        open_note(f"{changed}\n{ed.cosign(more, at=7)}", [ed.verifier])


@pytest.mark.parametrize(
    "text", ["", "a\n", "a\n1\n", "a\n01\nAAAA\n", "a\n1\nAAAA\n", "a\n-1\n" + TEXT.split("\n")[2], "\n1\n" + "A" * 44]
)
def test_mldsa44_signs_checkpoints_only(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        W1[SignatureType.MLDSA44].cosign(text, at=1)


@pytest.mark.parametrize("at", [-1, 2**63])
def test_a_time_that_no_cosignature_may_have_is_refused(at: int) -> None:
    for cosigner in W1.values():
        with pytest.raises((ValueError, OverflowError)):
            cosigner.cosign(TEXT, at=at)


def test_the_signatures_of_strangers_are_passed_over_and_a_wrong_one_of_a_friend_spoils_the_note() -> None:
    ed, ml = (W1[type_] for type_ in (SignatureType.ED25519, SignatureType.MLDSA44))
    note = sign_note(TEXT, LOG) + ed.cosign(TEXT, at=1) + ml.cosign(TEXT, at=2)
    wrong = sign_note(TEXT, LOG) + ed.cosign(TEXT.replace("63", "64"), at=1)

    assert signers_named(note) == ("example.com/behind-the-sofa", "witness.example.com/w1")
    assert read_note(note, [LOG.verifier]).at == {}
    assert read_note(note, [ml.verifier]).at == {ml.verifier: 2}
    assert read_note(note, []).signed_by == ()
    assert read_note(wrong, [LOG.verifier]).signed_by == (LOG.verifier,)
    with pytest.raises(Refused):
        read_note(wrong, [LOG.verifier, ed.verifier])


@settings(max_examples=60)
@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda data: f"— w {data.hex()}\n"))
def test_whatever_a_witness_answers_is_read_or_refused(text: str) -> None:
    try:
        lines = signature_lines(text)
    except ValueError:
        return
    assert "".join(lines.values()).count("\n") == len(lines)


@settings(max_examples=60)
@given(st.text(max_size=60), st.sampled_from(["", "+", "++"]))
def test_whatever_is_given_as_a_key_is_read_or_refused(text: str, plus: str) -> None:
    with pytest.raises(Invalid):
        VerifierKey.parse(text + plus + "BA==")


def test_our_own_keys_are_made_once_in_a_file_of_their_owner(tmp_path: Path, chance: Chance) -> None:
    store = CosignerStore(tmp_path / "keys" / "witness.key", name="example.org/witness", chance=chance)
    assert not store.path.exists()

    first = [each.verifier for each in store.cosigners()]

    again = CosignerStore(store.path, name="example.org/witness", chance=chance)
    assert [each.verifier for each in again.cosigners()] == first
    assert [key.type for key in first] == [SignatureType.ED25519, SignatureType.MLDSA44]
    assert first[0].public != first[1].public
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in repr(store.cosigners())


def test_a_file_of_cosigners_that_cannot_be_trusted_is_not_used(tmp_path: Path, chance: Chance) -> None:
    store = CosignerStore(tmp_path / "keys" / "witness.key", name="example.org/witness", chance=chance)
    store.cosigners()
    good = store.path.read_text()

    with pytest.raises(Conflict, match="belongs to"):
        CosignerStore(store.path, name="example.org/else", chance=chance).cosigners()
    for text in ("", "hello\n", LOG.secret(), good.replace("+", "-", 1), good[:-8]):
        store.path.write_text(text)
        with pytest.raises(Unavailable, match="no cosigning key"):
            store.cosigners()
    store.path.write_text(good)
    store.path.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        store.cosigners()
