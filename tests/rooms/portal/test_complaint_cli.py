"""The command line of complaints: the owner says for whom they act, and what is overdue shows in the exit code."""

from pathlib import Path
from typing import Any

import pytest
from tests.rooms.portal.complaints_house import PNG, Town, build_town

from safebelt.kernel.errors import Conflict, NotFound
from safebelt.rooms.portal.cli import commands

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def town(sql, clock, tmp_path: Path) -> Town:
    return build_town(sql, tmp_path, clock)


def run(town: Town, *words: str) -> Any:
    """Run one command, for the operator unless said."""
    side = () if "--as" in words else ("--as", "operator")
    command, bound, _ = commands(town.portal).parse_args(
        ["complaints", *words, *side], print_error=False, exit_on_error=False
    )
    return command(*bound.args, **bound.kwargs)


def test_a_complaint_is_entered_listed_answered_passed_on_and_closed(town: Town, tmp_path: Path) -> None:
    scan = tmp_path / "scan.png"
    scan.write_bytes(PNG)
    entered = run(town, "enter", "On paper.", "--kind", "harm", "--system", town.system, "--file", str(scan))
    case = entered.data["complaint"]["id"]

    assert entered.data["code"] in entered.as_text("zh") and entered.data["code"] in entered.as_text("en")
    assert case in run(town, "list").as_text("en")
    assert "scan.png" in run(town, "show", case, "--as", "operator").as_text("zh")
    with pytest.raises(Conflict):
        run(town, "close", case, "No")
    assert "answered" in run(town, "answer", case, "We are sorry.").as_text("en")
    assert run(town, "pass", case, "Theirs", "--office", town.bench.other.id).data["stage"] == "passed_on"
    assert run(town, "apart", case).data["is_apart"] is True
    assert run(town, "apart", case, "--back").data["is_apart"] is False
    run(town, "answer", case, "Sorry again.")
    assert run(town, "close", case, "Put right.").data["stage"] == "closed"
    assert town.complaints.follow(entered.data["code"], address="x").said[-1].text == "Put right."


def test_an_overdue_answer_shows_in_the_exit_code(town: Town) -> None:
    case = town.complain().complaint.id
    before = run(town, "show", case).exit_code
    town.clock.move(days=16)

    assert (before, run(town, "show", case).exit_code) == (0, 1)
    assert case in run(town, "list", "--overdue").as_text("en")


def test_the_owner_at_no_desk_sees_nothing_as_an_authority_and_a_missing_file_is_named(town: Town) -> None:
    town.complain()

    assert run(town, "list", "--as", "authority").data["total"] == 0
    with pytest.raises(NotFound, match=r"nothing\.png"):
        run(town, "enter", "On paper.", "--file", "nothing.png")
