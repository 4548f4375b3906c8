"""Measuring the injection classifier, and what was measured: the house's own figures, else those of the release."""

import platform
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from safebelt.engines.classifiers.guardian import MODEL, VERSION, WEIGHTS_SHA256, Guardian
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Measured, MeasuredSet
from safebelt.rooms.belt.service.base import Chapter

FIGURES = f"{MODEL}.json"


class Sample(NamedTuple):
    """A set of texts to measure on."""

    name: str
    language: str
    is_attack: bool
    texts: Iterable[str]


class Classifying(Chapter):
    """The classifier's figures."""

    def classifier_figures(self) -> Measured | None:
        """Return what was measured: in this house, else what came with the release; None where neither is readable."""
        shipped = self._t.lists / "measured" / FIGURES if self._t.lists else None
        for path in (self._figures, shipped):
            found = _read(path) if path else None
            if found is not None:
                return found
        return None

    def measure_classifier(self, samples: Sequence[Sample], at_least: float, *, to: Path | None = None) -> Measured:
        """Measure the classifier on sets of texts, and keep the figures where the console reads them.

        Args:
            samples: The sets.
            at_least: Score from which on a text hits.
            to: File for the figures; None for the house's own.

        Raises:
            Invalid: There is no text at all.
            Unavailable: The classifier is not installed.
        """
        guardian, took, sets = Guardian(), list[float](), list[MeasuredSet]()
        for sample in samples:
            before, hits = len(took), 0
            for text in sample.texts:
                begun = time.perf_counter()
                hits += guardian.score(text) >= at_least
                took.append((time.perf_counter() - begun) * 1000)
            named = {"name": sample.name, "language": sample.language}
            sets.append(MeasuredSet(**named, is_attack=sample.is_attack, texts=len(took) - before, hits=hits))
        if not took:
            raise Invalid(
                what=Text(zh="没有可供测量的文本。", en="There is no text to measure on."),
                hint=Text(
                    zh="请用 --benign zh=文件 或 --attacks en=文件 给出文本，每行一条。",
                    en="Give texts with --benign zh=FILE or --attacks en=FILE, one a line.",
                ),
            )
        found = Measured(
            model=MODEL,
            version=VERSION,
            weights=WEIGHTS_SHA256,
            at_least=at_least,
            at=self._t.clock().replace(microsecond=0),
            machine=f"{platform.machine()}, Python {platform.python_version()}",
            median_ms=round(median(took), 2),
            slowest_ms=round(max(took), 1),
            sets=tuple(sets),
        )
        path = to or self._figures
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        return found

    @property
    def _figures(self) -> Path:
        return self._t.box.folder / "measured" / FIGURES


def _read(path: Path) -> Measured | None:
    """Return figures, unless they are of other weights than those in use."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Measured)
    except (OSError, msgspec.DecodeError):
        return None
    return found if found.weights == WEIGHTS_SHA256 else None
