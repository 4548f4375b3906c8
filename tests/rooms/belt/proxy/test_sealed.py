"""Where originals are sealed the records hold masked texts and boxes that only the auditor's key opens, on every way."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.rooms.belt.proxy.bench import ID_CARD, Belt, answering, in_belt, post, raw
from tests.rooms.belt.proxy.test_quick import ASKED, Seen, asks

from safebelt.engines.archive_age import Keys
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.model import ContentMode
from safebelt.rooms.belt.records import sealing
from safebelt.rooms.belt.records.sealing import Sealed, Sealer, sealed_in, unseal
from safebelt.rooms.belt.records.verify import verify

AUDITOR, OTHER = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
TO_AUDITOR, TO_OTHER = str(AUDITOR.to_public()), str(OTHER.to_public())
KEYS, WRONG = Keys(identities=(str(AUDITOR),)), Keys(identities=(str(OTHER),))
SECRET = f"My number is {ID_CARD}, call 13800138000."
SAID = f"Yours is {ID_CARD}."
TEXTS = {"messages[0].content": "半个\ud83d and whole"}


def records(tmp_path: Path, body: dict[str, Any], said: str = SAID, **options: Any) -> tuple[list[Any], list[Any]]:
    options = {"content": ContentMode.SEALED, "recipients": (TO_AUDITOR,), **options}
    _, intents, outcomes = in_belt(tmp_path, answering(said), asks(2, body), **options)
    return intents, outcomes


def opened(record: dict[str, Any], half: str, keys: Keys = KEYS) -> dict[str, str]:
    sealed = sealed_in(record["content"])
    assert sealed is not None
    return unseal(sealed, record["id"], half, keys)


def on_disk(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (tmp_path / "records").iterdir())


@pytest.mark.parametrize("stream", [False, True])
def test_no_original_is_on_disk_and_the_auditor_reads_what_was_asked_and_said(tmp_path: Path, stream: bool) -> None:
    body = {**ASKED, "messages": [{"role": "user", "content": SECRET}], "stream": stream}

    intents, outcomes = records(tmp_path, body)

    assert ID_CARD.encode() not in on_disk(tmp_path) and b"13800138000" not in on_disk(tmp_path)
    for intent, outcome in zip(intents, outcomes, strict=True):
        assert ID_CARD not in json.dumps(intent["content"]["texts"]), "what stands beside the box is masked"
        assert opened(intent, "intent")["messages[0].content"] == SECRET
        assert SAID in opened(outcome, "outcome").values()


def test_a_belt_that_seals_nothing_leaves_no_box(tmp_path: Path) -> None:
    intents, outcomes = records(tmp_path, ASKED, content=ContentMode.MASKED)

    assert all(sealed_in(each["content"]) is None for each in (*intents, *outcomes))


@pytest.mark.interpreted
def test_both_ways_seal_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)

    _, intents, outcomes = in_belt(
        tmp_path, answering("Hello."), asks(3), content=ContentMode.SEALED, recipients=(TO_AUDITOR,)
    )

    assert seen.taken == 2, "both ways were gone"
    assert {tuple(opened(each, "intent").items()) for each in intents} == {
        (("messages[0].content", "Say hello, please."),)
    }
    assert {tuple(opened(each, "outcome").items()) for each in outcomes} == {
        (("choices[0].message.content", "Hello."),)
    }


def test_an_arguments_original_is_sealed_where_a_tool_call_is_kept(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "pay", "arguments": json.dumps({"to": ID_CARD})}}

    options = {"content": ContentMode.SEALED, "recipients": (TO_AUDITOR,)}
    _, _, (outcome,) = in_belt(tmp_path, answering("", tool_calls=[call]), asks(1), **options)

    assert ID_CARD.encode() not in on_disk(tmp_path)
    assert any(ID_CARD in text for text in opened(outcome, "outcome").values())


def test_records_with_boxes_verify_and_a_changed_box_is_named(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> Belt:
        await raw(belt, post(ASKED))
        return belt

    belt = in_belt(tmp_path, answering(SAID), scenario, content=ContentMode.SEALED, recipients=(TO_AUDITOR,))

    def look() -> Any:
        return verify(tmp_path / "records", open_note=belt.open_note, sealed={}, log_origin="test.example/log")

    before = look()
    path = next((tmp_path / "records").glob("seg-*.log"))
    data = path.read_bytes()
    at = data.index(b'"box":"') + 10
    path.write_bytes(data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :])

    assert (before.holds, before.erased) == (Truth.TRUE, 0)
    assert [each.kind for each in look().findings if each.holds is Truth.FALSE] == ["content_changed"]


@pytest.mark.parametrize("recipients", [(), ("age1none",), (TO_AUDITOR, "ssh-ed25519 AAAA")])
def test_where_nobody_could_ever_open_it_nothing_passes(tmp_path: Path, recipients: tuple[str, ...]) -> None:
    async def scenario(belt: Belt) -> tuple[bytes, list[Any], int]:
        return await raw(belt, post(ASKED)), belt.records("intent"), len(belt.seen)

    options = {"content": ContentMode.SEALED, "recipients": recipients}
    answer, intents, asked = in_belt(tmp_path, answering(SAID), scenario, **options)

    assert b" 503 " in answer[:20] and b"records" in answer
    assert (intents, asked) == ([], 0), "the model was not even asked"


# ---------------------------------------------------------------- the box itself


def test_another_key_opens_nothing_and_one_of_two_opens_all() -> None:
    box = sealed_in({"sealed": Sealer((TO_AUDITOR, TO_OTHER), chance=os.urandom).seal("rec_1", "intent", TEXTS)})
    alone = sealed_in({"sealed": Sealer((TO_AUDITOR,), chance=os.urandom).seal("rec_1", "intent", TEXTS)})
    assert box is not None and alone is not None

    assert unseal(box, "rec_1", "intent", KEYS) == unseal(box, "rec_1", "intent", WRONG) == TEXTS
    with pytest.raises(Invalid):
        unseal(alone, "rec_1", "intent", WRONG)
    with pytest.raises(Invalid):
        unseal(alone, "rec_1", "intent", Keys())


@pytest.mark.parametrize("change", ["record", "half", "step", "box", "key", "short"])
def test_a_box_that_was_moved_or_changed_does_not_open(change: str) -> None:
    sealer = Sealer((TO_AUDITOR,), chance=os.urandom)
    sealer.seal("rec_0", "intent", TEXTS)
    made = sealer.seal("rec_1", "intent", TEXTS)
    where = {"record_id": "rec_1", "half": "intent"}
    if change in ("box", "key"):
        raw = bytearray(base64.b64decode(made[change]))
        raw[len(raw) // 2] ^= 1
        made[change] = base64.b64encode(raw).decode()
    elif change == "short":
        made["box"] = made["box"][:8]
    elif change == "step":
        made["step"] = 0
    else:
        where |= {"record_id": "rec_2"} if change == "record" else {"half": "outcome"}
    box = sealed_in({"sealed": made})
    assert box is not None

    with pytest.raises(Invalid):
        unseal(box, where["record_id"], where["half"], KEYS)


@pytest.mark.parametrize(
    "content", [None, {}, {"sealed": None}, {"sealed": {}}, {"sealed": {"box": 1, "for": [], "key": "", "step": 0}}]
)
def test_what_is_no_box_is_none(content: Any) -> None:
    assert sealed_in(content) is None


def test_what_would_keep_a_reader_busy_is_refused() -> None:
    made = Sealer((TO_AUDITOR,), chance=os.urandom).seal("rec_1", "intent", TEXTS)

    with pytest.raises(Invalid):
        unseal(Sealed(box=made["box"], recipients=(), key=made["key"], step=10**12), "rec_1", "intent", KEYS)


def test_every_record_has_a_key_of_its_own_and_none_leads_back() -> None:
    sealer = Sealer((TO_AUDITOR,), chance=os.urandom)
    first, second = (sealer.seal("rec_1", "intent", TEXTS) for _ in range(2))

    assert first["key"] == second["key"] and first["box"] != second["box"]
    in_memory = sealer._chain
    forward = [in_memory := sealing._next(in_memory) for _ in range(sealing.KEY_RECORDS)]
    for chain in forward:
        with pytest.raises(InvalidTag):
            ChaCha20Poly1305(sealing._box_key(chain)).decrypt(bytes(12), base64.b64decode(second["box"]), None)


def test_a_seed_lasts_so_many_records_and_so_long() -> None:
    now = [0.0]
    sealer = Sealer((TO_AUDITOR,), chance=os.urandom, ticks=lambda: now[0])

    keys = [sealer.seal("rec_1", "intent", TEXTS)["key"] for _ in range(sealing.KEY_RECORDS + 1)]
    now[0] += sealing.KEY_SECONDS
    later = sealer.seal("rec_1", "intent", TEXTS)

    assert [len(set(keys[:-1])), len(set(keys)), later["key"] in keys, later["step"]] == [1, 2, False, 0]
    last = sealer.seal("rec_2", "outcome", TEXTS)
    box = sealed_in({"sealed": last})
    assert box is not None and unseal(box, "rec_2", "outcome", KEYS) == TEXTS


def test_an_ssh_key_reads_it_too() -> None:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    box = sealed_in({"sealed": Sealer((public,), chance=os.urandom).seal("rec_1", "intent", TEXTS)})

    assert box is not None and unseal(box, "rec_1", "intent", Keys(identities=(private,))) == TEXTS
