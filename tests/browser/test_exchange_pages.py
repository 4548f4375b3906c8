"""The page of a transcription: the sound that nobody listened to, the texts in their order, and who answered."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.browser.test_belt_pages import look
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome

from safebelt.engines.sql import Sql, metadata
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.service import texts_of

SOUND = {"bytes": 734003, "sha256": "5e" * 32}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    made = build(sql, tmp_path)
    with made.writing() as put:
        about = {"endpoint": "/v1/audio/transcriptions", "model": "whisper-1", "not_evaluated": ["file (audio)"]}
        put(intent("rec_sound", made.system_id, text="会议记录", sound=SOUND, **about))
        put(outcome("rec_sound", upstream="model-a.internal:8443", not_evaluated=["logprobs"]))
        put(intent("rec_forged", made.system_id, sound={"bytes": "<b>", "sha256": 7}))
        put(outcome("rec_forged", upstream=["no", "text"]))
    made.belt.index()
    yield made
    sql.close()


@pytest.mark.browser
@pytest.mark.parametrize(("lang", "judged_at"), [("zh", 1280), ("en", 390)])
def test_a_transcription_is_accessible_fits_and_says_that_nobody_listened(
    browser_page: Any, serve: Callable[[Any], str], house: House, lang: str, judged_at: int
) -> None:
    browser_page.goto(f"{serve(build_app(house))}/{lang}/belt/exchanges/rec_sound")
    for width in (1280, 390):
        browser_page.set_viewport_size({"width": width, "height": 900})
        look(browser_page, f"sound-{lang}-{width}", has_axe=width == judged_at)

    said = browser_page.inner_text("main")
    assert {"zh": "没有听", "en": "Nobody listened to it"}[lang] in said
    assert "734.0 kB" in said and SOUND["sha256"] in said
    assert "file (audio)" in said and "logprobs" in said
    assert "model-a.internal:8443" in said


def test_facts_of_a_wrong_kind_are_left_out(house: House) -> None:
    with TestClient(build_app(house)) as client:
        page = client.get("/en/belt/exchanges/rec_forged")

    assert page.status_code == 200 and "Nobody listened" not in page.text and "Answered by" not in page.text


def test_texts_are_in_the_order_of_their_numbers_not_of_their_letters() -> None:
    paths = [
        "text",
        "messages[10].content",
        "messages[2].content[11].text",
        "messages[2].content[9].text",
        "7",
        "x" * 9,
    ]
    record = Record(type="intent", id="rec_1", core={}, content={"texts": dict.fromkeys(paths, "said")})

    assert [path for path, _ in texts_of(record)] == [
        "7",
        "messages[2].content[9].text",
        "messages[2].content[11].text",
        "messages[10].content",
        "text",
        "x" * 9,
    ]
    deep = Record(type="intent", id="rec_1", core={}, content={"texts": {"9" * 9000: "a", "10": "b"}})
    assert [text for _, text in texts_of(deep)] == ["b", "a"]
