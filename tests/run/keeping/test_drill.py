"""The disaster drill, small: the same steps as `make drill`, without processes of its own and on SQLite alone."""

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.architecture.house import ROOT
from tests.run.keeping.furnished import typed

from safebelt.settings import Settings

sys.path.append(str(ROOT / "tools"))  # as it is when a tool is run
drill = importlib.import_module("drill")


def shell(words: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
    """Runs a command in this process: starting one takes longer than most commands."""
    given = {name.removeprefix("SAFEBELT_").lower(): value for name, value in settings.items()}
    return typed(words, Settings(**given))


def test_a_lost_house_comes_back_and_what_is_wrong_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = drill.Drill(folder=tmp_path, shell=shell, serves=())

    is_passed = drill.run_drill(trial, (), is_large=False)

    assert is_passed, [seen for seen in trial.seen if not seen[1]]
    assert len([what for what, _, _ in trial.seen if what.startswith("control")]) == 4
    assert capsys.readouterr().out.count("ok  ") == len(trial.seen) > 12

    receipt = next((tmp_path / "strangers").glob("*.proof"))
    receipt.write_text(receipt.read_text().replace("index ", "index 9", 1), newline="\n")
    included, all_ = drill._check_receipts(trial)
    assert included == all_ - 1, "a receipt that does not check is counted as such"


def test_a_drill_that_saw_nothing_or_one_fault_has_not_passed(tmp_path: Path) -> None:
    trial = drill.Drill(folder=tmp_path, shell=shell)

    assert not trial.is_passed
    trial.see("something", True)
    assert trial.is_passed
    trial.see("something else", False)
    assert not trial.is_passed
