"""A setting that cannot be used is named, with what to do, and never repeated: it may be a key."""

import json
from pathlib import Path

import pytest

from safebelt.__main__ import run
from safebelt.settings import settings_in_force
from safebelt.web.terminal import BAD_USE

BAD = {
    "BELT_PORT": ("abc-a-secret", "SAFEBELT_BELT_PORT: "),
    "EARLIER_VERSIONS": ('{"v1": {"model": "m", "title": "abc-a-secret"}}', "SAFEBELT_EARLIER_VERSIONS.v1.title: "),
    "EARLIER_KEYS": ("abc-a-secret", "earlier_keys"),
    "MCP_SERVERS": ('{"files": "abc-a-secret', "mcp_servers"),
    "LANG": ("abc-a-secret", "SAFEBELT_LANG: "),
}


@pytest.mark.parametrize("name", BAD)
def test_a_setting_that_cannot_be_used_is_named_and_not_repeated(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    value, says = BAD[name]
    monkeypatch.setenv(f"SAFEBELT_{name}", value)

    assert run(["belt", "state"]) == BAD_USE

    said = capsys.readouterr()
    assert says in said.err and "settings.en.md" in said.err and not said.out
    assert "a-secret" not in said.err and "Traceback" not in said.err


def test_a_program_that_asks_for_json_is_told_in_json_and_both_languages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAFEBELT_BELT_PORT", "70000x")

    assert run(["belt", "state", "--format", "json"]) == BAD_USE

    said = json.loads(capsys.readouterr().out)
    assert said["code"] == "invalid" and all("SAFEBELT_BELT_PORT" in said["what"][lang] for lang in ("zh", "en"))


def test_settings_that_can_be_used_are_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEBELT_BELT_PORT", "7001")

    assert settings_in_force().belt_port == 7001


def test_a_number_that_no_database_holds_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAFEBELT_HOME", str(tmp_path))
    assert run(["registry", "systems", "list"]) == 0
    capsys.readouterr()

    assert run(["registry", "systems", "list", "--page", "9" * 30]) == BAD_USE

    said = capsys.readouterr()
    assert "too large" in said.err and "Traceback" not in said.err and not said.out


def test_a_state_folder_that_is_none_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SAFEBELT_HOME", str(tmp_path / "file"))

    assert run(["registry", "systems", "list"]) == 3

    said = capsys.readouterr()
    assert "cannot be used" in said.err and "SAFEBELT_HOME" in said.err and "Traceback" not in said.err
