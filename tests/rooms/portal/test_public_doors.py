"""Every public door: what it tells, in which form, to whom, and what no door ever tells."""

import csv
import json
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient
from tests.rooms.portal.conftest import SECRETS, House
from tests.rooms.portal.house import build_app

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.rooms.ledger.service import check, read_keys
from safebelt.rooms.portal.exports import feeds, tables
from safebelt.rooms.portal.exports.linked import qr

LISTS = (
    "/zh/register", "/en/register", "/en/register?q=public&page=2", "/en/register?stage=idea&place=eu", "/en/register?q=falcon",
    "/zh/register/statistics", "/en/register/statistics", "/en/register/statistics.csv", "/zh/register/feed.atom", "/en/register/feed.atom",
    "/robots.txt", "/sitemap.xml", "/sitemap.xml?after=start", "/api/public/systems", "/api/public/systems?q=heron&size=1",
    "/api/public/systems?cursor=zzz", "/api/public/systems.csv",
)  # fmt: skip
"""Every public address that is about no single system."""


def of_system(system_id: str) -> tuple[str, ...]:
    below = f"/api/public/systems/{system_id}"
    pages = (f"/zh/register/{system_id}", f"/en/register/{system_id}", below)
    return (*pages, *(f"{below}/versions/{n}{end}" for n in (1, 2, 3) for end in ("", "/proof")))


# --- what no door ever tells -------------------------------------------------------------------------------------


def test_no_public_door_tells_a_person_or_anything_that_is_not_public(public: House, visitor: TestClient) -> None:
    hidden = [one for name, one in public.systems.items() if not name.startswith(("public", "of a", "withdrawn"))]
    addresses = (*LISTS, *(each for one in public.systems.values() for each in of_system(one)))
    told = {address: visitor.get(address) for address in addresses}

    leaks = [
        (address, secret)
        for address, answer in told.items()
        for secret in (*SECRETS, *hidden)
        if secret in answer.text.replace(address.rpartition("?")[2] or "-", "") and secret not in address
    ]

    assert leaks == []
    assert sum(answer.status_code == 200 for answer in told.values()) > 20
    assert {answer.status_code for answer in told.values()} <= {200, 404, 410}
    assert {visitor.get(f"/en/register/{one}").status_code for one in hidden} == {404}


def test_the_search_for_leaks_would_find_one(visitor: TestClient) -> None:
    assert "public plain" in visitor.get("/en/register").text
    assert "public plain" in visitor.get("/api/public/systems.csv").text
    assert "public plain" in visitor.get("/en/register/feed.atom").text


def test_a_visitor_gets_no_cookie_keeps_the_security_headers_and_sees_nothing_of_the_belt(
    public: House, visitor: TestClient
) -> None:
    system = public.systems["public judged"]
    answers = [visitor.get(each) for each in (*LISTS, *of_system(system)[:3])]

    assert not [answer.url for answer in answers if "set-cookie" in answer.headers]
    assert {answer.headers["x-content-type-options"] for answer in answers} == {"nosniff"}
    assert all("default-src 'self'" in answer.headers["content-security-policy"] for answer in answers)
    assert not [answer.url for answer in answers if "sb-stop" in answer.text]
    with TestClient(build_app(public.portal, actor=OWNER)) as staff:
        assert "sb-stop" in staff.get("/en/register").text


# --- pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("What it is not for", "help@service.example", "No certificate", "Why", "Not legal advice", "offline")),
        ("zh", ("它不用于什么", "help@service.example", "没有证书", "为什么", "不构成法律意见", "离线核验")),
    ],
)
def test_a_system_s_page_says_what_for_who_answers_which_grade_and_why(public, visitor, lang, words) -> None:
    page = visitor.get(f"/{lang}/register/{public.systems['public judged']}").text

    assert [word for word in words if word.lower() not in page.lower()] == []
    assert re.search(r"\b(is|are) (approved|compliant)\b|已合规|已批准", page) is None


