"""Keys of text watermarks: an authority can read by itself; each is given out sealed, and the ledger says so."""

import io
import json

import numpy as np
import pyrage
import pytest
from tests.rooms.labelling.watermark.test_text import written

from safebelt.engines.archive_age import Keys, opening
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.rooms.labelling.cli import commands
from safebelt.rooms.labelling.model import Verdict
from safebelt.rooms.labelling.service.textmarks import MAX_KEYS, read_text, text_key
from safebelt.rooms.labelling.watermark.text import Processor

RATE = 1e-4


@pytest.fixture(scope="module")
def authority():
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def made(labelling, served, authority, tmp_path):
    return labelling.make_text_key(served.id, [str(authority.to_public())], tmp_path / "escrow.age", by=OWNER)


def opened(path, identity, tmp_path):
    with opening(io.BytesIO(path.read_bytes()), Keys(identities=(str(identity),))) as file:
        (tmp_path / "opened.json").write_bytes(file.read())
    return text_key(tmp_path / "opened.json")


def test_the_authority_reads_with_what_it_was_given_and_nobody_elses_help(made, authority, tmp_path):
    ids = written(Processor(made.secret))

    theirs = opened(tmp_path / "escrow.age", authority, tmp_path)
    found = read_text(ids, [theirs], rate=RATE)

    assert theirs == made
    assert found.verdict is Verdict.OK
    assert found.key_id == made.id and found.p_value < RATE
    assert made.secret.hex().encode() not in (tmp_path / "escrow.age").read_bytes()
    with pytest.raises(Invalid):
        opened(tmp_path / "escrow.age", pyrage.x25519.Identity.generate(), tmp_path)


def test_after_a_rotation_old_texts_are_still_read_and_new_ones_by_the_new_key(
    labelling, made, served, authority, tmp_path
):
    newer = labelling.make_text_key(served.id, [str(authority.to_public())], tmp_path / "second.age", by=OWNER)
    keys = labelling.text_keys(served.id)

    old, new = (labelling.read_text(written(Processor(one.secret)), keys, rate=RATE) for one in (made, newer))

    assert [one.number for one in keys] == [1, 2]
    assert (old.verdict, old.key_id) == (Verdict.OK, made.id)
    assert (new.verdict, new.key_id) == (Verdict.OK, newer.id)
    assert made.secret != newer.secret


def test_what_carries_no_mark_is_unknown_and_never_human(labelling, made, served):
    keys = labelling.text_keys(served.id)

    plain, short = (labelling.read_text(ids, keys, rate=RATE) for ids in (written(None), list(range(20))))
    none = labelling.read_text(written(None), [], rate=RATE)

    assert {one.verdict for one in (plain, short, none)} == {Verdict.UNKNOWN}
    assert "does not mean that a human" in plain.reason.says.en and "不表示文本出自人手" in plain.reason.says.zh
    assert "Only 16 tokens" in short.reason.says.en
    assert "no text watermark key" in none.reason.says.en


def test_every_key_that_is_tried_makes_the_claim_weaker(made):
    ids = written(Processor(made.secret), 60)

    one, many = read_text(ids, [made], rate=RATE), read_text(ids, [made] * 4, rate=RATE)

    assert many.p_value == pytest.approx(4 * one.p_value)


def test_making_and_giving_out_are_entries_that_hold_no_key(labelling, ledger, made, served, authority, tmp_path):
    labelling.release_text_key(
        served.id, [str(authority.to_public())], tmp_path / "engine.age", to="engine 2", reason="new machine", by=OWNER
    )

    entries = ledger.entries(subject=made.id)

    assert [one.kind for one in entries] == ["labelling.text_key_released.v1", "labelling.text_key_made.v1"]
    said = json.dumps([{"data": one.data, "apart": one.personal} for one in entries])
    assert made.secret.hex() not in said
    assert "engine 2" not in json.dumps([one.data for one in entries])
    assert opened(tmp_path / "engine.age", authority, tmp_path) == made


