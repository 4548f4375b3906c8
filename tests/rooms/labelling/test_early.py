"""What a look tells before it is over saves time, and nothing else: the answer alone counts."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.rooms.certificates.test_pki_c2pa import POINT

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model import Axis, Verdict
from safebelt.rooms.labelling.model.inspection import Glimpse, Inspection
from safebelt.rooms.labelling.service import MarkFile
from safebelt.rooms.labelling.service.base import Desk
from safebelt.rooms.labelling.service.verifying import Verifying

EARLY = (Axis.AIGC, Axis.CONFORMANCE, Axis.INTEGRITY, Axis.LEDGER)


@pytest.fixture
def files(labelling, served, tmp_path: Path) -> tuple[Path, Path]:
    """A picture, and the same with its marks."""
    plain, marked = tmp_path / "plain.jpg", tmp_path / "marked.jpg"
    plain.write_bytes(POINT)
    labelling.mark(plain, marked, MarkFile(system_id=served.id), by=OWNER)
    return plain, marked


@pytest.fixture
def verdicts(labelling) -> Callable[[Path], set[Verdict]]:
    """Answers what the early questions about a file came to."""

    def check(path: Path) -> set[Verdict]:
        found = labelling.verify(path, is_scanned=False)
        return {found.axes[axis].verdict for axis in EARLY}

    return check


def test_a_process_that_changes_its_word_is_believed_in_the_end_only(labelling, files, verdicts, monkeypatch) -> None:
    plain, marked = files
    honest, told = labelling._looker, list[Glimpse]()
    honest.look(marked, "m.jpg", is_scanned=False, meanwhile=told.append)
    honest.look(plain, "p.jpg", is_scanned=False, meanwhile=told.append)
    assert verdicts(marked) == {Verdict.OK}
    assert verdicts(plain) == {Verdict.ABSENT}

    def lying(glimpse: Glimpse) -> SimpleNamespace:
        def look(*asked: object, meanwhile: Callable[[Glimpse], None], **words: bool) -> Inspection:
            meanwhile(glimpse)
            return honest.look(*asked, meanwhile=lambda one: meanwhile(one) if one.labels is None else None, **words)

        return SimpleNamespace(look=look)

    for glimpse in (one for one in told if one.labels is not None):  # the digest is not its word
        monkeypatch.setattr(Verifying, "_looker", lying(glimpse))

        assert verdicts(plain) == {Verdict.ABSENT}
        assert verdicts(marked) == {Verdict.OK}


def test_records_that_do_not_answer_in_between_are_silent_and_the_next_check_hears_them(
    files, verdicts, monkeypatch
) -> None:
    def silent(*_: object) -> tuple[str, str]:
        raise Unavailable(what=Text(zh="无", en="none"), hint=Text(zh="无", en="none"))

    with monkeypatch.context() as broken:
        broken.setattr(Desk, "marked", silent)
        assert verdicts(files[1]) == {Verdict.OK, Verdict.UNKNOWN}

    assert verdicts(files[1]) == {Verdict.OK}
