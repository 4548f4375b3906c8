"""Access's pages, its JSON door, and the middleware that knows who asks."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Annotated, Any

import pytest
from litestar import Controller, Litestar, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import PathParameter
from litestar.testing import TestClient

from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.text import Lang
from safebelt.rooms.access import decide
from safebelt.rooms.access.room import ROOM
from safebelt.rooms.access.service import Access
from safebelt.web.doors import KIT_DOORS
from safebelt.web.problems import problem_handlers
from safebelt.web.security import actor_of, requires
from safebelt.web.session import Authenticate, Csrf, SessionCookie, csrf_config, csrf_secret, safe_next
from safebelt.web.templating import templates

from .conftest import PASSWORD

Client = TestClient[Litestar]
SECRET = "s" * 64


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database is enough here: what doors add is not storage, and `test_service.py` runs on both."""
    return f"sqlite:///{tmp_path / 'test.db'}"


class Elsewhere(Controller):
    """Another room, behind the guard."""

    path = ""

    @get("/{lang:str}/belt", guards=[requires("belt.read")])
    async def belt(self, lang: Annotated[Lang, PathParameter()], by: NamedDependency[Actor]) -> str:
        return f"{lang} {by.id}"

    @post("/api/belt/stop", guards=[requires("belt.stop")])
    async def stop(self, by: NamedDependency[Actor]) -> dict[str, str]:
        return {"by": by.id, "door": by.door}


def who(request: Request[Any, Any, Any]) -> Actor:
    return actor_of(request)


def app(access: Access, new_id: Any, *, is_tls: bool = False, secret: str = SECRET) -> Litestar:
    cookie = SessionCookie(is_tls=is_tls)
    return Litestar(
        route_handlers=[*ROOM.api, *ROOM.pages, Elsewhere, *KIT_DOORS],
        dependencies={
            "access": Provide(lambda: access, sync_to_thread=False),
            "by": Provide(who, sync_to_thread=False),
        },
        middleware=[Authenticate(access, cookie), Csrf(csrf_config(secret, cookie), cookie)],
        exception_handlers=problem_handlers(new_id),
        template_config=templates(["access"]),
        state=State({"authorize": access.authorize, "session_cookie": cookie, "sign_in_path": "access/sign-in"}),
    )


@pytest.fixture
def client(access: Access, new_id: Any) -> Iterator[Client]:
    access.add_user("admin", [Role.OPERATOR, Role.OVERSEER, Role.ADMIN], password=PASSWORD, by=OWNER)
    access.add_user("auditor", [Role.AUDITOR], password=PASSWORD, by=OWNER)
    with TestClient(app(access, new_id)) as client:
        client.follow_redirects = False
        yield client


def csrf_of(page: str) -> str:
    found = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', page)
    assert found, page
    return found.group(1)


def send(client: Client, path: str, **fields: Any) -> Any:
    """Fill in a form as a browser does: the token comes from a page."""
    token = csrf_of(client.get("/en/access/sign-in").text)
    return client.post(path, data={"_csrf_token": token, **fields})


def sign_in(client: Client, name: str = "admin", **fields: str) -> Any:
    return send(client, "/en/access/sign-in", name=name, password=PASSWORD, **fields)


# -- signing in ----------------------------------------------------------------------------------------------------


