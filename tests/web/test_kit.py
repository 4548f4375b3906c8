"""The kit's parts: language, times, static files, live rows, macros."""

import asyncio
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader
from litestar import Litestar, Request, get
from litestar.response import ServerSentEvent
from litestar.testing import TestClient

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import LANGS, Text
from safebelt.web.doors import KIT_DOORS
from safebelt.web.language import as_lang, path_in, preferred
from safebelt.web.live import Update, live, updates
from safebelt.web.problems import problem_handlers
from safebelt.web.static_files import asset, assets
from safebelt.web.templating import fragment, moment, templates

STATIC = Path(str(files("safebelt") / "web" / "static"))
WEB_TEMPLATES = sorted(Path(str(files("safebelt"))).rglob("templates/*.html"))


@given(path=st.text(), lang=st.sampled_from(LANGS))
def test_a_path_keeps_its_page_when_its_language_changes(path: str, lang: str) -> None:
    there = path_in("/zh/" + path, lang)

    assert as_lang(there.split("/")[1]) == lang
    assert path_in(there, "zh") == "/zh/" + path


@given(st.text())
def test_any_accept_language_gives_a_language(header: str) -> None:
    assert preferred(header) in LANGS


def test_a_time_says_its_zone_in_both_languages() -> None:
    at = datetime(2026, 11, 21, 20, 5, 9, tzinfo=timezone(timedelta(hours=8)))

    assert moment(at, "zh") == "2026年11月21日 12:05:09 UTC"
    assert moment(at, "en") == "21 November 2026, 12:05:09 UTC"


@pytest.fixture
def client():
    app = Litestar(
        route_handlers=[*KIT_DOORS],
        template_config=templates([]),
        exception_handlers=problem_handlers(lambda prefix: f"{prefix}_1"),
        logging_config=None,
    )
    with TestClient(app) as found:
        yield found


