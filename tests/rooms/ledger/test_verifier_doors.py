"""Where a stranger gets the two tools: without signing in, whole, and the page bound to its own script."""

import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from tests.rooms.ledger import verifier_cases as cases
from tests.rooms.ledger.conftest import Desk
from tests.rooms.ledger.test_doors import build, run

from safebelt.kernel.errors import Unavailable
from safebelt.rooms.ledger.room import ROOM
from safebelt.rooms.ledger.verifier import PAGE, SCRIPT, page_policy, tools
from safebelt.web.headers import CONTENT_SECURITY_POLICY, add_security_headers

HTML = tools()[PAGE].body.decode()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = cases.real_desk(tmp_path)
    yield found
    found.sql.close()


@pytest.fixture
def stranger(desk: Desk) -> Iterator[TestClient[Litestar]]:
    """Somebody who may do nothing, at an application with the house's headers and all the ledger's doors."""
    app = build(desk.ledger, actions=set())
    served = {each.path for each in app.routes}
    for controller in ROOM.pages:
        if not any(path.startswith(str(controller.path)) for path in served):
            app.register(controller)
    app.before_send.append(add_security_headers)
    with TestClient(app) as found:
        yield found


@pytest.mark.parametrize(
    ("name", "kind"), [(PAGE, "text/html; charset=utf-8"), (SCRIPT, "text/x-python; charset=utf-8")]
)
def test_each_tool_is_given_whole_to_anybody_and_not_again_to_who_has_it(
    stranger: TestClient[Litestar], name: str, kind: str
) -> None:
    got = stranger.get(f"/verifier/{name}")
    etag = got.headers["etag"]

    assert (got.status_code, got.content, got.headers["content-type"]) == (200, tools()[name].body, kind)
    assert etag == f'"{hashlib.sha256(got.content).hexdigest()}"'
    assert got.headers["cache-control"] == "public, no-cache"
    assert got.headers["x-content-type-options"] == "nosniff"
    for condition, status in ((etag, 304), (f'"x", W/{etag}', 304), ("*", 304), ('"x"', 200), ("", 200)):
        again = stranger.get(f"/verifier/{name}", headers={"if-none-match": condition})
        assert (condition, again.status_code, again.headers["etag"]) == (condition, status, etag)
        assert again.content == (b"" if status == 304 else got.content)


def test_nothing_else_is_served_there(stranger: TestClient[Litestar]) -> None:
    for name in ("__init__.py", "doors.py", "x", "..%2froom.py", "%2e%2e/room.py", "verifier.html%00", ""):
        assert stranger.get(f"/verifier/{name}").status_code == 404


def test_only_the_page_may_run_its_own_inline_script_and_nothing_more(stranger: TestClient[Litestar]) -> None:
    page, code, elsewhere = (
        stranger.get(path).headers["content-security-policy"]
        for path in (f"/verifier/{PAGE}", f"/verifier/{SCRIPT}", "/en/ledger/check")
    )

    assert page == f"{page_policy(HTML)}; frame-ancestors 'none'"
    assert page.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in page
    assert code == elsewhere == CONTENT_SECURITY_POLICY
    assert "sha256" not in elsewhere


def test_the_page_says_the_same_of_itself_where_no_server_speaks_for_it() -> None:
    said = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', HTML)

    assert said is not None
    assert said[1] == page_policy(HTML), "after a change of script or style, write the policy into the page anew"
    assert page_policy(HTML.replace("use strict", "use strict ")) != said[1]


def test_the_page_is_one_file_that_asks_nobody_for_anything() -> None:
    addresses = re.findall(r'\b(?:src|href|action|srcset|data)="([^"]*)"', HTML)
    script = re.search(r"<script>(.*)</script>", HTML, re.DOTALL)

    assert addresses == ["data:,"]
    assert script is not None
    assert not re.search(r"https?://|url\(|@import", HTML)
    assert not re.findall(
        r"\b(?:eval|Function|fetch|XMLHttpRequest|WebSocket|innerHTML|outerHTML|import)\b\s*[(=]", script[1]
    )
    assert len(tools()[PAGE].body) < 64 * 1024


class Spoken(HTMLParser):
    """Collects what is read, with the language it is said to be in."""

    def __init__(self) -> None:
        super().__init__()
        self.langs: list[str] = []
        self.heard: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link", "input"}:
            self.langs.append(dict(attrs).get("lang") or (self.langs[-1] if self.langs else ""))

    def handle_endtag(self, tag: str) -> None:
        self.langs.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and self.langs[2:]:
            self.heard.append((self.langs[-1], data.strip()))


def test_the_page_says_everything_in_both_languages() -> None:
    spoken = Spoken()
    spoken.feed(re.sub(r"<(script|style)>.*?</\1>", "", HTML, flags=re.DOTALL))
    inside = [(lang, text) for lang, text in spoken.heard if re.search(r"[A-Za-z]{2}|[\u4e00-\u9fff]", text)]
    chinese = [
        text for lang, text in inside if re.search("[\u4e00-\u9fff]", text) and text != "核验回执 · Check a receipt"
    ]
    english = [text for lang, text in inside if lang == "en"]
    written = re.findall(
        r'[`"]([^`"\n]*[\u4e00-\u9fff][^`"\n]*)[`"]', re.search(r"<script>(.*)</script>", HTML, re.DOTALL)[1]
    )  # type: ignore[index]

    assert len(chinese) == len(english) > 15
    assert len(written) > 50
    assert {text for text in written if not re.search(r"\|.*[A-Za-z]{2}", text)} == set()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_of_the_ledger_offer_the_tools_with_their_digests(desk: Desk, lang: str) -> None:
    (entry,) = desk.note("a")
    desk.ledger.advance()
    with TestClient(build(desk.ledger)) as reader:
        check, shown = (reader.get(f"/{lang}/ledger/{each}").text for each in ("check", entry))

    for tool in tools().values():
        assert f'href="/verifier/{tool.name}" download' in check
        assert tool.sha256 in check
    assert f'href="/verifier/{PAGE}#{lang}"' in check
    assert 'id="offline"' in check
    assert f'href="/{lang}/ledger/check#offline"' in shown


def test_the_tools_are_written_to_a_folder_by_command(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "for" / "strangers"

    answer = run(desk.ledger, "verifier", "-o", str(folder))

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {t.name: t.body for t in tools().values()}
    assert all(f"{tool.sha256}  {tool.name}" in answer.says.en for tool in tools().values())
    assert sorted(answer.data["files"]) == sorted(str(path) for path in folder.iterdir())
    with pytest.raises(Unavailable):
        run(desk.ledger, "verifier", "-o", str(folder / PAGE))