def test_keys_are_for_their_owner_alone_and_no_file_is_overwritten(labelling, made, served, authority, tmp_path):
    kept = tmp_path / "keys" / "text-watermarks" / served.id / "0001.json"

    assert kept.stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict):
        labelling.make_text_key(served.id, [str(authority.to_public())], tmp_path / "escrow.age", by=OWNER)
    with pytest.raises(Invalid):
        labelling.make_text_key(served.id, ["age1nothing"], tmp_path / "x.age", by=OWNER)
    with pytest.raises(Invalid):
        labelling.make_text_key(served.id, [], tmp_path / "x.age", by=OWNER)
    assert len(labelling.text_keys(served.id)) == 1 and not (tmp_path / "x.age").exists()


def test_too_many_keys_a_system_nobody_knows_and_a_spoilt_file_are_said(labelling, served, authority, tmp_path):
    public = [str(authority.to_public())]
    for number in range(MAX_KEYS):
        labelling.make_text_key(served.id, public, tmp_path / f"{number}.age", by=OWNER)
    with pytest.raises(Conflict, match="16 keys"):
        labelling.make_text_key(served.id, public, tmp_path / "more.age", by=OWNER)
    with pytest.raises(NotFound):
        labelling.make_text_key("sys_none", public, tmp_path / "more.age", by=OWNER)
    with pytest.raises(NotFound):
        labelling.release_text_key("sys_none", public, tmp_path / "more.age", to="x", reason="y", by=OWNER)
    assert labelling.text_keys("../../etc") == []

    (tmp_path / "keys" / "text-watermarks" / served.id / "0001.json").write_text("{")
    with pytest.raises(Unavailable):
        labelling.text_keys(served.id)


@pytest.mark.parametrize("said", ["", "[]", "[" * 5000, '{"format": "safebelt-text-watermark/1"}', "\x00" * 100_000])
def test_what_is_no_key_is_refused(said, tmp_path):
    (tmp_path / "key.json").write_text(said)

    with pytest.raises(Invalid, match="no text watermark key"):
        text_key(tmp_path / "key.json")


@pytest.mark.parametrize(("ids", "rate"), [([1] * 50_001, RATE), ([2**31], RATE), ([-1], RATE), ([1], 0.0), ([1], 1.0)])
def test_what_are_no_tokens_or_is_no_rate_is_refused(ids, rate):
    with pytest.raises(Invalid):
        read_text(ids, [], rate=rate)


def test_the_shell_makes_lists_and_detects(labelling, served, authority, tmp_path):
    app, public = commands(labelling), str(authority.to_public())

    def run(*said):
        return app(["text-watermark", *(str(one) for one in said)], result_action="return_value")

    made = run("make", served.id, "--authority", public, "--escrow", tmp_path / "e.age")
    (key,) = labelling.text_keys(served.id)
    for name, ids in (("marked", written(Processor(key.secret))), ("plain", written(None))):
        (tmp_path / f"{name}.json").write_text(json.dumps(ids))
    found = run("detect", tmp_path / "marked.json", "--system", served.id)
    plain = run("detect", tmp_path / "plain.json", "--system", served.id)

    assert made.data["number"] == 1
    assert [one["id"] for one in run("keys", served.id).data] == [made.data["id"]]
    assert (found.exit_code, found.data["verdict"]) == (0, "ok")
    assert (plain.exit_code, plain.data["verdict"]) == (3, "unknown")
    assert key.secret.hex() not in json.dumps([made.data, found.data])


@pytest.mark.parametrize("said", ["", "no list", "[1, true]", "[1.5]", "{}", "[" * 100_000])
def test_the_shell_refuses_what_are_no_tokens(labelling, certificates, said, tmp_path):
    (tmp_path / "ids.json").write_text(said)

    with pytest.raises(Invalid):
        commands(labelling)(["text-watermark", "detect", str(tmp_path / "ids.json")], result_action="return_value")


def test_a_text_is_read_by_its_models_own_tokenizer(labelling, served, made, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {f"w{number}": number for number in range(300)}
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="w0"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    model.save(str(tmp_path / "tokenizer.json"))
    text = tmp_path / "text.txt"
    text.write_text(" ".join(f"w{one}" for one in written(Processor(made.secret))))
    words = ["text-watermark", "detect", str(text), "--system", served.id, "--tokenizer"]

    found = commands(labelling)([*words, str(tmp_path / "tokenizer.json")], result_action="return_value")

    assert found.exit_code == 0 and np.isfinite(found.data["p_value"])
    with pytest.raises(Invalid, match="no tokenizer"):
        commands(labelling)([*words, str(text)], result_action="return_value")
