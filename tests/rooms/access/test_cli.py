"""Access at the command line: the words the contract names, and exit codes that mean something."""

import json
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

from safebelt.kernel.actors import OWNER, Role
from safebelt.kernel.errors import Invalid, NotFound, Unauthenticated
from safebelt.rooms.access.cli import commands
from safebelt.rooms.access.service import Access
from safebelt.web.terminal import Answer


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database is enough here: what doors add is not storage, and `test_service.py` runs on both."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def app(access: Access) -> App:
    access.first_run()
    return commands(access)


def run(app: App, line: str) -> Answer:
    answer: Any = app(line, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(answer, Answer)
    json.dumps(answer.data)
    assert answer.says.zh
    assert answer.says.en
    return answer


def test_a_token_issued_for_the_administrator_works(app: App, access: Access) -> None:
    issued = run(app, "tokens issue --user admin").data

    assert access.authenticate_token(issued["token"]).id == access.user("admin").id
    listed = run(app, "tokens list --user admin")
    assert listed.data[0]["id"] == issued["id"]
    assert issued["token"] not in json.dumps(listed.data)
    run(app, f"tokens revoke {issued['id']}")
    with pytest.raises(Unauthenticated):
        access.authenticate_token(issued["token"])


def test_users_are_added_listed_changed_and_shut_out(app: App, access: Access) -> None:
    added = run(app, "users add li --role operator --role overseer")

    assert access.sign_in("li", added.data["password"])
    assert {user["name"]: user["roles"] for user in run(app, "users list").data}["li"] == ["operator", "overseer"]
    assert run(app, "users roles li --role auditor").data["roles"] == ["auditor"]
    assert run(app, "users disable li").data["is_disabled"] is True
    assert "已停用" in run(app, "users list").as_text("zh")
    assert run(app, "users enable li").data["is_disabled"] is False


def test_why_exits_with_the_verdict(app: App, access: Access) -> None:
    access.add_user("li", [Role.OPERATOR], by=OWNER)

    may, may_not = run(app, "why li belt.stop"), run(app, "why li belt.resume")

    assert (may.exit_code, may_not.exit_code) == (0, 1)
    assert "belt.red-line-resume-needs-oversight" in may_not.as_text("en")


def test_a_reset_password_opens_and_the_old_one_does_not(app: App, access: Access) -> None:
    password = run(app, "reset-password admin").data["password"]

    assert access.sign_in("admin", password)


def test_bad_use_is_named(app: App) -> None:
    with pytest.raises(NotFound) as missing:
        run(app, "tokens issue --user nobody")
    with pytest.raises(Invalid) as unfit:
        run(app, "users add li --role owner")

    assert (missing.value.exit_code, unfit.value.exit_code) == (2, 2)
