"""The registry's doors: JSON, pages, command line."""

import re

import msgspec
import pytest
from jinja2 import DictLoader
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app

from safebelt.kernel.text import Text
from safebelt.rooms.registry.cli import commands
from safebelt.rooms.registry.service import Registry
from safebelt.web.panels import BeltState, Panel

SYSTEM = {"name_zh": "政务问答助手", "name_en": "Helper", "purpose_zh": "回答问题", "purpose_en": "Answers questions"}


@pytest.fixture
def database_url(tmp_path) -> str:
    """Doors are thin: the service's tests run on both databases, these on one."""
    return f"sqlite:///{tmp_path / 'doors.db'}"


def provider(client: TestClient, name: str = "明理科技") -> str:
    answer = client.post("/api/registry/parties", json={"name": name, "roles": ["provider"]})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def system(client: TestClient, **more: str) -> dict:
    answer = client.post("/api/registry/systems", json={**SYSTEM, "provider_id": provider(client), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_the_api_registers_lists_and_shows(client: TestClient) -> None:
    one = system(client)

    assert client.get("/api/registry/systems", params={"search": "问答"}).json()["items"] == [one]
    assert client.get(f"/api/registry/systems/{one['id']}").json() == one
    assert client.get("/api/registry/parties").json()["total"] == 1
    assert client.get(f"/api/registry/parties/{one['provider_id']}").json()["roles"] == ["provider"]


def test_the_api_gives_the_dossier_with_its_why(client: TestClient) -> None:
    one = system(client)
    named = client.post(
        f"/api/registry/systems/{one['id']}/people", json={"role": "accountable", "name": "王敏", "since": "2026-01-02"}
    )

    dossier = client.get(f"/api/registry/systems/{one['id']}/dossier").json()

    assert named.status_code == 201
    assert dossier["standing"] == "incomplete"
    assert [part["holds"] for part in dossier["reason"]["because"]] == ["true", "false", "unknown", "unknown"]
    assert dossier["duties"]["fills"]["en"]
    assert dossier["system"]["people"][0]["since"] == "2026-01-02"
    assert [act["kind"] for act in dossier["acts"]] == ["registry.person_named.v1", "registry.system_registered.v2"]


def test_a_patch_needs_the_version_it_was_made_on(client: TestClient) -> None:
    path = f"/api/registry/systems/{system(client)['id']}"

    first = client.patch(path, json={"version": 1, "reason": "更名", "name_en": "One"})
    second = client.patch(path, json={"version": 1, "reason": "更名", "name_en": "Two"})

    assert (first.status_code, first.json()["version"], first.json()["status"]) == (200, 2, "idea")
    assert (second.status_code, second.json()["code"], second.json()["details"]) == (409, "conflict", {"version": "2"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/registry/systems/sys_x", None, 404, "not-found"),
        ("GET", "/api/registry/systems?size=0", None, 400, "bad-request"),
        ("GET", "/api/registry/systems?status=broken", None, 400, "bad-request"),
        ("POST", "/api/registry/systems", b"{", 400, "bad-request"),
        ("POST", "/api/registry/systems", b'{"provider_id": 5}', 400, "bad-request"),
        ("POST", "/api/registry/systems", b'{"provider_id": "x", "name_zh": "a", "purpose_zh": "b"}', 422, "invalid"),
        ("POST", "/api/registry/parties", b'{"name": ""}', 422, "invalid"),
        ("DELETE", "/api/registry/systems", None, 405, "method-not-allowed"),
    ],
)
def test_every_no_is_a_problem_with_a_hint(
    client: TestClient, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    answer = client.request(method, path, content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["hint"] and answer.json()["zh"]["detail"] and answer.json()["en"]["detail"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_visitor_goes_from_the_empty_home_to_a_named_dossier(client: TestClient, lang: str) -> None:
    assert f"/{lang}/registry/parties/new" in client.get(f"/{lang}/").text

    client.post(
        f"/{lang}/registry/parties/new", data={"name": "明理科技", "kind": "organisation", "roles": ["provider"]}
    )
    choice = re.search(r'value="(pty_\w+)"', client.get(f"/{lang}/registry/systems/new").text)
    assert choice
    registered = client.post(
        f"/{lang}/registry/systems/new", data={**SYSTEM, "provider_id": choice[1], "deployer_id": ""}
    )
    address = registered.url.path
    client.post(f"{address}/people/new", data={"role": "accountable", "name": "王敏", "since": "", "replaces": ""})
    changed = client.post(
        f"{address}/change",
        data={**SYSTEM, "provider_id": choice[1], "name_en": "Renamed", "reason": "验收完成", "version": "2"},
    )

    assert changed.url.path == address
    assert "王敏" in changed.text and "验收完成" in changed.text
    home = client.get(f"/{lang}/", follow_redirects=False)
    assert (home.status_code, home.headers["location"]) == (302, address)


def test_home_lists_cards_where_there_are_several(client: TestClient) -> None:
    system(client)
    system(client, name_en="Second")

    home = client.get("/en/").text

    assert "Helper" in home and "Second" in home and "sb-cards" in home


def test_a_wrong_form_comes_back_with_what_was_typed(client: TestClient) -> None:
    one = provider(client)

    answer = client.post("/zh/registry/systems/new", data={"name_zh": "", "purpose_zh": "用途 <b>", "provider_id": one})

    assert answer.status_code == 422
    assert "有内容需要更正" in answer.text and 'href="#name_zh"' in answer.text
    assert "用途 &lt;b&gt;" in answer.text and "<b>" not in answer.text.split("<main")[1]
    assert "<title>错误：" in answer.text


def test_a_services_refusal_is_shown_beside_its_field(client: TestClient) -> None:
    answer = client.post("/en/registry/parties/new", data={"name": "x" * 300, "kind": "organisation"})

    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text and "200 characters" in answer.text


def test_a_change_on_an_older_version_is_shown_as_a_conflict(client: TestClient) -> None:
    one = system(client)
    path = f"/en/registry/systems/{one['id']}/change"
    form = {**SYSTEM, "provider_id": one["provider_id"], "name_en": "First", "reason": "r", "version": "1"}

    assert client.post(path, data=form).status_code == 200
    again = client.post(path, data={**form, "name_en": "Other"})

    assert again.status_code == 409
    assert "at version 2" in again.text


def test_clearing_the_deployer_in_the_form_clears_it(client: TestClient) -> None:
    one = system(client, deployer_id=provider(client, "部署方"))
    form = {
        **SYSTEM,
        "provider_id": one["provider_id"],
        "deployer_id": "",
        "reason": "r",
        "version": "1",
    }

    client.post(f"/zh/registry/systems/{one['id']}/change", data=form)

    assert client.get(f"/api/registry/systems/{one['id']}").json()["deployer_id"] == ""


def test_the_lists_find_and_say_when_they_find_nothing(client: TestClient) -> None:
    system(client)

    assert "Helper" in client.get("/en/registry?search=问答").text
    assert "No system matches “nothing”" in client.get("/en/registry?search=nothing").text
    assert "明理科技" in client.get("/zh/registry/parties").text
    assert "没有符合" in client.get("/zh/registry/parties?search=nothing").text


def test_other_rooms_lay_their_panels_on_the_dossier(registry: Registry) -> None:
    panel = Panel(
        name="demo",
        title=Text(zh="演示", en="Demonstration"),
        template="demo/panel.html",
        context=lambda system_id, lang: {"said": f"{lang}:{system_id}<"},
        place="lead",
    )
    app = build_app(registry, panels=(panel,), belt=BeltState(command="pause", stopped=2))
    app.template_engine.engine.loader.mapping["demo"] = DictLoader(
        {"panel.html": "{{ t('说', 'says') }} {{ panel_data.said }} {{ panel.name }} {{ ui.tag('mask') }}"}
    )
    with TestClient(app) as client:
        one = system(client)
        text = client.get(f"/en/registry/systems/{one['id']}").text

    assert f"says en:{one['id']}&lt; demo" in text and "Demonstration" in text
    assert "/en/belt/stop" in text and "paused" in text and "2 stopped" in text


def test_nothing_opens_without_permission(registry: Registry) -> None:
    with TestClient(build_app(registry, may=lambda action: action == "home.read")) as client:
        assert client.get("/zh/").status_code == 200
        for path in ("/zh/registry", "/zh/registry/parties", "/zh/registry/systems/new", "/api/registry/systems"):
            assert client.get(path).status_code == 403, path
        assert client.post("/api/registry/parties", json={"name": "x"}).status_code == 403
        assert client.post("/zh/registry/parties/new", data={"name": "x"}).status_code == 403
        assert client.patch("/api/registry/systems/x", json={"version": 1, "reason": "r"}).status_code == 403


def test_the_command_line_does_the_same(registry: Registry) -> None:
    app = commands(registry)

    def run(*words: str):
        return app(list(words), result_action="return_value")

    party = run("parties", "add", "明理科技", "--role", "provider", "--role", "deployer")
    one = run("systems", "add", "--provider", party.data["id"], "--name-zh", "助手", "--purpose-en", "Helps")
    person = run("people", "name", one.data["id"], "王敏", "--role", "overseer", "--since", "2026-01-02")
    shown = run("systems", "show", one.data["id"])
    run("people", "name", one.data["id"], "李华", "--role", "accountable")

    assert list(party.data["roles"]) == ["provider", "deployer"]
    assert person.data["since"] == "2026-01-02"
    assert "助手" in run("systems", "list").as_text("zh")
    assert "No system matches" in run("systems", "list", "--search", "nothing").as_text("en")
    assert party.data["id"] in run("parties", "list").as_text("en")
    assert "incomplete" in shown.as_text("en") and "王敏" in shown.as_text("zh") and shown.exit_code == 1
    assert run("systems", "show", one.data["id"]).exit_code == 3
    assert msgspec.json.encode(shown.data)
