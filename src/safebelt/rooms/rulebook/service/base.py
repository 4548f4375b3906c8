"""What every deed of the rulebook needs: the law as it reads, tables, ledger, time, ids."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa

from safebelt.engines.canonical import canonical
from safebelt.engines.clock import Clock
from safebelt.engines.sql import Sql
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import Text
from safebelt.rooms.access.service import Access
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.rulebook import decide, packs, store
from safebelt.rooms.rulebook.model import LawText, Norm, Overlay, OverlayStanding, Rulebook
from safebelt.rooms.rulebook.model.deeds import Adoption


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the register, which lies above this room, knows of a system.

    Attributes:
        party: Id of the party whose covenants bind it; empty where none is known.
        persons: Bearer to the names of those who answer for that bearer's duties.
        held: Ids of evidence that is held; that it is held never says that a duty is met.
        claimed: Those of them that nobody but the system's own side stands for.
    """

    name: Text
    party: str = ""
    persons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """A party and the systems that are registered for it.

    Attributes:
        systems: Ids, in the order the register has them.
    """

    name: Text
    systems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """A draft that two people adopted and that does not fit the law any more, so that it does not judge.

    Attributes:
        why: What is wrong with it now.
    """

    adoption: Adoption
    why: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfThisHouse:
    """The law with adopted drafts, and which drafts it was put together for."""

    taken: frozenset[tuple[str, str]]
    book: Rulebook
    unfit: tuple[Unfit, ...]


AboutSystem = Callable[[str], About | None]
"""System id to what the register knows of it; None where it has no such system."""

SystemsOf = Callable[[str], Holdings | None]
"""Party id to its systems; None where the register has no such party."""


def only_its_id(system: str) -> About:
    """Return what is known of a system where nobody above was asked: its id."""
    return About(name=Text(zh=system, en=system))  # an id, the same in both languages


def no_register(_party: str) -> Holdings | None:
    """Return that no register was asked."""
    return None


class Desk:
    """The desk that all deeds of the rulebook work at; `service.Rules` documents the arguments.

    `about` and `systems_of` are how the register is asked without this room knowing it: `app.py` connects them.
    """

    def __init__(
        self,
        sql: Sql,
        ledger: Ledger,
        access: Access,
        *,
        folder: Path,
        clock: Clock,
        new_id: NewId,
        about: AboutSystem = only_its_id,
        systems_of: SystemsOf = no_register,
    ) -> None:
        self._sql, self._ledger, self._access, self._folder = sql, ledger, access, folder
        self._clock, self._new_id = clock, new_id
        self._about, self._systems_of = about, systems_of
        self._lock = Lock()
        self._adopted: _OfThisHouse | None = None

    @cached_property
    def law(self) -> packs.Law:
        """The law as the folder holds it, with the cases beside it; read once."""
        return packs.open_law(self._folder)

    @property
    def shipped(self) -> Rulebook:
        """The law as the folder holds it."""
        return self.law.rulebook

    @property
    def rulebook(self) -> Rulebook:
        """The law of this house: the folder's, and the drafts that two people adopted."""
        with self._sql.read() as tx:
            return self.rulebook_within(tx)

    def rulebook_within(self, tx: sa.Connection) -> Rulebook:
        """Return the same inside a transaction: a deed takes no second connection while it holds one."""
        return self._house_law(tx).book

    def unfit(self) -> tuple[Unfit, ...]:
        """Return adopted drafts that no longer fit, for example since the law's folder was updated.

        One of them takes no law down: it is left out, everybody is told, and two people may adopt a corrected one.
        """
        with self._sql.read() as tx:
            return self._house_law(tx).unfit

    def text(self, on: date | None = None, drafts: Iterable[Overlay] = ()) -> LawText:
        """Return the law as it reads on a day; today, if none is given."""
        return decide.text_on(self.rulebook, on or self.today(), tuple(drafts))

    def text_within(self, tx: sa.Connection, on: date) -> LawText:
        """Return the law as it reads on a day, inside a transaction."""
        return decide.text_on(self.rulebook_within(tx), on)

    def today(self) -> date:
        """Return the day, UTC."""
        return self._clock().date()

    def now(self) -> datetime:
        """Return the moment, UTC."""
        return self._clock()

    @property
    def folder(self) -> Path:
        """Where the law's files are."""
        return self._folder

    def knows_party(self, party: str) -> bool:
        """Whether the register has a party; True where no register is connected that could be asked."""
        return self._systems_of is no_register or self._systems_of(party) is not None

    def known(self, instruments: Iterable[str]) -> tuple[str, ...]:
        """Return instrument ids, once it is certain that all are in the rulebook.

        Raises:
            NotFound: One is not.
        """
        return _all_in(instruments, self.rulebook.base.instruments, Text(zh="文件", en="instrument"), "instruments")

    def known_evidence(self, evidence: Iterable[str]) -> tuple[str, ...]:
        """Return evidence ids, once it is certain that the rulebook knows all.

        Raises:
            NotFound: It does not know one.
        """
        return _all_in(evidence, self.rulebook.base.evidence, Text(zh="证据", en="evidence"), "coverage --help")

    def norm(self, norm_id: str, on: date | None = None) -> Norm:
        """Return a norm as it reads on a day.

        Raises:
            NotFound: The text of that day has none of that id.
        """
        found = self.text(on).norms.get(norm_id)
        if found is None:
            raise NotFound(
                what=Text(zh=f"规则库中没有“{norm_id}”这条规则。", en=f"The rulebook has no norm {norm_id!r}."),
                hint=Text(
                    zh="请用 safebelt rulebook norms 查看全部编号。", en="See safebelt rulebook norms for all ids."
                ),
            )
        return found

    def _house_law(self, tx: sa.Connection) -> _OfThisHouse:
        taken = store.decisions.adopted(tx)
        if not taken:
            return _OfThisHouse(taken=taken, book=self.shipped, unfit=())
        with self._lock:
            if self._adopted is None or self._adopted.taken != taken:
                self._adopted = _with_adopted(self.shipped, taken, store.decisions.adoptions(tx))
            return self._adopted


def _with_adopted(book: Rulebook, taken: frozenset[tuple[str, str]], adoptions: Iterable[Adoption]) -> _OfThisHouse:
    unfit: list[Unfit] = []
    for one in adoptions:
        try:
            overlay = replace(packs.read_overlay(one.source, book), standing=OverlayStanding.ENACTED)
        except Invalid as problem:
            unfit.append(Unfit(adoption=one, why=problem.what))
        else:
            book = replace(book, enacted=(*book.enacted, overlay))
    return _OfThisHouse(taken=taken, book=book, unfit=tuple(unfit))


def _all_in(asked: Iterable[str], there: Mapping[str, Any], kind: Text, command: str) -> tuple[str, ...]:
    wanted = tuple(asked)
    unknown = [one for one in wanted if one not in there]
    if unknown:
        near = get_close_matches(unknown[0], list(there), n=3, cutoff=0.4)
        raise NotFound(
            what=Text(
                zh=f"规则库中没有这样的{kind.zh}：{'、'.join(unknown)}。",
                en=f"The rulebook knows no such {kind.en}: {', '.join(unknown)}.",
            ),
            hint=Text(
                zh=f"是否指：{'、'.join(near)}？" if near else f"请看 safebelt rulebook {command}。",
                en=f"Did you mean {', '.join(near)}?" if near else f"See safebelt rulebook {command}.",
            ),
        )
    return wanted


def digest(data: Mapping[str, Any]) -> str:
    """Return the SHA-256 of canonical JSON, hexadecimal."""
    return sha256(canonical(dict(data))).hexdigest()
