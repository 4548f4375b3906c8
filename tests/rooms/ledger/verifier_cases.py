"""What the three judges of receipts are asked: real receipts, what can happen to them, and what a log itself may sign oddly.

The judges are the house (`safebelt ledger check`), the Python file and the page.  Each answers *yes*, *no* or *bad use*.
"""

import base64
import hashlib
import importlib.util
import json
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.conftest import StillClock
from tests.rooms.ledger.conftest import ORIGIN, Desk

from safebelt.engines.clock import id_maker
from safebelt.engines.signing import KeyStore, Signer, VerifierKey, sign_note
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.ledger.service import Ledger, check, check_consistency, read_keys
from safebelt.rooms.ledger.verifier import SCRIPT, tools

YES, NO, BAD = "yes", "no", "bad use"
SEED = 20261122
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
STRANGER = Signer.of(ORIGIN, b"s" * 32)
TEXTS = ("一次停止", "a stop", "\u202e bidi", "|", "</script><img src=x>", 'quote " \\', "🙂", "\x7f\x9b[31m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to all judges.

    Attributes:
        what: What happened to the file, for the message of a test that fails.
        data: The file.
        key: The keys, one a line.
        asked: `receipt` or `consistency`.
    """

    what: str
    data: bytes
    key: str
    asked: str = "receipt"


def load_script() -> ModuleType:
    """Load the Python file from its path, as a stranger has it, outside any package."""
    path = Path(__file__).parents[3] / "src/safebelt/rooms/ledger/verifier" / SCRIPT
    spec = importlib.util.spec_from_file_location("strangers_safebelt_verify", path)
    assert spec is not None
    assert spec.loader is not None
    assert path.read_bytes() == tools()[SCRIPT].body
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # named tuples look themselves up
    spec.loader.exec_module(module)
    return module


def ask_house(asked: Asked) -> str:
    """Ask as `safebelt ledger check` does."""
    judge = {"receipt": check, "consistency": check_consistency}[asked.asked]
    try:
        reason, proven = judge(asked.data.decode("utf-8", errors="surrogateescape"), read_keys(asked.key))
    except Invalid:
        return BAD
    assert (proven is not None) is (reason.holds is Truth.TRUE)
    return YES if reason.holds is Truth.TRUE else NO


def ask_script(script: ModuleType, asked: Asked) -> str:
    """Ask the Python file's own judgment, without its command line."""
    try:
        keys = [key for line in asked.key.split("\n") for key in script.read_keys([line], 1)]
        script.hold(keys, "缺少公钥。|A key is missing.")  # as `run` does
        found = script.judge(asked.data, keys, asked.asked)
    except script.CheckError:
        return BAD
    assert (found["proven"] is not None) is found["holds"]
    return YES if found["holds"] else NO


# ---- real receipts


def real_desk(folder: Path) -> Desk:
    """A ledger with entries of many kinds, in a database of its own."""
    count = iter(range(1, 10**6))

    def chance(size: int) -> bytes:
        return next(count).to_bytes(size)

    sql = Sql(f"sqlite:///{folder / 'receipts.db'}")
    metadata.create_all(
        sql.engine, tables=[each for name, each in metadata.tables.items() if name.startswith("ledger_")]
    )
    keys = KeyStore(folder / "keys" / "ledger.key", name=ORIGIN, chance=chance)
    clock = StillClock()
    ledger = Ledger(
        sql, clock=clock, new_id=id_maker(lambda: int(clock().timestamp() * 1000), chance), chance=chance,
        signer=keys, origin=ORIGIN, tiles=folder / "log",
    )  # fmt: skip
    return Desk(ledger=ledger, sql=sql, keys=keys, folder=folder / "log")


def real_questions(desk: Desk) -> list[Asked]:
    """Receipts and proofs of consistency that a real ledger wrote, all of them good."""
    ids, sizes = [], []
    for count in (1, 2, 5, 11, 51):
        ids += desk.note(*(f"{number} {TEXTS[number % len(TEXTS)]}" for number in range(count)), name="张三")
        checkpoint = desk.ledger.advance()
        assert checkpoint is not None
        sizes.append(checkpoint.size)
    key = str(desk.ledger.verifier_keys()[-1])
    assert sizes[-1] == 70
    receipts = [(f"entry {place}", desk.ledger.prove(ids[place])) for place in (0, 1, 31, 32, 63, 69)]
    grown = [
        (f"{old} to {new}", desk.ledger.consistency(old, new)) for old, new in ((1, 3), (8, 70), (19, 70), (70, 70))
    ]
    signer = desk.keys.current()
    receipts.append(("record", written(b'{"id":"rec_1","n":1.5}', signer, origin=f"{ORIGIN}/belt/seg-00000001")))
    return [
        *(Asked(what=what, data=text.encode(), key=key) for what, text in receipts),
        *(Asked(what=what, data=text.encode(), key=key, asked="consistency") for what, text in grown),
    ]


MUTATED = {"entry 0", "entry 31", "entry 69", "record", "1 to 3", "19 to 70"}
"""Of the real ones, those to which everything happens: a log of one, both edges of a large one, and what is not an entry."""


# ---- what happens to files


def harmless(good: Asked) -> Iterator[Asked]:
    """Changes that leave a proof whole: who else signs is no part of what is signed."""
    line = good.data.split(b"\n")[-2]
    other = sign_note("x\n", Signer.of("witness.example/w", b"w" * 32)).split("\n")[-2].encode()
    for what, more in (("signed twice", line), ("an unknown signature more", other)):
        yield replace(good, what=f"{good.what}: {what}", data=good.data + more + b"\n")
    yield replace(good, what=f"{good.what}: more keys", key=f"{STRANGER.verifier}\n{good.key}\n")


def mutations(good: Asked, chance: random.Random) -> Iterator[Asked]:
    """Everything else: no judge may say yes to any of these."""
    for what, data in (*_by_line(good.data), *_by_byte(good.data, chance), *_by_form(good.data)):
        if data != good.data:
            yield replace(good, what=f"{good.what}: {what}", data=data)
    for what, key in _keys(good.key):
        yield replace(good, what=f"{good.what}: {what}", key=key)


def _by_line(data: bytes) -> Iterator[tuple[str, bytes]]:
    lines = data.split(b"\n")
    for at, line in enumerate(lines[:-1]):
        before, after = lines[:at], lines[at + 1 :]
        yield f"line {at} gone", b"\n".join([*before, *after])
        yield f"line {at} twice", b"\n".join([*before, line, line, *after]) if line[:3] != "—".encode() else data
        yield f"line {at} after the next", b"\n".join([*before, *after[:1], line, *after[1:]])
        yield f"line {at} with a space", b"\n".join([*before, line + b" ", *after])
        yield f"line {at} indented", b"\n".join([*before, b" " + line, *after])
        if re.fullmatch(rb"[A-Za-z0-9+/]{43}=", line):
            stray = bytes([line[42] + 1]) if line[42:43].isalnum() else b"x"
            yield f"line {at} with stray bits", b"\n".join([*before, line[:42] + stray + b"=", *after])
            yield f"line {at} without padding", b"\n".join([*before, line[:-1], *after])
            yield f"line {at} another hash", b"\n".join([*before, base64.b64encode(bytes(32)), *after])
        if re.fullmatch(rb"\d+", line):
            for size in (
                b"0",
                b"1",
                b"0" + line,
                b"+" + line,
                line + b"0",
                b"9" * 19,
                b"9" * 20,
                "７".encode(),
                b"-1",
                b"1e3",
            ):
                yield f"size {size!r}", b"\n".join([*before, size, *after])
        if line.startswith(b"index "):
            for index in (
                b"0",
                b"1",
                b"2",
                b"70",
                b"0" + line[6:],
                b"+1",
                b"-1",
                b"9" * 19,
                b"9" * 20,
                b" 1",
                "１".encode(),
            ):
                yield f"index {index!r}", b"\n".join([*before, b"index " + index, *after])
    hashes = [at for at, line in enumerate(lines) if re.fullmatch(rb"[A-Za-z0-9+/]{43}=", line)]
    if len(hashes) > 1:
        swapped = list(lines)
        swapped[hashes[0]], swapped[hashes[-1]] = lines[hashes[-1]], lines[hashes[0]]
        yield "first and last hash swapped", b"\n".join(swapped)


def _by_byte(data: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    for _ in range(30):
        at = chance.randrange(len(data))
        byte = bytes([chance.randrange(256)])
        yield f"byte {at} is {byte!r}", data[:at] + byte + data[at + 1 :]
    for _ in range(4):
        at = chance.randrange(len(data))
        yield f"cut at {at}", data[:at]
        yield f"byte {at} gone", data[:at] + data[at + 1 :] if data[at] != data[at - 1] else data
        yield f"byte {at} more", data[:at] + bytes([chance.randrange(1, 32)]) + data[at:]


def _by_form(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "CRLF", data.replace(b"\n", b"\r\n")
    yield "CR", data.replace(b"\n", b"\r")
    for what, more in (("newline", b"\n"), ("text", b"x"), ("NUL", b"\0"), ("itself", data), ("a line", b"more\n")):
        yield f"{what} after the end", data + more
    for what, more in (("a byte order mark", b"\xef\xbb\xbf"), ("newline", b"\n"), ("space", b" ")):
        yield f"{what} before the beginning", more + data
    yield "without the last newline", data[:-1]
    yield "UTF-16", data.decode().encode("utf-16")
    yield "not UTF-8", data.replace("—".encode(), b"\xff\xfe\xfd")
    yield "surrogate", data.replace("—".encode(), b"\xed\xa0\x80")
    yield "hyphen for the dash", data.replace("—".encode(), b"-")
    yield "URL-safe base64", data.replace(b"+", b"-").replace(b"/", b"_")
    yield "upper case", data.upper()
    yield "empty", b""
    head, _, tail = data.rpartition(b" ")
    raw = base64.b64decode(tail)
    s = int.from_bytes(raw[36:], "little")
    order = (s + GROUP_ORDER).to_bytes(32, "little")
    forged = {
        "S plus the group's order": raw[:36] + order,
        "S is zero": raw[:36] + bytes(32),
        "R is the neutral point": raw[:4] + b"\1" + bytes(31) + raw[36:],
        "R is no point": raw[:4] + b"\2" + bytes(31) + raw[36:],
        "a byte more": raw + b"\0",
        "a byte less": raw[:-1],
        "no signature": raw[:4],
        "half a key id": raw[:2],
        "another key id": bytes([raw[0] ^ 1]) + raw[1:],
    }
    for what, signature in forged.items():
        yield f"signature: {what}", head + b" " + base64.b64encode(signature) + b"\n"
        yield (
            f"a wrong signature beside: {what}",
            data + data.split(b"\n")[-2].rpartition(b" ")[0] + b" " + base64.b64encode(signature) + b"\n"
            if what != "another key id"
            else data,
        )
    yield "a signature of an unknown key only", head.rpartition(b"\n")[0] + b"\n" + _line(STRANGER, data) + b"\n"
    yield "an extension line", head.replace(b"\n\n\xe2", b"\nmore\n\n\xe2") + b" " + tail
    yield "101 signatures", data + (data.split(b"\n")[-2] + b"\n") * 100


def _line(signer: Signer, data: bytes) -> bytes:
    text = data.decode().rpartition("\n\n")[0].split("\n\n")[-1] + "\n"
    return sign_note(text, signer).split("\n")[-2].encode()


def _keys(key: str) -> Iterator[tuple[str, str]]:
    name, key_id, material = key.split("+", 2)
    yield "another key of that name", str(STRANGER.verifier)
    yield "a key named after another log", str(Signer.of("example.org/lo", b"s" * 32).verifier)
    yield "no key", ""
    yield "half a key", key[:-3]
    yield "a key with another id", f"{name}+{'0' * 8}+{material}"
    yield "a key in capitals", f"{name}+{key_id.upper()}+{material}" if key_id.upper() != key_id else f"{key}+"
    yield "a key with another name", f"{name}x+{key_id}+{material}"
    raw = base64.b64decode(material)
    yield "a key of another kind", f"{name}+{key_id}+{base64.b64encode(bytes([9]) + raw[1:]).decode()}"
    same = VerifierKey.parse(str(Signer.of(name, b"t" * 32).verifier))
    yield "two keys, neither of them the log's", f"{STRANGER.verifier}\n{same}"


# ---- what a log may sign oddly


def written(body: bytes, signer: Signer, *, origin: str = ORIGIN, size: int = 1, more: str = "") -> str:
    """A receipt for the first entry of a log, with any body, signed in truth."""
    leaves = [merkle.leaf_hash(body), *(merkle.leaf_hash(bytes([n])) for n in range(size - 1))]
    text = f"{origin}\n{size}\n{base64.b64encode(merkle.root(leaves)).decode()}\n{more}"
    path = "".join(f"{base64.b64encode(each).decode()}\n" for each in merkle.inclusion_proof(0, leaves))
    return (
        f"c2sp.org/tlog-proof@v1\nextra {base64.b64encode(body).decode()}\nindex 0\n{path}\n{sign_note(text, signer)}"
    )


ENTRY: dict[str, Any] = {
    "actor": "owner", "at": "2026-11-21T12:00:00.000000+00:00", "data": {"n": 1}, "door": "cli", "id": "ent_1",
    "kind": "test.noted.v1", "subject": "s",
}  # fmt: skip


def body(**changes: Any) -> bytes:
    """An entry's bytes with fields changed; None takes one away."""
    changed = {name: value for name, value in {**ENTRY, **changes}.items() if value is not None}
    return json.dumps(changed, ensure_ascii=False).encode()


ODD_BODIES: dict[str, bytes] = {
    "an entry": body(), "personal": body(personal="ab" * 32), "no microseconds": body(at="2026-11-21T12:00:00+08:00"),
    "personal is a number": body(personal=1), "a field more": body(more="x"), "a field less": body(door=None),
    "data is a list": body(data=[1]), "data is nothing": body().replace(b'{"n": 1}', b"null"), "a number for a kind": body(kind=7),
    "no offset": body(at="2026-11-21T12:00:00.000000"), "no such day": body(at="2026-02-30T12:00:00.000000+00:00"),
    "no such month": body(at="2026-13-01T12:00:00.000000+00:00"), "no such hour": body(at="2026-01-01T24:00:00.000000+00:00"),
    "no such second": body(at="2026-01-01T23:59:60.000000+00:00"), "a leap day": body(at="2028-02-29T12:00:00.000000+00:00"),
    "no leap day": body(at="2027-02-29T12:00:00.000000+00:00"), "no such offset": body(at="2026-01-01T12:00:00.000000+24:00"),
    "time in other digits": body(at="２026-01-01T12:00:00.000000+00:00"), "a newline in the time": body(at="2026-01-01T12:00:00.000000+00:00\n"),
    "no JSON": b"{", "nothing": b"", "a list": b"[]", "text": b'"x"', "true": b"true", "not UTF-8": b'{"a":"\xff"}', "twice": body() + body(),
    "a byte order mark": b"\xef\xbb\xbf" + body(), "deep": b"[" * 30000, "names of the prototype": body(data={"__proto__": 1, "constructor": {}}),
    "a prototype": body().replace(b'"actor"', b'"__proto__"'), "half a surrogate": body(subject=None)[:-1] + b',"subject":"\\ud800"}',
    "single quotes": body().replace(b'"', b"'"), "trailing comma": body()[:-1] + b",}",
}  # fmt: skip
ODD_ORIGINS = (
    f"{ORIGIN}/belt/seg-1", f"{ORIGIN}/other", f"{ORIGIN}x", "example.org", "example.org/lo", "example.org/log ", "x y", "日志",
    f"{ORIGIN}//", f"/{ORIGIN}", "e" * 3000,
)  # fmt: skip
STRICTER: dict[str, bytes] = {
    "NaN": body().replace(b"1}", b"NaN}"), "Z for an offset": body(at="2026-11-21T12:00:00Z"),
    "milliseconds": body(at="2026-11-21T12:00:00.123+00:00"), "a week": body(at="2026-W47-6T12:00:00+00:00"),
    "an offset with seconds": body(at="2026-11-21T12:00:00.000000+00:00:30"), "a space for the T": body(at="2026-11-21 12:00:00+00:00"),
}  # fmt: skip
"""What the house reads and its ledger never writes; the tools for strangers need not know it."""


def odd_questions() -> Iterator[Asked]:
    """Receipts that a log signed in truth, though they are unusual; judges must agree, whatever they say."""
    signer = Signer.of(ORIGIN, b"k" * 32)
    key = str(signer.verifier)
    for what, each in ODD_BODIES.items():
        yield Asked(what=f"body: {what}", data=written(each, signer).encode(), key=key)
    for origin in ODD_ORIGINS:
        yield Asked(what=f"origin {origin[:30]}", data=written(body(), signer, origin=origin).encode(), key=key)
    record = written(b'{"toString":1,"kind":2}', signer, origin=f"{ORIGIN}/belt/seg-2", size=5)
    yield Asked(what="a record with strange names", data=record.encode(), key=key)
    yield Asked(what="extension lines", data=written(body(), signer, size=9, more="ext\nmore\n").encode(), key=key)
    yield Asked(what="a text of two parts", data=written(body(), signer, more="\nmore\n").encode(), key=key)
    empty = written(body(), signer).replace("index 0", "index 1")
    yield Asked(what="an index outside", data=empty.encode(), key=key)
    good = written(body(), signer, size=3).encode()
    line = good.split(b"\n")[-2]
    yield Asked(what="100 signatures", data=good + (line + b"\n") * 99, key=key)
    yield Asked(what="101 signatures", data=good + (line + b"\n") * 100, key=key)
    for name in (
        "\u00a0",
        "\u200b",
        "\ufeff",
        "\ue000",
        "\u2028",
        "\u3000",
        "\u00ad",
        "日志",
        "é",
        "a+b",
        "\u0378",
        "",
        "a\tb",
        "\x7f",
    ):
        odd = f"— w{name} ".encode() + base64.b64encode(b"id12sig") + b"\n"
        yield Asked(what=f"another signer called w{name!r}", data=good + odd, key=key)
    for size in (0, 2**63, 10**19 - 1):
        text = f"{ORIGIN}\n{size}\n{base64.b64encode(merkle.leaf_hash(body())).decode()}\n"
        head = written(body(), signer).partition("\n\n")[0]
        yield Asked(what=f"a tree of {size}", data=f"{head}\n\n{sign_note(text, signer)}".encode(), key=key)


def stricter_questions() -> Iterator[Asked]:
    """What the house takes and strangers' tools refuse."""
    signer = Signer.of(ORIGIN, b"k" * 32)
    for what, each in STRICTER.items():
        yield Asked(what=what, data=written(each, signer).encode(), key=str(signer.verifier))


# ---- witnesses (C2SP tlog-cosignature), written from the specification, not with the house's own


class Witness:
    """Somebody who cosigns checkpoints with Ed25519."""

    def __init__(self, name: str, seed: bytes) -> None:
        self.name, self._key = name, Ed25519PrivateKey.from_private_bytes(seed)
        raw = b"\x04" + self._key.public_key().public_bytes_raw()
        self._id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        self.key = f"{name}+{self._id.hex()}+{base64.b64encode(raw).decode()}"

    def line(self, text: str, at: int) -> str:
        """The line that says: seen, then."""
        signature = self._key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        return f"— {self.name} {base64.b64encode(self._id + at.to_bytes(8) + signature).decode()}\n"
