"""Every no is said once, in both languages, with what to do next."""

import logging
from typing import Annotated

import pytest
from litestar import Litestar, get, post
from litestar.datastructures import State
from litestar.exceptions import ClientException, HTTPException, ServiceUnavailableException
from litestar.params import JSONBody, PathParameter
from litestar.testing import TestClient

import safebelt.kernel.errors as errors
from safebelt.kernel.errors import PROBLEMS, Problem, TooMany, Unauthenticated
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import openapi, problems, public_problems
from safebelt.web.problem_words import FRAMEWORK, KINDS
from safebelt.web.problems import problem_handlers
from safebelt.web.templating import templates

WHAT = Text(zh="出了什么事。", en="What happened.")
HINT = Text(zh="接下来怎么办。", en="What to do.")
BY_CODE = {kind.code: kind for kind in PROBLEMS}


@get("/api/raise/{code:str}", sync_to_thread=False, responses=problems())
def raises(code: Annotated[str, PathParameter()]) -> None:
    """Raise one of ours, or one of the framework's, or a bug."""
    if code in BY_CODE:
        raise BY_CODE[code](what=WHAT, hint=HINT, details={"field": "x"})
    if code == "bug":
        raise RuntimeError("the secret inside")
    if code == "slow":
        raise TooMany(what=WHAT, hint=HINT, details={"retry_after_seconds": "7"})
    raise {
        "teapot": ClientException(status_code=418),
        "large": ClientException(status_code=413),
        "away": ServiceUnavailableException(),
        "gateway": HTTPException(status_code=502, detail="the secret inside"),
    }[code]


@get("/{lang:str}/raise/{code:str}", sync_to_thread=False, include_in_schema=False)
def raises_page(lang: Annotated[Lang, PathParameter()], code: Annotated[str, PathParameter()]) -> None:
    """The same, for people."""
    raises.fn(code)


@post("/api/body", sync_to_thread=False, responses=problems(has_body=True))
def body(data: JSONBody[dict[str, int]]) -> dict[str, int]:
    """Read numbers."""
    return data


@get("/api/open", sync_to_thread=False, responses=public_problems())
def open_door() -> None:
    """Let everybody in."""


def build(**state: object) -> Litestar:
    return Litestar(
        route_handlers=[*KIT_DOORS, raises, raises_page, body, open_door],
        exception_handlers=problem_handlers(lambda prefix: f"{prefix}_1"),
        template_config=templates([]),
        openapi_config=openapi(),
        before_send=[add_security_headers],
        state=State(state),
        logging_config=None,
    )


@pytest.fixture
def client():
    with TestClient(build()) as found:
        yield found


@pytest.mark.parametrize("code", BY_CODE)
def test_a_problem_reaches_programs_whole(client: TestClient, code: str) -> None:
    answer = client.get(f"/api/raise/{code}", headers={"accept-language": "en-GB, zh;q=0.5"})

    said = answer.json()
    assert answer.status_code == said["status"] == BY_CODE[code].status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert (said["type"], said["code"]) == (f"/problems/{code}", code)
    assert (said["detail"], said["hint"]) == (WHAT.en, HINT.en)
    assert (said["zh"]["detail"], said["en"]["detail"]) == (WHAT.zh, WHAT.en)
    assert said["details"] == {"field": "x"}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("code", BY_CODE)
def test_a_problem_reaches_people_as_a_page(client: TestClient, lang: Lang, code: str) -> None:
    answer = client.get(f"/{lang}/raise/{code}")

    assert answer.status_code == BY_CODE[code].status
    assert answer.headers["content-type"].startswith("text/html")
    assert WHAT.in_(lang) in answer.text and HINT.in_(lang) in answer.text
    assert f"/{lang}/problems/{code}" in answer.text


def test_json_nested_beyond_all_reading_is_the_senders_fault(client: TestClient) -> None:
    deep = '{"a":' * 3000 + "1" + "}" * 3000
    answer = client.post("/api/body", content=deep, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


def test_a_bug_leaves_an_incident_number_and_nothing_else(client: TestClient, capsys) -> None:
    for path in ("/api/raise/bug", "/api/raise/gateway", "/zh/raise/bug"):
        answer = client.get(path)

        assert answer.status_code == 500
        assert "inc_1" in answer.text
        assert "secret" not in answer.text and "Traceback" not in answer.text
    logged = capsys.readouterr()
    assert "inc_1" in logged.out + logged.err


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not-found"),
        ("DELETE", "/api/open", 405, "method-not-allowed"),
        ("GET", "/api/raise/teapot", 400, "bad-request"),
        ("GET", "/api/raise/large", 413, "too-large"),
        ("GET", "/api/raise/away", 503, "unavailable"),
        ("POST", "/api/body", 400, "bad-request"),
    ],
)
def test_the_frameworks_own_errors_speak_like_ours(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path, content=b'{"a": "b"}' if method == "POST" else None)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert all(answer.json()[lang][part] for lang in LANGS for part in ("title", "detail", "hint"))