def test_files_are_cached_for_a_year_only_under_their_digest(client: TestClient) -> None:
    stamped, plain = client.get(asset("theme.css")), client.get("/static/theme.css")

    assert "immutable" in stamped.headers["cache-control"]
    assert "immutable" not in plain.headers["cache-control"]
    assert client.get("/static/theme.css?v=000").headers["cache-control"] == plain.headers["cache-control"]
    again = client.get("/static/theme.css", headers={"if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["..%2f..%2f__init__.py", "%2e%2e/layout.html", "vendor/README.md", "vendor", "nothing.css"]
)
def test_nothing_but_the_files_meant_is_served(client: TestClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


def test_no_file_of_ours_points_at_another_machine_or_at_marks_that_are_not_ours() -> None:
    for name, found in assets().items():
        text = found.body.decode()
        if name.endswith(".css"):
            faces = re.findall(
                r"@font-face\s*{([^}]*)}", text
            )  # a font of the reader's own machine is fetched from nowhere
            assert all(re.search(r"src: (local\(\"[^\"]+\"\)(, )?)+;", face) for face in faces), name
            assert "GDS" not in text, name
            assert not re.findall(r"url\((?!\"?data:)", text), name
            assert "@import" not in text, name
        if name in ("live.js", "safebelt.js"):
            assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.M), name
    for vendored in (STATIC / "vendor").iterdir():
        assert vendored.is_file() or (vendored / "LICENSE").is_file(), vendored


@pytest.mark.parametrize("path", WEB_TEMPLATES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_no_template_holds_inline_script_or_style_or_leads_elsewhere(path: Path) -> None:
    # what is data for search engines (JSON-LD) never runs
    text = path.read_text("utf-8").replace('<script type="application/ld+json">', "")

    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=\"|javascript:", text)
    assert not re.search(r"(src|href|action)=\"(https?:)?//", text)
    if "<form" in text and 'method="post"' in text:
        assert len(re.findall(r"csrf_field\(\)|csrf_input", text)) >= text.count('method="post"')


def test_polling_sends_what_is_new_once_and_keeps_the_line_warm() -> None:
    asked: list[str] = []

    def newer_than(cursor: str) -> list[Update]:
        asked.append(cursor)
        n = int(cursor or 0)
        return [Update(cursor=str(n + 1), html=f"<p id='{n + 1}'>")] if n < 2 else []

    async def collect() -> list[bytes]:
        return [message.encode() async for message in updates(newer_than, "", 0.01, 0.03, 0.15)]

    sent = asyncio.run(collect())

    rows = [message for message in sent if b"event: row" in message]
    assert [b"id: 1" in rows[0], b"id: 2" in rows[1], len(rows)] == [True, True, 2]
    assert any(b"still here" in message for message in sent)
    assert asked[:3] == ["", "1", "2"]


def test_a_reader_who_comes_back_goes_on_where_it_stopped() -> None:
    @get("/live", sync_to_thread=False)
    def door(request: Request) -> ServerSentEvent:
        def newer_than(cursor: str) -> list[Update]:
            return [Update(cursor="9", html="<p>one\ntwo</p>")] if cursor == "8" else []

        return live(request, newer_than, every_seconds=0.01, lifetime_seconds=0.05)

    with TestClient(Litestar(route_handlers=[door], logging_config=None)) as client:
        back = client.get("/live", headers={"last-event-id": "8"})
        new = client.get("/live")

    assert back.headers["content-type"].startswith("text/event-stream")
    assert "data: <p>one\r\ndata: two</p>" in back.text and "id: 9" in back.text
    assert "id: 9" not in new.text


@cache
def bare_app() -> Litestar:
    app = Litestar(template_config=templates([]), logging_config=None)
    app.template_engine.engine.loader.mapping["test"] = DictLoader({})
    return app


def render(source: str, lang: str, **context: object) -> str:
    app, name = bare_app(), f"{hash(source)}.html"
    sources = app.template_engine.engine.loader.mapping["test"].mapping
    sources[name] = '{% import "web/components.html" as ui with context %}' + source
    return fragment(app, f"test/{name}", lang=lang, **context)


REASON = Reason(
    says=Text(zh="全部", en="All <b>"),
    holds=Truth.UNKNOWN,
    cites=("rule.1",),
    because=(
        Reason(says=Text(zh="甲", en="one"), holds=Truth.TRUE),
        Reason(says=Text(zh="乙", en="two"), holds=Truth.FALSE),
    ),
)


def test_why_says_how_each_part_stands_in_words() -> None:
    en, zh = render("{{ ui.why(reason) }}", "en", reason=REASON), render("{{ ui.why(reason) }}", "zh", reason=REASON)

    assert all(word in en for word in ("holds", "does not hold", "unknown", "rule.1", "All &lt;b&gt;"))
    assert all(word in zh for word in ("成立", "不成立", "未知", "rule.1"))


@pytest.mark.parametrize(
    "name", ["allow", "flag", "mask", "refuse", "observe", "enforce", "run", "pause", "drain", "cut", "not_evaluated"]
)
def test_a_tag_has_a_sign_and_a_word_in_each_language(name: str) -> None:
    zh, en = (render("{{ ui.tag(name) }}", lang, name=name) for lang in LANGS)

    assert "<svg" in zh and "<svg" in en
    assert re.search(r"<span>[\u4e00-\u9fff]+</span>", zh)
    assert re.search(r"<span>[a-z ]+</span>", en)


def test_an_empty_table_teaches_and_a_filled_one_has_a_caption() -> None:
    call = "{% call ui.table('Things', ['A', {'text': 'B', 'numeric': true}], count, 'What fills it.') %}<tr></tr>{% endcall %}"

    empty, filled = render(call, "en", count=0), render(call, "en", count=1)

    assert "What fills it." in empty and "<table" not in empty
    assert "<caption" in filled and "What fills it." not in filled and 'aria-label="Things"' in filled


def test_the_timeline_and_the_summary_escape_what_they_show() -> None:
    items = [{"at": datetime(2026, 1, 2, tzinfo=UTC), "title": "<i>", "by": "usr_1", "text": "<u>"}]

    text = render("{{ ui.timeline(items) }}{{ ui.summary_list([('k', '<s>')]) }}", "en", items=items)

    assert "&lt;i&gt;" in text and "&lt;u&gt;" in text and "&lt;s&gt;" in text and "2 January 2026" in text
