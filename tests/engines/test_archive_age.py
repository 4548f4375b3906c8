"""Sealed files: what is written here another implementation opens, and the other way round; nothing changed opens."""

import io
import os

import pyrage
import pytest

from safebelt.engines.archive_age import Keys, Lock, hold_recipient, opening, sealing
from safebelt.kernel.errors import Invalid

CHUNK = 64 * 1024
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17]
CHEAP = 4  # what scrypt costs is no part of what is tried here


def sealed(data: bytes, lock: Lock) -> bytes:
    out = io.BytesIO()
    with sealing(out, lock, chance=os.urandom, work_factor=CHEAP) as file:
        for start in range(0, len(data), 10_000):
            file.write(data[start : start + 10_000])
    return out.getvalue()


def opened(data: bytes, keys: Keys) -> bytes:
    with opening(io.BytesIO(data), keys) as file:
        return file.read()


@pytest.fixture(scope="module")
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.mark.parametrize("size", SIZES)
def test_under_a_passphrase_both_implementations_open_what_the_other_sealed(size: int) -> None:
    data = os.urandom(size)

    assert pyrage.passphrase.decrypt(sealed(data, Lock(passphrase="两个 words")), "两个 words") == data
    assert opened(sealed(data, Lock(passphrase="p")), Keys(passphrase="p")) == data


@pytest.mark.soak  # seconds of scrypt: that is what it is for
def test_what_another_implementation_sealed_with_a_passphrase_is_opened() -> None:
    data = os.urandom(CHUNK + 5)

    assert opened(pyrage.passphrase.encrypt(data, "theirs"), Keys(passphrase="theirs")) == data


@pytest.mark.parametrize("size", SIZES)
def test_a_recipient_opens_it_with_any_age(size: int, identity: pyrage.x25519.Identity) -> None:
    data = os.urandom(size)
    file = sealed(data, Lock(recipients=(str(identity.to_public()),)))

    assert pyrage.decrypt(file, [identity]) == data
    assert opened(file, Keys(identities=(str(identity),))) == data


def test_each_of_two_recipients_opens_it(identity: pyrage.x25519.Identity) -> None:
    other = pyrage.x25519.Identity.generate()
    file = sealed(b"for both", Lock(recipients=(str(identity.to_public()), str(other.to_public()))))

    assert [opened(file, Keys(identities=(str(each),))) for each in (identity, other)] == [b"for both"] * 2


def test_a_file_that_is_not_sealed_is_read_as_it_is() -> None:
    assert opened(sealed(b"plain", Lock()), Keys()) == b"plain"


def test_neither_another_passphrase_nor_another_identity_nor_none_opens_it(identity: pyrage.x25519.Identity) -> None:
    stranger = str(pyrage.x25519.Identity.generate())
    under, to = sealed(b"x", Lock(passphrase="a")), sealed(b"x", Lock(recipients=(str(identity.to_public()),)))

    for file, keys in [
        (under, Keys(passphrase="b")),
        (under, Keys(identities=(str(identity),))),
        (to, Keys(identities=(stranger,))),
        (to, Keys(passphrase="a")),
        (to, Keys()),
    ]:
        with pytest.raises(Invalid):
            opened(file, keys)


@pytest.mark.parametrize("kind", ["passphrase", "recipient"])
def test_every_changed_byte_and_every_cut_is_noticed(kind: str, identity: pyrage.x25519.Identity) -> None:
    lock = Lock(passphrase="p") if kind == "passphrase" else Lock(recipients=(str(identity.to_public()),))
    keys = Keys(passphrase="p", identities=(str(identity),))
    data = os.urandom(2 * CHUNK)
    file = sealed(data, lock)
    head = len(file) - 2 * (CHUNK + 16) - 16

    for place in [*range(len(b"age-encryption.org/v1\n"), head + 40, 7), len(file) // 2, len(file) - 1]:
        changed = bytearray(file)
        changed[place] ^= 1
        with pytest.raises(Invalid):
            opened(bytes(changed), keys)
    for end in (head, head + 16, head + 16 + CHUNK + 16, len(file) - 1):
        with pytest.raises(Invalid):
            opened(file[:end], keys)
    assert opened(file, keys) == data


def test_a_file_that_asks_for_days_of_work_is_refused_at_once() -> None:
    file = sealed(b"x", Lock(passphrase="p")).replace(b" 4\n", b" 30\n", 1)

    with pytest.raises(Invalid, match="header"):
        opened(file, Keys(passphrase="p"))


def test_nothing_counts_as_sealed_where_the_writing_failed(identity: pyrage.x25519.Identity) -> None:
    for lock in (Lock(passphrase="p"), Lock(recipients=(str(identity.to_public()),))):
        out = io.BytesIO()
        with pytest.raises(ZeroDivisionError), sealing(out, lock, chance=os.urandom, work_factor=CHEAP) as file:
            file.write(b"half of it")
            raise ZeroDivisionError
        with pytest.raises(Invalid):
            opened(out.getvalue(), Keys(passphrase="p", identities=(str(identity),)))


class _FullDisk(io.RawIOBase):
    def write(self, data: bytes) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_said_as_what_it_is(identity: pyrage.x25519.Identity) -> None:
    for lock in (Lock(passphrase="p"), Lock(recipients=(str(identity.to_public()),))):
        with (
            pytest.raises(OSError, match="No space"),
            sealing(_FullDisk(), lock, chance=os.urandom, work_factor=CHEAP) as file,
        ):
            file.write(bytes(10 * CHUNK))


def test_a_recipient_that_is_none_and_two_ways_at_once_are_refused(identity: pyrage.x25519.Identity) -> None:
    both = Lock(recipients=(str(identity.to_public()),), passphrase="p")

    for refused in (lambda: hold_recipient("age1nobody"), lambda: sealed(b"", both)):
        with pytest.raises(Invalid):
            refused()


def test_reading_only_the_beginning_leaves_no_thread_behind(identity: pyrage.x25519.Identity) -> None:
    import threading

    before = threading.active_count()
    file = sealed(os.urandom(40 * CHUNK), Lock(recipients=(str(identity.to_public()),)))
    with opening(io.BytesIO(file), Keys(identities=(str(identity),))) as stream:
        stream.read(10)

    assert threading.active_count() == before