def test_headers_that_http_wants_are_there(client: TestClient) -> None:
    assert client.get("/api/raise/unauthenticated").headers["www-authenticate"].startswith("Bearer")
    assert client.get("/api/raise/slow").headers["retry-after"] == "7"
    assert "GET" in client.delete("/api/open").headers["allow"]


@pytest.mark.parametrize("path", ["/xx/problems", "/de/raise/conflict", "/zh/nothing/here", "/nothing"])
def test_an_unknown_language_or_page_is_not_found(client: TestClient, path: str) -> None:
    as_page = client.get(path, headers={"accept": "text/html", "accept-language": "en"})

    assert as_page.status_code == 404
    assert "<html" in as_page.text


def test_people_who_are_not_signed_in_are_led_to_the_door() -> None:
    with TestClient(build(sign_in_path="access/sign-in")) as client:
        answer = client.get("/en/raise/unauthenticated?a=1", follow_redirects=False)
        api = client.get("/api/raise/unauthenticated", headers={"accept": "text/html"})

    assert answer.status_code == 303
    assert answer.headers["location"] == "/en/access/sign-in?next=%2Fen%2Fraise%2Funauthenticated%3Fa%3D1"
    assert api.status_code == 401


@pytest.mark.parametrize(
    ("wish", "goes"),
    [
        ("zh-CN,zh;q=0.9", "/zh/"),
        ("en-US,en;q=0.9,zh;q=0.8", "/en/"),
        ("", "/zh/"),
        ("fr, en;q=0.1", "/en/"),
        (";q=x", "/zh/"),
    ],
)
def test_the_way_in_follows_the_browsers_language(client: TestClient, wish: str, goes: str) -> None:
    assert client.get("/", headers={"accept-language": wish}, follow_redirects=False).headers["location"] == goes


def test_every_kind_of_problem_is_explained_in_both_languages(client: TestClient) -> None:
    def family(kind: type[Problem]) -> set[type[Problem]]:
        return {kind}.union(*(family(each) for each in kind.__subclasses__()))

    codes = {kind.code for kind in family(errors.Problem) if kind is not errors.Problem}
    assert codes <= set(KINDS)
    assert all(KINDS[kind.code].form.status == kind.status for kind in FRAMEWORK.values())
    for code in KINDS:
        pages = [client.get(f"/{lang}/problems/{code}").text for lang in LANGS]
        assert KINDS[code].hint.zh in pages[0] and KINDS[code].hint.en.split("(")[0] in pages[1]
        assert client.get(f"/problems/{code}").json()["hint"] == {"zh": KINDS[code].hint.zh, "en": KINDS[code].hint.en}
    assert client.get("/problems/nonsense").status_code == 404


def test_every_page_keeps_to_itself(client: TestClient) -> None:
    for path in ("/zh/problems", "/api/nothing", "/static/theme.css", "/"):
        headers = client.get(path, follow_redirects=False).headers

        assert "default-src 'self'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert client.get("/zh/problems").headers["cache-control"] == "no-store"


def test_the_openapi_document_declares_how_doors_say_no(client: TestClient) -> None:
    paths = client.get("/schema/openapi.json").json()["paths"]

    assert set(paths["/api/raise/{code}"]["get"]["responses"]) >= {"400", "401", "403", "429", "500", "503"}
    assert set(paths["/api/body"]["post"]["responses"]) >= {"413", "415"}
    assert "401" in paths["/api/open"]["get"]["responses"]  # a token is not needed, but one that is sent must be good
    assert "403" not in paths["/api/open"]["get"]["responses"]
    bad = paths["/api/body"]["post"]["responses"]["400"]["content"]
    assert list(bad) == ["application/problem+json"]
    assert "/api/body" in client.get("/en/api").text


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("httpx").setLevel(logging.WARNING)


def test_a_missing_credential_is_never_a_page_below_api(client: TestClient) -> None:
    assert Unauthenticated.status == 401
    assert client.get("/api/raise/refused", headers={"accept": "text/html"}).json()["code"] == "refused"
