"""What a change of the law would do, or did, to the systems of the register or to the described examples."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import packs
from safebelt.rooms.rulebook.decide.impact import Impact, Reform, reform
from safebelt.rooms.rulebook.model import Description, Overlay, Rulebook
from safebelt.rooms.rulebook.service.owing import Owing

if TYPE_CHECKING:
    from safebelt.rooms.rulebook.columns.population import Member

LISTED = 1000
"""Systems listed one by one unless asked otherwise."""

MOST_LISTED = 10_000
"""Systems listed one by one at most; the counts are exact whatever it is."""


class Whom(StrEnum):
    """Populations a change can be weighed on without naming a folder."""

    REGISTER = "register"
    EXAMPLES = "examples"


WHOM: dict[Whom, Text] = {
    Whom.REGISTER: Text(zh="登记册中已记录事实的系统", en="registered systems with facts on record"),
    Whom.EXAMPLES: Text(zh="随附的真实系统样例", en="the described real systems that come with the law"),
}


class Weighing(Owing):
    """Deeds that weigh changes of the law; they change nothing."""

    @property
    def examples(self) -> Mapping[str, Description]:
        """Real, described systems that come with the law, by id; read once."""
        return _examples(self.folder / "systems", self.shipped)

    def example(self, name: str) -> Description:
        """Return one of the described examples.

        Raises:
            NotFound: There is none of that id.
        """
        found = self.examples.get(name)
        if found is None:
            near = get_close_matches(name, list(self.examples), n=3, cutoff=0.4)
            raise NotFound(
                what=Text(zh=f"没有样例“{name}”。", en=f"There is no example {name!r}."),
                hint=Text(
                    zh=f"是否指：{'、'.join(near)}？" if near else "请在样例列表中查找。",
                    en=f"Did you mean {', '.join(near)}?" if near else "Look it up in the list of examples.",
                ),
            )
        return found

    def overlays(self) -> tuple[Overlay, ...]:
        """Return every change of the law this house knows: enacted, adopted here, and drafts that come with the law."""
        return (*self.rulebook.enacted, *self.rulebook.drafts)

    def overlay(self, overlay_id: str) -> Overlay:
        """Return a change of the law by its id.

        Raises:
            NotFound: There is none of that id.
        """
        known = {one.id: one for one in self.overlays()}
        if overlay_id in known:
            return known[overlay_id]
        near = get_close_matches(overlay_id, list(known), n=3, cutoff=0.3)
        raise NotFound(
            what=Text(zh=f"没有修改案“{overlay_id}”。", en=f"There is no overlay {overlay_id!r}."),
            hint=Text(
                zh=f"现有：{'、'.join(near or known) or '无'}。", en=f"There is: {', '.join(near or known) or 'none'}."
            ),
        )

    def reform(self, overlay: Overlay, *, on: date | None = None) -> Reform:
        """Return how the law reads on a day without a change and with it; on its first day, if none is given.

        Raises:
            Invalid: It does not fit the text.
        """
        return reform(self.rulebook, overlay, on)

    def impact(self, overlay: Overlay, whom: Whom | Path, *, on: date | None = None, listed: int = LISTED) -> Impact:
        """Return what a change does to a population.

        Args:
            overlay: Enacted, in which case *before* is the text without it; or a draft.
            whom: The register, the examples, or a folder of descriptions.
            on: The day judged on; the first day of the change, if none is given.
            listed: How many of the affected systems are listed one by one.

        Raises:
            Invalid: It does not fit the text, or a description cannot be read.
            NotFound: There is no such folder.
        """
        wanted = max(0, min(listed, MOST_LISTED))
        change = self.reform(overlay, on=on)
        if whom is Whom.EXAMPLES:
            return _on_examples(
                self.folder / "systems", self.shipped, self.rulebook, overlay, on=change.on, listed=wanted
            )
        return _weighed(change, self.members(whom), wanted)

    def members(self, whom: Whom | Path) -> "Iterator[Member]":
        """Yield the systems of a population.

        Raises:
            NotFound: There is no such folder.
        """
        from safebelt.rooms.rulebook.columns.population import from_folder  # noqa: PLC0415  see `_weighed`

        if whom is Whom.EXAMPLES:
            return from_descriptions(self.examples.values())
        if isinstance(whom, Whom):
            return self._registered()
        if not whom.is_dir():
            raise NotFound(
                what=Text(zh=f"没有文件夹“{whom}”。", en=f"There is no folder {str(whom)!r}."),
                hint=Text(
                    zh="请给出存放描述文件的文件夹，或 register。", en="Name a folder of descriptors, or register."
                ),
            )
        return from_folder(whom, self.rulebook)

    def _registered(self) -> "Iterator[Member]":
        from safebelt.rooms.rulebook.columns.population import Member  # noqa: PLC0415  see `_weighed`

        for record in self.population():
            yield Member(id=record.subject, name=record.description.name, facts=record.description.values())


@lru_cache(maxsize=2)
def _examples(folder: Path, rulebook: Rulebook) -> Mapping[str, Description]:
    """The described systems of a folder, read once, as the law itself is."""
    found = (packs.read_description(path, rulebook) for path in sorted(folder.glob("*.yaml")))
    return {one.id: one for one in found}


@lru_cache(maxsize=16)
def _on_examples(
    folder: Path, shipped: Rulebook, rulebook: Rulebook, overlay: Overlay, *, on: date, listed: int
) -> Impact:
    """What a change does to the examples; kept, so that turning a page of the list judges nobody twice."""
    members = from_descriptions(_examples(folder, shipped).values())
    return _weighed(reform(rulebook, overlay, on), members, listed)


def from_descriptions(found: Iterable[Description]) -> "Iterator[Member]":
    """Yield described systems as a population."""
    from safebelt.rooms.rulebook.columns.population import described  # noqa: PLC0415  see `_weighed`

    return described(found)


def _weighed(change: Reform, members: "Iterable[Member]", listed: int) -> Impact:
    from safebelt.rooms.rulebook.columns.impact import impact  # noqa: PLC0415  a fifth of a second only this needs

    return impact(change, members, listed=listed)
