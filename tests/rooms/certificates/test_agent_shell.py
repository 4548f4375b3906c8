"""Enrolling a service from a shell, where there is no house: nothing is made or asked for nothing."""

import json
from pathlib import Path

import pytest
from tests.ports import free_port

from safebelt.kernel.errors import Invalid, Unavailable
from safebelt.rooms.certificates.cli.agents import agent_group

PLACE = "https://api.example.org"


def run(*args: str):
    command, bound, _ = agent_group().parse_args(list(args), print_error=False, exit_on_error=False)
    return command(*bound.args, **bound.kwargs)


@pytest.mark.parametrize("token", ["", "two words", "secret\0", "秘密"])
def test_a_file_without_a_token_is_refused_before_anything_is_made_or_asked(tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token)
    asked = ["--authority", "https://ai.example.org", "--place", PLACE, "--folder", str(tmp_path / "new")]
    with pytest.raises(Invalid):
        run("enrol", "sys_1", *asked, "--token-file", str(tmp_path / "token"))
    assert not (tmp_path / "new").exists()


def test_an_authority_that_is_not_there_leaves_a_key_to_go_on_with_and_no_identity(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sbt_secret\n")
    asked = ["--authority", f"http://127.0.0.1:{free_port()}", "--place", PLACE, "--folder", str(tmp_path / "new")]
    for _ in range(2):
        with pytest.raises(Unavailable):
            run("enrol", "sys_1", *asked, "--token-file", str(tmp_path / "token"))

    noted = run("status", "--folder", str(tmp_path / "new"))
    assert noted.exit_code == 3 and noted.data["state"] == "none"
    assert len([*(tmp_path / "new").glob("*.key")]) == 1 and "sbt_secret" not in json.dumps(noted.data)