def test_a_page_can_be_found_by_search_engines_in_both_languages(public, visitor) -> None:
    system = public.systems["public judged"]
    page = visitor.get(f"/en/register/{system}").text
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL).group(1))

    assert f'<link rel="canonical" href="http://register.example/en/register/{system}">' in page
    assert f'hreflang="zh-Hans" href="http://register.example/zh/register/{system}"' in page
    assert '<meta name="description" content="' in page
    assert "<title>public judged" in page
    assert (data["@type"], data["name"], data["provider"]["name"]) == ("SoftwareApplication", "public judged", "明理科技有限公司")  # fmt: skip
    assert "noindex" in visitor.get("/en/register?q=x").text
    assert "noindex" not in visitor.get("/en/register").text


def test_pages_say_what_is_not_known(public, visitor) -> None:
    plain = visitor.get(f"/en/register/{public.systems['public plain']}").text
    person = visitor.get(f"/en/register/{public.systems['of a person']}").text
    gone = visitor.get(f"/en/register/{public.systems['withdrawn pelican']}")

    assert "Not evaluated does not mean without risk" in plain
    assert "has changed since this was published" in plain
    assert "whose name is not published" in person
    assert (gone.status_code, "Withdrawn from the register on 2026-11-21" in gone.text) == (410, True)
    assert "服务停用" in gone.text


def test_lists_say_when_nothing_matches_and_never_take_a_wrong_choice_for_an_error(visitor) -> None:
    assert "No public system matches" in visitor.get("/en/register?q=nothing-like-this").text
    assert "没有公开的系统符合所选条件" in visitor.get("/zh/register?q=nothing").text
    assert visitor.get("/en/register?stage=nonsense&grade=%00").status_code == 200
    assert visitor.get("/en/register?page=99999").status_code == 200
    for address in ("/en/register/%00", "/api/public/systems/a%00", "/api/public/systems/a%00/versions/1/proof"):
        assert visitor.get(address).status_code == 404
    assert visitor.get("/api/public/systems?q=%00&cursor=%00").status_code == 200
    assert visitor.get("/en/register?page=0").status_code == 400


def test_statistics_count_what_is_public_and_what_the_law_keeps_back(public, visitor) -> None:
    page = visitor.get("/en/register/statistics").text
    rows = list(csv.reader(StringIO(visitor.get("/en/register/statistics.csv").text.lstrip("\ufeff"))))
    counted = {(row[0], row[1]): row[4] for row in rows}

    assert counted["register", "total"] == "3"
    assert counted["register", "not_evaluated"] == "2"
    assert counted["stage", "idea"] == "3"
    assert counted["month", "2026-11"] == "3"
    assert counted["restricted", "eu.ai-act.art_49__para_4"] == "1"
    assert counted["class:eu/ai-act", "eu/ai-act:transparency"] == "1"
    assert page.count('<div class="sb-public__chart"') == page.count("Show as a table")
    before = public.portal.statistics()
    public.clock.move(seconds=200)
    assert public.portal.statistics() is before
    public.clock.move(seconds=200)
    assert public.portal.statistics() is not before


# --- machines ----------------------------------------------------------------------------------------------------


def test_programs_read_the_register_page_by_page_and_every_record_is_proven_offline(public, visitor) -> None:
    first = visitor.get("/api/public/systems?size=2").json()
    rest = visitor.get(f"/api/public/systems?size=2&cursor={first['next']}").json()
    found = {one["id"]: one for one in (*first["items"], *rest["items"])}
    system = public.systems["public judged"]
    entry = visitor.get(f"/api/public/systems/{system}").json()
    last = entry["history"][0]
    record, proof = visitor.get(last["record_url"]), visitor.get(last["proof_url"])
    reason, proven = check(proof.text, read_keys("\n".join(map(str, public.ledger.verifier_keys()))))

    assert (len(found), rest["next"], first["total"]) == (3, "", 3)
    assert reason.holds is Truth.TRUE
    assert proven["data"]["digest"] == sha256(record.content).hexdigest() == found[system]["record_sha256"]
    assert json.loads(record.content) == entry["record"]
    assert [one["id"] for one in visitor.get("/api/public/systems?q=judged").json()["items"]] == [system]
    gone = visitor.get(f"/api/public/systems/{public.systems['withdrawn pelican']}").json()
    assert (gone["is_public"], gone["withdrawn_on"], gone["record"]) == (False, "2026-11-21", None)


