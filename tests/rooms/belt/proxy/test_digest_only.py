"""Where only digests are kept no text is in the records, on either way, and a text shown later can be held against it."""

from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.proxy.bench import ID_CARD, answering, in_belt
from tests.rooms.belt.proxy.test_quick import ASKED, Seen, asks

from safebelt.rooms.belt.decide.quotas import estimated, texts_of
from safebelt.rooms.belt.model import ContentMode
from safebelt.rooms.belt.records.digests import fits

SAID = "Hello, 你好."


def halves(tmp_path: Path, body: dict[str, Any] = ASKED, **options: Any) -> tuple[list[Any], list[Any]]:
    _, intents, outcomes = in_belt(tmp_path, answering(SAID), asks(3, body), **options)
    return [each["content"] for each in intents], [each["content"] for each in outcomes]


@pytest.mark.interpreted
def test_no_text_is_kept_on_either_way_and_the_shown_text_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)

    asked, said = halves(tmp_path, content=ContentMode.DIGEST)

    assert seen.taken == 2, "both ways were gone"
    everything = b"".join(path.read_bytes() for path in (tmp_path / "records").glob("*.log"))
    assert b"Say hello" not in everything
    assert "你好".encode() not in everything
    for content in asked:
        assert [tuple(fit) for fit in fits(content, frozenset({"Say hello, please."}))] == [
            ("messages[0].content", True)
        ]
        assert not any(fit.fits for fit in fits(content, frozenset({"Say hello, please"})))
    assert all(any(fit.fits for fit in fits(content, frozenset({SAID}))) for content in said)
    assert len({content["digest_salt"] for content in asked}) == 3, "one text never looks the same twice"


def test_a_stream_leaves_no_text_either(tmp_path: Path) -> None:
    asked, said = halves(tmp_path, {**ASKED, "stream": True}, content=ContentMode.DIGEST)

    assert len(asked) == len(said) == 3
    assert all("texts" not in content for content in (*asked, *said))
    assert all(any(fit.fits for fit in fits(content, frozenset({SAID}))) for content in said)


def test_a_belt_that_keeps_texts_still_does(tmp_path: Path) -> None:
    asked, _ = halves(tmp_path)

    assert asked[0]["texts"] == {"messages[0].content": "Say hello, please."}
    assert fits(asked[0], frozenset({"Say hello, please."}))[0].fits


def test_what_is_digested_is_the_masked_text_so_that_no_number_can_be_tried(tmp_path: Path) -> None:
    body = {**ASKED, "messages": [{"role": "user", "content": f"My number is {ID_CARD}"}]}

    asked, _ = halves(tmp_path, body, content=ContentMode.DIGEST)

    assert not any(fit.fits for fit in fits(asked[0], frozenset({f"My number is {ID_CARD}"})))


def test_quotas_estimate_the_same_from_digests(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    digests, texts = halves(tmp_path / "a", content=ContentMode.DIGEST), halves(tmp_path / "b")

    for digest, text in zip((*digests[0], *digests[1]), (*texts[0], *texts[1]), strict=True):
        assert estimated(texts_of(digest)) == estimated(texts_of(text)) > 0
