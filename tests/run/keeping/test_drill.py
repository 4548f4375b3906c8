"""The disaster drill, small: the same steps as `make drill`, without processes of its own and on SQLite alone."""

import contextlib
import importlib
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.architecture.house import ROOT

from safebelt.__main__ import run

sys.path.append(str(ROOT / "tools"))  # as it is when a tool is run
drill = importlib.import_module("drill")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch):
    """Runs a command in this process: starting one takes longer than most commands."""

    def runs(words: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
        with monkeypatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as said:
            for name, value in settings.items():
                patch.setenv(name, value)
            code = run(list(words))
        return code, said.getvalue()

    return runs


def test_a_lost_house_comes_back_and_what_is_wrong_is_refused(
    shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
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


def test_a_drill_that_saw_nothing_or_one_fault_has_not_passed(shell, tmp_path: Path) -> None:
    trial = drill.Drill(folder=tmp_path, shell=shell)

    assert not trial.is_passed
    trial.see("something", True)
    assert trial.is_passed
    trial.see("something else", False)
    assert not trial.is_passed
