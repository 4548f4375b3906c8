"""Contents that pass the belt: what the law asks of their system is put on them, and where that cannot be, it is said.

Which marks are owed is asked of the rulebook at most once a minute for each system and kind of content; while the
records do not answer, what they last said stands, and where they never did, contents are treated as those of a system
of which no facts are on record: they get the notice.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from time import monotonic

import structlog

from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.labelling import decide, store
from safebelt.rooms.labelling.decide import owed
from safebelt.rooms.labelling.formats.kinds import sniff
from safebelt.rooms.labelling.model import Mark
from safebelt.rooms.labelling.model.events import Remembered
from safebelt.rooms.labelling.model.owing import Medium
from safebelt.rooms.labelling.service.base import FONT, MAX_IDENT
from safebelt.rooms.labelling.service.marking import CannotMark, MarkedBytes, Marking
from safebelt.rooms.labelling.service.owing import Owing, medium_of
from safebelt.rooms.labelling.service.painting import Content, Painted, Painting
from safebelt.rooms.labelling.service.verifying import Verifying

_ASK_AGAIN_SECONDS = 60.0
"""How long it is taken for granted what a system owes."""
_HERE = frozenset({Mark.EXPLICIT, Mark.WATERMARK})


@dataclass(frozen=True, slots=True, kw_only=True)
class LetOut:
    """Whose contents leave, and what may be put into them.

    Attributes:
        system_id: What made them.
        uscc: Unified social credit code of that system's provider; empty where it bears none.
        may_show: Whether a notice may be put into what is seen or heard.
        may_hide: Whether a watermark may, which changes it for good.
        asked: What was asked for, in whose language the notice is; empty where that is not known.
    """

    system_id: str
    uscc: str = ""
    may_show: bool = False
    may_hide: bool = False
    asked: str = ""

    @property
    def may(self) -> frozenset[Mark]:
        """The marks that may be put into a content."""
        return frozenset(mark for mark, may in ((Mark.EXPLICIT, self.may_show), (Mark.WATERMARK, self.may_hide)) if may)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """What a system's contents of one kind are to carry.

    Attributes:
        marks: Notice, watermark, both or none.
        places: Where the system is offered, as far as it is on record.
    """

    marks: frozenset[Mark]
    places: frozenset[str]


_NOT_KNOWN = _Due(marks=owed.wished(owed.not_evaluated(), is_narrowed=False) & _HERE, places=frozenset())


class LettingOut(Marking, Verifying, Owing):
    """Marks what passes the belt."""

    @cached_property
    def _painting(self) -> Painting:
        return Painting()

    @cached_property
    def _due(self) -> dict[tuple[str, Medium], tuple[float, _Due]]:
        return {}

    def let_out(self, contents: Sequence[tuple[str, bytes]], to: LetOut) -> list[MarkedBytes]:
        """Mark the contents of one answer.

        It takes up to minutes, and is not for an event loop.

        Args:
            contents: Each with the id of the record that its label names.
            to: Whose they are, and what may be put into them.

        Raises:
            CannotMark: One is of no format that carries a label, or damaged.
        """
        taken = [self._content(data, to) for _, data in contents]
        painted = self._painted(taken)
        done = list[MarkedBytes]()
        for (ident, _), one, (data, found) in zip(contents, taken, painted, strict=True):
            if found.broken:
                raise CannotMark(found.broken)
            made = self.mark_bytes(data, ident, to.system_id, to.uscc, is_stamped=True)
            done.append(
                replace(
                    made,
                    put=made.put | {mark.value for mark in found.put},
                    left_out={**made.left_out, **{mark.value: why for mark, why in found.left.items()}},
                    ident=one.ident if Mark.WATERMARK in found.put else None,
                )
            )
        self._remember_idents([ident for ident, _ in contents], done, to.system_id)
        return done

    def close(self) -> None:
        """End the processes that work on contents."""
        self._painting.close()
        super().close()

    def _content(self, data: bytes, to: LetOut) -> Content:
        kind = sniff(data)
        if kind is None:
            raise CannotMark("a content of no known format")
        due = self._due_of(to.system_id, medium_of(kind)) if to.may else _NOT_KNOWN
        drawn = int.from_bytes(self.desk.chance(8)) % MAX_IDENT if to.may else 0
        return Content(data=data, kind=kind, marks=due.marks & to.may, lang=_lang(due, to.asked), ident=drawn)

    def _painted(self, contents: list[Content]) -> list[tuple[bytes, Painted]]:
        if not any(one.marks for one in contents):
            return [(one.data, Painted()) for one in contents]
        has_watermark = any(Mark.WATERMARK in one.marks for one in contents)
        try:
            key = self.desk.keyring.key(is_made=True) if has_watermark else b""
            return self._painting.of(contents, self.desk.folder / FONT, key)
        except Problem as problem:
            why = Text(zh=problem.in_("zh"), en=problem.in_("en"))
        except OSError as error:
            said = error.strerror or type(error).__name__
            why = Text(zh=f"磁盘无法写入：{said}。", en=f"The disk cannot be written to: {said}.")
        return [(one.data, Painted(left=dict.fromkeys(one.marks, why))) for one in contents]

    def _due_of(self, system_id: str, medium: Medium) -> _Due:
        kept, now = self._due.get((system_id, medium)), monotonic()
        if kept is None or now - kept[0] > _ASK_AGAIN_SECONDS:
            due = kept[1] if kept else _NOT_KNOWN
            with suppress(Problem):
                due = self._asked(system_id, medium)
            kept = self._due[system_id, medium] = (now, due)
        return kept[1]

    def _asked(self, system_id: str, medium: Medium) -> _Due:
        found = owed.wished(self.owed_of(medium, system_id), is_narrowed=False)
        record = self.desk.rules.on_record(system_id)
        return _Due(marks=found & _HERE, places=owed.places(record.description.values() if record else {}))

    def _remember_idents(self, ids: list[str], done: list[MarkedBytes], system_id: str) -> None:
        """Remember which record a watermark leads to; while nothing can be, the record alone knows."""
        rows = [
            Remembered(
                id=ident, system_id=system_id, sha256=one.sha256, at=self.desk.clock(), entry_id="", ident=one.ident
            )
            for ident, one in zip(ids, done, strict=True)
            if one.ident is not None
        ]
        if not rows:
            return
        try:
            with self.desk.sql.begin() as tx:
                for row in rows:
                    store.insert(tx, row)
        except Problem as problem:
            structlog.get_logger("safebelt.labelling").warning("labelling.watermark_unremembered", problem=str(problem))


def _lang(due: _Due, asked: str) -> str:
    """Return the language of a notice: Chinese where Chinese law asks for its own words, else the asker's.

    GB 45438-2025 names the words themselves: 人工智能 or AI, and 生成 or 合成.
    """
    is_chinese = "cn" in due.places or (not due.places and not asked)
    return "zh" if is_chinese else decide.lang_of(asked)
