"""What a change of the law would do, or did, to the systems of the register or to the described examples."""

from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import packs
from safebelt.rooms.rulebook.decide.impact import Impact, Reform, reform
from safebelt.rooms.rulebook.model import Description, Overlay
from safebelt.rooms.rulebook.service.owing import Owing

if TYPE_CHECKING:
    from safebelt.rooms.rulebook.columns.population import Member

LISTED = 200
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

    @cached_property
    def examples(self) -> dict[str, Description]:
        """Real, described systems that come with the law, by id; read once."""
        folder = self.folder / "systems"
        found = (packs.read_description(path, self.shipped) for path in sorted(folder.glob("*.yaml")))
        return {one.id: one for one in found}

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
        from safebelt.rooms.rulebook.columns.impact import impact  # noqa: PLC0415  a fifth of a second that only this needs

        return impact(self.reform(overlay, on=on), self.members(whom), listed=min(listed, MOST_LISTED))

    def members(self, whom: Whom | Path) -> "Iterator[Member]":
        """Yield the systems of a population.

        Raises:
            NotFound: There is no such folder.
        """
        from safebelt.rooms.rulebook.columns.population import described, from_folder  # noqa: PLC0415  see `impact`

        if whom is Whom.EXAMPLES:
            return described(self.examples.values())
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
        from safebelt.rooms.rulebook.columns.population import Member  # noqa: PLC0415  see `impact`

        for record in self.population():
            yield Member(id=record.subject, name=record.description.name, facts=record.description.values())
