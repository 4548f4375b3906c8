"""Keys keep to their owner; notes are those of C2SP; nothing changed passes."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.engines.signing import KeyStore, Signer, VerifierKey, open_note, sign_note
from safebelt.kernel.errors import Conflict, Invalid, Problem, Refused, Unavailable

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
"""The example of c2sp.org/signed-note."""

SIGNER = Signer.of("example.com/log", bytes(range(32)))
OTHER = Signer.of("example.com/other", bytes(32))

Chance = Callable[[int], bytes]


def store(tmp_path: Path, chance: Chance, name: str = "example.com/log") -> KeyStore:
    return KeyStore(tmp_path / "keys" / "ledger.key", name=name, chance=chance)


def test_the_example_of_the_specification_opens() -> None:
    key = VerifierKey.parse(VKEY)

    assert str(key) == VKEY
    assert open_note(NOTE, [key]).text == "This is an example message.\n"


def test_every_changed_byte_of_a_note_is_refused() -> None:
    key, note = VerifierKey.parse(VKEY), NOTE.encode()
    for at in range(len(note)):
        for change in (1, 0x20, 0x80):
            changed = bytearray(note)
            changed[at] ^= change
            with pytest.raises(Problem):
                open_note(changed.decode(errors="surrogateescape"), [key])


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_what_is_signed_opens_again(text: str) -> None:
    note = sign_note(f"{text}\n", SIGNER)

    assert open_note(note, [OTHER.verifier, SIGNER.verifier]).text == f"{text}\n"
    assert open_note(note, [SIGNER.verifier]).signed_by == (SIGNER.verifier,)


def test_a_note_may_hold_empty_lines_and_further_signatures() -> None:
    text = "one\n\ntwo\n"
    note = sign_note(text, SIGNER) + sign_note(text, OTHER).rpartition("\n\n")[2]

    assert open_note(note, [OTHER.verifier]).signed_by == (OTHER.verifier,)
    assert open_note(note, [OTHER.verifier, SIGNER.verifier]).signed_by == (SIGNER.verifier, OTHER.verifier)


def test_a_note_of_strangers_is_refused_and_names_them() -> None:
    with pytest.raises(Refused, match=r"None of the keys given .*example\.com/log"):
        open_note(sign_note("x\n", SIGNER), [OTHER.verifier])


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    note = sign_note("x\n", SIGNER) + sign_note("y\n", OTHER).rpartition("\n\n")[2]

    with pytest.raises(Refused, match="does not fit"):
        open_note(note, [SIGNER.verifier, OTHER.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "x\n",
        "x\n\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "x\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("—", "-"),
        "\n\n" + NOTE.rpartition("\n\n")[2],
    ],
)
def test_what_is_no_note_is_said_so(note: str) -> None:
    with pytest.raises(Problem):
        open_note(note, [VerifierKey.parse(VKEY)])


@pytest.mark.parametrize("text", ["", "no newline", "bell\x07\n", "lone \ud800\n"])
def test_a_text_that_cannot_be_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(Invalid):
        sign_note(text, SIGNER)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "x",
        "a+b",
        VKEY[:-1],
        VKEY.replace("530d", "530e"),
        VKEY.replace("530d", "530D"),
        VKEY.replace("foo", "fop"),
        VKEY.replace("+Ae", "+Be"),
        VKEY + "=",
        "a b" + VKEY,
    ],
)
def test_what_is_no_verifier_key_is_said_so(key: str) -> None:
    with pytest.raises(Invalid):
        VerifierKey.parse(key)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u3000b"])
def test_a_name_that_would_break_a_signature_line_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        Signer.of(name, bytes(32))


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path, chance: Chance) -> None:
    keys = store(tmp_path, chance)

    first = keys.current().verifier

    assert store(tmp_path, chance).current().verifier == first
    assert keys.path.stat().st_mode & 0o777 == 0o600
    assert keys.path.parent.stat().st_mode & 0o777 == 0o700
    assert list(keys.path.parent.iterdir()) == [keys.path]


def test_building_a_store_touches_nothing(tmp_path: Path, chance: Chance) -> None:
    store(tmp_path, chance)

    assert list(tmp_path.iterdir()) == []


def test_many_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    import os

    seen: list[VerifierKey] = []
    threads = [
        threading.Thread(target=lambda: seen.append(store(tmp_path, os.urandom).current().verifier)) for _ in range(8)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert len(seen) == 8
    assert len(set(seen)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_read_is_not_used(tmp_path: Path, chance: Chance, mode: int) -> None:
    keys = store(tmp_path, chance)
    keys.current()
    keys.path.chmod(mode)

    with pytest.raises(Refused, match="chmod 600"):
        keys.current()


def test_a_key_in_a_directory_that_others_can_write_to_is_not_used(tmp_path: Path, chance: Chance) -> None:
    keys = store(tmp_path, chance)
    keys.current()
    keys.path.parent.chmod(0o777)

    with pytest.raises(Refused, match="chmod 700"):
        keys.current()


def test_a_file_without_a_key_is_said_so(tmp_path: Path, chance: Chance) -> None:
    keys = store(tmp_path, chance)
    keys.current()
    for text in ("", "hello", "PRIVATE+KEY+x", "PRIVATE+KEY+example.com/log+00000000+" + "A" * 44):
        keys.path.write_text(text)
        with pytest.raises(Unavailable, match="holds no signing key"):
            keys.current()


def test_a_key_of_another_log_is_not_used(tmp_path: Path, chance: Chance) -> None:
    store(tmp_path, chance).current()

    with pytest.raises(Conflict, match=r"belongs to example\.com/log"):
        store(tmp_path, chance, "example.com/elsewhere").current()


def test_rotation_keeps_every_old_key_as_a_verifier(tmp_path: Path, chance: Chance) -> None:
    keys = store(tmp_path, chance)
    first = keys.current().verifier

    second = keys.prepare().verifier
    assert keys.current().verifier == first
    keys.activate()
    third = keys.prepare().verifier
    keys.activate()

    assert keys.current().verifier == third
    assert keys.verifiers() == (first, second, third)
    assert not keys.has_pending


def test_a_rotation_given_up_leaves_the_key_in_force(tmp_path: Path, chance: Chance) -> None:
    keys = store(tmp_path, chance)
    first = keys.current().verifier

    keys.prepare()
    keys.discard()

    assert keys.pending() is None
    assert keys.verifiers() == (first,)


def test_a_rotation_cut_short_after_retiring_the_old_key_can_be_finished(
    tmp_path: Path, chance: Chance, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = store(tmp_path, chance)
    first, second = keys.current().verifier, keys.prepare().verifier
    with monkeypatch.context() as broken:
        broken.setattr("safebelt.engines.signing.files.sync_directory", _fail)
        with pytest.raises(OSError, match="power"):
            keys.activate()
    assert keys.verifiers() == (first,)

    keys.activate()

    assert keys.verifiers() == (first, second)


def _fail(_: Path) -> None:
    raise OSError("power")


def test_a_secret_is_never_shown_in_a_representation() -> None:
    assert SIGNER.secret().split("+")[-1].strip() not in repr(SIGNER)
    assert Signer.parse(SIGNER.secret()).verifier == SIGNER.verifier