def test_a_guarded_page_sends_a_stranger_to_sign_in_and_back(client: Client) -> None:
    away = client.get("/zh/belt", params={"page": "2"})
    assert away.status_code == 303
    assert away.headers["location"] == "/zh/access/sign-in?next=%2Fzh%2Fbelt%3Fpage%3D2"

    form = client.get(away.headers["location"]).text
    wanted = unescape(re.search(r'name="next" value="([^"]*)"', form).group(1))  # type: ignore[union-attr]
    back = sign_in(client, next=wanted)

    assert (back.status_code, back.headers["location"]) == (303, "/zh/belt?page=2")
    assert client.get("/zh/belt").status_code == 200


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_renders_in_both_languages(client: Client, lang: str, access: Access) -> None:
    assert client.get(f"/{lang}/access/sign-in").status_code == 200
    sign_in(client)
    other = access.user("auditor").id
    pages = ("account", "users", f"users/{other}", f"users/{access.user('admin').id}", "why", "why?action=belt.resume")

    for page in pages:
        answer = client.get(f"/{lang}/access/{page}")
        assert answer.status_code == 200, page
        has_chinese = re.search(r"[\u4e00-\u9fff]", re.sub(r"(?s)<header.*?</header>", "", answer.text)) is not None
        assert has_chinese is (lang == "zh"), page


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Client) -> None:
    cookie = sign_in(client).headers["set-cookie"]

    assert cookie.startswith("safebelt_session=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_over_tls_the_cookie_is_secure_and_bound_to_the_host(access: Access, new_id: Any) -> None:
    access.add_user("admin", [Role.ADMIN], password=PASSWORD, by=OWNER)
    with TestClient(app(access, new_id, is_tls=True), base_url="https://testserver.local") as client:
        client.follow_redirects = False
        page = client.get("/en/access/sign-in")
        cookie = sign_in(client).headers["set-cookie"]
        inside = client.get("/en/access/account")

    assert page.headers["set-cookie"].startswith("__Host-safebelt_csrf=")
    assert cookie.startswith("__Host-safebelt_session=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert inside.status_code == 200


def test_a_failed_try_comes_back_with_an_error_summary_and_the_name(client: Client) -> None:
    answer = send(client, "/zh/access/sign-in", name="admin", password="wrong")

    assert answer.status_code == 401
    assert "govuk-error-summary" in answer.text
    assert "用户名或密码不正确" in answer.text
    assert 'value="admin"' in answer.text
    assert "wrong" not in re.sub(r"(?s)<head>.*?</head>", "", answer.text)
    assert "safebelt_session" not in answer.headers.get("set-cookie", "")


def test_a_locked_name_is_told_until_when(client: Client) -> None:
    for _ in range(decide.MAX_FAILURES):
        answer = send(client, "/en/access/sign-in", name="admin", password="wrong")

    assert answer.status_code == 429
    assert "locked until 2026-11-21T12:15:00+00:00" in unescape(answer.text)


def test_a_session_planted_before_signing_in_is_worth_nothing_after(client: Client, access: Access) -> None:
    planted = access.sign_in("auditor", PASSWORD).token
    client.cookies.set("safebelt_session", planted)
    client.cookies.set("safebelt_session", planted)

    sign_in(client)

    mine = client.cookies.get("safebelt_session", domain="testserver.local")
    assert mine not in {None, planted}
    with pytest.raises(Exception, match="expired"):
        access.authenticate_session(planted)


@pytest.mark.parametrize(
    "evil",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        " //evil.example",
        "/en/belt\r\nset-cookie: a=b",
        "/en/access/sign-out",
        "",
    ],
)
def test_next_never_leads_away(client: Client, evil: str) -> None:
    assert safe_next(evil, "en") == "/en/"

    assert sign_in(client, next=evil).headers["location"] == "/en/"


def test_signing_out_ends_the_session_on_the_server_too(client: Client) -> None:
    sign_in(client)
    token = client.cookies["safebelt_session"]

    answer = send(client, "/en/access/sign-out")

    assert answer.headers["location"] == "/en/access/sign-in"
    assert "safebelt_session" not in client.cookies
    client.cookies.set("safebelt_session", token)
    assert client.get("/en/access/account").status_code == 303


# -- forged requests -------------------------------------------------------------------------------------------------


def test_a_form_without_its_csrf_token_is_refused(client: Client, access: Access) -> None:
    sign_in(client)
    for data in ({}, {"_csrf_token": ""}, {"_csrf_token": "0" * 128}):
        answer = client.post("/en/access/users", data={"name": "mallory", "roles": "admin", **data})
        assert answer.status_code == 403
    stop = client.post("/api/belt/stop")
    assert (stop.status_code, stop.json()["code"]) == (403, "refused")
    assert [user.name for user in access.users()] == ["admin", "auditor"]


def test_a_token_of_another_secret_or_another_browser_is_refused(client: Client, access: Access, new_id: Any) -> None:
    sign_in(client)
    with (
        TestClient(app(access, new_id)) as other_browser,
        TestClient(app(access, new_id, secret="t" * 64)) as other_house,
    ):
        foreign = [csrf_of(each.get("/en/access/sign-in").text) for each in (other_browser, other_house)]

    for token in foreign:
        assert client.post("/en/access/sign-out", data={"_csrf_token": token}).status_code == 403


def test_signing_in_itself_is_protected(client: Client) -> None:
    assert client.post("/en/access/sign-in", data={"name": "admin", "password": PASSWORD}).status_code == 403


def test_a_script_may_send_the_token_as_a_header(client: Client) -> None:
    sign_in(client)
    token = csrf_of(client.get("/en/access/account").text)

    answer = client.post("/api/belt/stop", headers={"x-csrf-token": token})

    assert (answer.status_code, answer.json()["door"]) == (201, "web")


def test_a_csrf_cookie_of_an_earlier_secret_is_replaced_rather_than_refusing_for_ever(client: Client) -> None:
    client.cookies.set("safebelt_csrf", "0" * 128)

    page = client.get("/en/access/sign-in")

    assert page.headers["set-cookie"].startswith("safebelt_csrf=")
    assert csrf_of(page.text) in page.headers["set-cookie"]


def test_the_csrf_secret_outlives_a_restart_and_is_the_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "csrf.key"

    first, second = csrf_secret(file), csrf_secret(file)

    assert first == second
    assert len(first) == 64
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["csrf.key"]


# -- bearer tokens ---------------------------------------------------------------------------------------------------


def bearer(access: Access, name: str = "admin") -> dict[str, str]:
    return {"authorization": f"Bearer {access.issue_token(name, name='test', by=OWNER).secret}"}


def test_a_bearer_token_needs_no_csrf_token(client: Client, access: Access) -> None:
    answer = client.post("/api/belt/stop", headers=bearer(access))

    assert (answer.status_code, answer.json()["door"]) == (201, "api")


@pytest.mark.parametrize("value", ["Bearer nonsense", "Bearer ", "bearer sbt_x", "BEARER " + "x" * 5000])
def test_a_bad_bearer_token_is_refused_even_beside_a_good_cookie(client: Client, value: str) -> None:
    sign_in(client)

    answer = client.get("/api/access/me", headers={"authorization": value})

    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_api_asks_a_stranger_for_a_token(client: Client) -> None:
    for answer in (client.get("/api/access/users"), client.post("/api/belt/stop")):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["hint"]


# -- the JSON door -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x", "days": 0}, {"name": "x", "days": "soon"}, []])
def test_a_body_out_of_bounds_is_a_bad_request(client: Client, access: Access, body: Any) -> None:
    answer = client.post("/api/access/tokens", json=body, headers=bearer(access))

    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (400, "application/problem+json")


def test_me_and_why_answer_everybody_about_themselves(client: Client, access: Access) -> None:
    stranger = client.get("/api/access/me").json()
    auditor = client.get("/api/access/me", headers=bearer(access, "auditor")).json()
    why = client.get("/api/access/why", params={"action": "belt.stop"}, headers=bearer(access, "auditor")).json()

    assert (stranger["id"], stranger["may"]) == ("public", ["portal.complain", "portal.read"])
    assert "ledger.read" in auditor["may"]
    assert not {"belt.stop", "registry.change"} & set(auditor["may"])
    assert why["allowed"] is False
    assert why["reason"]["says"]["zh"]


def test_users_are_managed_by_administrators_alone(client: Client, access: Access) -> None:
    body = {"name": "newcomer", "roles": ["overseer"]}
    assert client.post("/api/access/users", json=body, headers=bearer(access, "auditor")).status_code == 403

    added = client.post("/api/access/users", json=body, headers=bearer(access))

    assert added.status_code == 201
    assert access.sign_in("newcomer", added.json()["password"]).token
    path = f"/api/access/users/{added.json()['user']['id']}"
    changed = client.put(f"{path}/roles", json={"roles": ["auditor"]}, headers=bearer(access))
    assert changed.json()["roles"] == ["auditor"]
    shut = client.put(f"{path}/standing", json={"is_disabled": True}, headers=bearer(access))
    assert shut.json()["is_disabled"] is True
    again = client.post("/api/access/users", json=body, headers=bearer(access))
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert "hash" not in client.get("/api/access/users", headers=bearer(access)).text


def test_an_administrator_cannot_change_their_own_roles_by_any_door(client: Client, access: Access) -> None:
    me = access.user("admin").id
    by_api = client.put(f"/api/access/users/{me}/roles", json={"roles": ["admin", "authority"]}, headers=bearer(access))
    sign_in(client)
    by_page = send(client, f"/en/access/users/{me}/roles", roles="authority")
    by_name = client.put(
        "/api/access/users/ADMIN/roles", json={"roles": ["admin", "authority"]}, headers=bearer(access)
    )

    assert (by_api.status_code, by_page.status_code, by_name.status_code) == (403, 403, 403)
    assert access.user("admin").roles == {Role.OPERATOR, Role.OVERSEER, Role.ADMIN}


def test_tokens_are_issued_for_oneself_and_with_the_right_for_others(client: Client, access: Access) -> None:
    mine = client.post("/api/access/tokens", json={"name": "mine"}, headers=bearer(access, "auditor"))
    theirs = {"name": "theirs", "user": "admin"}
    not_mine = client.post("/api/access/tokens", json=theirs, headers=bearer(access, "auditor"))
    for_other = client.post("/api/access/tokens", json=theirs | {"user": "auditor"}, headers=bearer(access))

    assert mine.json()["token"].startswith("sbt_")
    assert not_mine.status_code == 403
    assert for_other.json()["user"] == access.user("auditor").id
    listed = client.get("/api/access/tokens", headers=bearer(access, "auditor"))
    assert mine.json()["token"] not in listed.text
    admins = access.issue_token("admin", name="x", by=OWNER).token.id
    assert client.delete(f"/api/access/tokens/{admins}", headers=bearer(access, "auditor")).status_code == 404
    assert client.delete(f"/api/access/tokens/{mine.json()['id']}", headers=bearer(access)).json()["revoked_at"]


# -- the pages -----------------------------------------------------------------------------------------------------


def test_an_administrator_adds_a_user_and_sees_the_password_once(client: Client, access: Access) -> None:
    sign_in(client)
    unfit = send(client, "/en/access/users", name="", roles=["auditor", "operator"])
    mixed = send(client, "/en/access/users", name="both", roles=["auditor", "operator"])

    added = send(client, "/en/access/users", name="newcomer", roles=["operator", "overseer"])

    assert (unfit.status_code, mixed.status_code, added.status_code) == (422, 422, 200)
    assert 'href="#roles"' in mixed.text
    password = re.search(r"newcomer: <code>([^<]+)</code>", added.text).group(1)  # type: ignore[union-attr]
    assert access.sign_in("newcomer", password)
    assert password not in client.get("/en/access/users").text


def test_an_administrator_changes_roles_shuts_out_lets_in_and_resets(client: Client, access: Access) -> None:
    sign_in(client)
    other = access.user("auditor").id

    assert send(client, f"/en/access/users/{other}/roles", roles="operator").status_code == 303
    assert access.user(other).roles == {Role.OPERATOR}
    assert send(client, f"/en/access/users/{other}/disable").status_code == 303
    assert access.user(other).is_disabled
    assert send(client, f"/en/access/users/{other}/enable").status_code == 303
    reset = send(client, f"/en/access/users/{other}/reset-password")
    password = re.search(r"auditor: <code>([^<]+)</code>", reset.text).group(1)  # type: ignore[union-attr]
    assert access.sign_in("auditor", password)
    assert send(client, f"/en/access/users/{other}/roles").status_code == 422


def test_people_change_their_password_and_stay_signed_in(client: Client, access: Access) -> None:
    sign_in(client)
    wrong = send(client, "/en/access/account/password", old="wrong", password="another set of fine words")
    short = send(client, "/en/access/account/password", old=PASSWORD, password="short")

    done = send(client, "/en/access/account/password", old=PASSWORD, password="another set of fine words")

    assert (wrong.status_code, short.status_code, done.status_code) == (401, 422, 303)
    assert 'href="#old"' in wrong.text
    assert 'href="#password"' in short.text
    assert "Your password is changed" in client.get(done.headers["location"]).text
    assert access.sign_in("admin", "another set of fine words")


def test_people_issue_and_revoke_their_own_tokens_and_end_sessions(client: Client, access: Access) -> None:
    sign_in(client)
    issued = send(client, "/en/access/account/tokens", token_name="nightly", days="7")
    secret = re.search(r"sbt_[\w-]+", issued.text).group()  # type: ignore[union-attr]
    me = access.authenticate_token(secret)
    assert send(client, "/en/access/account/tokens", token_name="nightly", days="9999").status_code == 422

    revoked = send(client, f"/en/access/account/tokens/{access.tokens(me.id)[0].id}/revoke")
    elsewhere = access.sign_in("admin", PASSWORD)
    ended = send(client, f"/en/access/account/sessions/{elsewhere.session.id}/end")

    assert (revoked.status_code, ended.status_code) == (303, 303)
    assert access.tokens(me.id)[0].revoked_at is not None
    assert len(access.sessions(me.id)) == 1
    assert send(client, "/en/access/account/sign-out-everywhere").status_code == 303
    assert client.get("/en/access/account").status_code == 303


def test_an_auditor_is_told_why_the_users_page_is_closed(client: Client) -> None:
    sign_in(client, "auditor")

    answer = client.get("/zh/access/users")

    assert answer.status_code == 403
    assert "审计员" in answer.text


def test_every_handler_names_its_action_or_says_why_it_needs_none(client: Client, permissions: Any) -> None:
    own = "litestar."  # Litestar's own OPTIONS and OpenAPI handlers
    handlers = [
        handler
        for route in client.app.routes
        for handler in getattr(route, "route_handlers", ())
        if not getattr(handler.fn, "func", handler.fn).__module__.startswith(own)
    ]
    bare = []
    for handler in handlers:
        guards = [getattr(guard, "func", guard) for guard in handler.resolve_guards()]  # Litestar wraps them
        actions = {guard.safebelt_action for guard in guards if hasattr(guard, "safebelt_action")}
        is_open = any(getattr(guard, "safebelt_open", "") for guard in guards)
        if not (actions or is_open) or not actions <= set(permissions.actions):
            bare.append(handler.handler_name)
    assert bare == []
    assert len(handlers) > 20