@pytest.mark.parametrize("address", ["/api/public/systems", "/api/public/systems.csv", "/en/register/feed.atom"])
def test_what_has_not_changed_is_not_sent_again_and_any_site_may_read_it(visitor, address) -> None:
    first = visitor.get(address)
    again = visitor.get(address, headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    other = visitor.get(address, headers={"if-none-match": '"other"'})

    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert again.content == b""
    assert first.headers["access-control-allow-origin"] == "*"


def test_only_the_public_api_is_open_to_other_sites(visitor) -> None:
    assert "access-control-allow-origin" not in visitor.get("/en/register").headers


def test_a_reader_that_only_knows_times_is_told_by_them(public, visitor) -> None:
    address = f"/api/public/systems/{public.systems['public judged']}"
    first = visitor.get(address)
    early = format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)

    assert visitor.get(address, headers={"if-modified-since": first.headers["last-modified"]}).status_code == 304
    assert visitor.get(address, headers={"if-modified-since": early}).status_code == 200
    assert visitor.get(address, headers={"if-modified-since": "yesterday"}).status_code == 200


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_feed_is_atom_as_rfc_4287_has_it(visitor, lang) -> None:
    answer = visitor.get(f"/{lang}/register/feed.atom")
    feed = ET.fromstring(answer.content)
    name = f"{{{feeds.ATOM}}}%s".__mod__
    entries = feed.findall(name("entry"))

    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert feed.tag == name("feed")
    for element in (feed, *entries):
        for required in ("id", "title", "updated"):
            assert len(element.findall(name(required))) == 1
        assert datetime.fromisoformat(element.findtext(name("updated"))).tzinfo
    assert feed.find(name("author")).findtext(name("name"))
    assert [link.get("rel") for link in feed.findall(name("link"))] == ["self", "alternate"]
    assert len({entry.findtext(name("id")) for entry in entries}) == len(entries) == 3


def test_the_map_of_the_site_lists_every_public_page_in_both_languages(public, visitor) -> None:
    index = ET.fromstring(visitor.get("/sitemap.xml").content)
    parts = [one.text for one in index.iter(f"{{{feeds.SITEMAP}}}loc")]
    part = ET.fromstring(visitor.get(parts[0]).content)
    pages = {one.text for one in part.iter(f"{{{feeds.SITEMAP}}}loc")}

    assert len(parts) == 1
    assert len(pages) == 2 * (3 + 2)
    assert f"http://register.example/zh/register/{public.systems['public plain']}" in pages
    assert "Sitemap: http://register.example/sitemap.xml" in visitor.get("/robots.txt").text


# --- foreign words in known forms --------------------------------------------------------------------------------


@settings(derandomize=True, max_examples=15, deadline=None)
@given(st.lists(st.text("=+-@'\",;\t\r\n aé王", max_size=12), min_size=1, max_size=4))
def test_no_cell_of_a_table_is_a_formula_and_every_cell_comes_back(cells) -> None:
    cells = [cell.encode("utf-8", "replace").decode() for cell in cells]
    body = b"".join(tables.written([cells])).decode("utf-8-sig")
    read = next(csv.reader(StringIO(body, newline="")), [""])

    assert not [cell for cell in read if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [cell.removeprefix("'") for cell in read] == [cell.removeprefix("'") for cell in cells]


@settings(derandomize=True, max_examples=15, deadline=None)
@given(st.text(max_size=40))
def test_whatever_a_name_holds_the_feed_stays_readable(text) -> None:
    assert ET.fromstring(f"<a>{feeds._allowed(text).replace('&', '').replace('<', '')}</a>") is not None


def test_the_code_says_its_address_in_words_and_draws_every_module_once() -> None:
    drawn = str(qr('https://register.example/en/register/sys_1?a="<b>', 'address "<b>'))

    assert 'role="img"' in drawn
    assert "style" not in drawn
    assert "<b>" not in drawn
    assert len(re.findall(r"M\d+ \d+h", drawn)) > 100
