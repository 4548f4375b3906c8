"""What every deed of the rulebook needs: the law as it reads, tables, ledger, time, ids."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
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
from safebelt.kernel.errors import NotFound
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import Text
from safebelt.rooms.access.service import Access
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.rulebook import decide, packs, store
from safebelt.rooms.rulebook.model import LawText, Norm, Overlay, OverlayStanding, Rulebook


class Desk:
    """The desk that all deeds of the rulebook work at; `service.Rules` documents the arguments."""

    def __init__(self, sql: Sql, ledger: Ledger, access: Access, *, folder: Path, clock: Clock, new_id: NewId) -> None:
        self._sql, self._ledger, self._access, self._folder = sql, ledger, access, folder
        self._clock, self._new_id = clock, new_id
        self._lock = Lock()
        self._adopted: tuple[frozenset[str], Rulebook] | None = None

    @cached_property
    def shipped(self) -> Rulebook:
        """The law as the folder holds it, read once."""
        return packs.load_law(self._folder)

    @property
    def rulebook(self) -> Rulebook:
        """The law of this house: the folder's, and the drafts that two people adopted."""
        with self._sql.read() as tx:
            taken = store.decisions.adopted(tx)
            if not taken:
                return self.shipped
            with self._lock:
                if self._adopted is None or self._adopted[0] != taken:
                    self._adopted = taken, self._with_adopted(tx)
                return self._adopted[1]

    def text(self, on: date | None = None, drafts: Iterable[Overlay] = ()) -> LawText:
        """Return the law as it reads on a day; today, if none is given."""
        return decide.text_on(self.rulebook, on or self.today(), tuple(drafts))

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

    def _with_adopted(self, tx: sa.Connection) -> Rulebook:
        book = self.shipped
        for one in store.decisions.adoptions(tx):
            overlay = replace(packs.read_overlay(one.source, book), standing=OverlayStanding.ENACTED)
            book = replace(book, enacted=(*book.enacted, overlay))
        return book


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
