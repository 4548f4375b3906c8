"""The rules of admission: read, tried, brought into force, rolled back; every version is kept whole.

As with screening policies the house's file is the first source: a version that was loaded outlives a restart, until
the file itself changes.
"""

from datetime import tzinfo
from hashlib import sha256

import sqlalchemy as sa

from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.errors import Conflict, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.model import AdmissionAdopted, AdmissionVersion, Admittance, Asked, Brought
from safebelt.rooms.belt.permissions import AdmissionRules, Reading
from safebelt.rooms.belt.service.base import REASON, Chapter, Tools, given, missing

_LOCK = "belt_admission"
_FOUND = "found in the folder of the house"
_NONE_FOUND = "the folder of the house holds no rules"
_OFF = sha256(b"").hexdigest()
"""Digest of no rules at all: that every key is let in is a version too, and somebody brought it."""


class RulesOfAdmission(Chapter):
    """Deeds about who may use what for which purpose."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._reading = Reading(tools.admission) if tools.admission else None
        self._compiled: dict[str, AdmissionRules] = {}

    # ------------------------------------------------------------------ looking

    def admission(self) -> AdmissionRules | None:
        """Return the rules in force; None where the house has none, which lets every key in.

        Raises:
            Unavailable: What is kept is not what was put there.
            Invalid: Those of the house's folder cannot be used.
        """
        with self._t.sql.read() as tx:
            return self._now(tx)

    def is_admission_off(self) -> bool:
        """Whether no rules of admission are in force, so that every key is let in."""
        with self._t.sql.read() as tx:
            newest = store.newest_admission(tx)
        if newest is not None:
            return not newest.content
        return self._reading is None or self._reading.of_the_house() is None

    def admission_versions(self) -> tuple[AdmissionVersion, ...]:
        """Return every version that was in force, newest first; empty until a belt has started."""
        with self._t.sql.read() as tx:
            return tuple(store.admission_versions(tx))

    def check_admission(self, content: bytes, name: str = "admission.cedar") -> AdmissionRules:
        """Read rules as the house would, without bringing them into force.

        Raises:
            Invalid: They cannot be used.
        """
        return self._reader().read(content, name)

    def try_admission(self, asked: Asked) -> Admittance | None:
        """Say what the rules in force come to for a request; None where there are none."""
        rules = self.admission()
        return rules.ask(asked) if rules else None

    # ------------------------------------------------------------------ bringing

    def load_admission(
        self, content: bytes, reason: str, *, by: Actor, name: str = "admission.cedar"
    ) -> AdmissionVersion:
        """Bring rules into force; the belt goes by them with its next snapshot.

        Raises:
            Invalid: They cannot be used, or no reason is given.
            Conflict: They are in force already.
        """
        reason = given(reason, field="reason", what=REASON)
        rules = self._reader().read(content, name)
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, _LOCK)
            self._keep_house_rules(tx)
            return self._adopt_rules(tx, rules, Brought.LOAD, reason, by)

    def roll_back_admission(self, reason: str, *, by: Actor, number: int = 0) -> AdmissionVersion:
        """Bring an earlier version back into force: the one before, unless another is named.

        Raises:
            NotFound: There is no such version, or none before.
            Conflict: It is in force already.
            Invalid: No reason is given.
        """
        reason = given(reason, field="reason", what=REASON)
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, _LOCK)
            versions = list(store.admission_versions(tx))
            wanted = next((each for each in versions if _is_wanted(each, number, versions[0])), None)
            if wanted is None:
                hint = Text(zh="请查看各版本。", en="See `safebelt belt admission versions`.")
                raise missing(Text(zh="准入规则的版本", en="version of the rules of admission"), str(number), hint)
            return self._adopt_rules(tx, self._read(wanted), Brought.ROLL_BACK, reason, by)

    def switch_off_admission(self, reason: str, *, by: Actor) -> AdmissionVersion:
        """Have no rules at all, so that every key is let in: a version of its own, which can be rolled back.

        While it is in force every answer's head, every record and the console say so.

        Raises:
            Invalid: No reason is given.
            Conflict: There are none already.
        """
        reason = given(reason, field="reason", what=REASON)
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, _LOCK)
            self._keep_house_rules(tx)
            return self._adopt_rules(tx, None, Brought.LOAD, reason, by)

    def open_admission(self) -> None:
        """Take the house's file where it is new or changed.  Called when a belt starts.

        Raises:
            Invalid: It cannot be used: the belt must not start.
        """
        if self._reading is None:
            return
        house = self._reading.of_the_house()
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, _LOCK)
            if house is not None:
                self._take_rules(tx, house)
            elif store.newest_admission(tx) is None:
                self._adopt_rules(tx, None, Brought.FILE, _NONE_FOUND, MACHINE)

    # ------------------------------------------------------------------ hands

    def _reader(self) -> Reading:
        if self._reading is None:
            raise Unavailable(
                what=Text(zh="没有准入规则文件夹。", en="There is no folder of admission rules."),
                hint=Text(zh="请恢复 admission/ 文件夹。", en="Put the folder admission/ back."),
            )
        return self._reading

    def _now(self, tx: sa.Connection) -> AdmissionRules | None:
        newest = store.newest_admission(tx)
        if newest is not None:
            return self._read(newest)
        return self._reading.of_the_house() if self._reading else None

    def _read(self, version: AdmissionVersion) -> AdmissionRules | None:
        """Return a version, compiled once and proven to be what was kept; None for that of no rules."""
        if version.digest == _OFF and not version.content:
            return None
        if version.digest not in self._compiled:
            rules = self._reader().read(version.content.encode())
            if rules.digest != version.digest:
                raise Unavailable(
                    what=Text(
                        zh=f"所保存的第 {version.number} 版准入规则已被改动。",
                        en=f"Version {version.number} of the rules of admission was changed where it is kept.",
                    ),
                    hint=Text(zh="请从备份恢复。", en="Restore it from a backup."),
                )
            self._compiled = {version.digest: rules}
        return self._compiled[version.digest]

    def _take_rules(self, tx: sa.Connection, house: AdmissionRules) -> None:
        by_file = (each.digest for each in store.admission_versions(tx) if each.brought is Brought.FILE)
        newest = store.newest_admission(tx)
        if next(by_file, "") != house.digest and (newest is None or newest.digest != house.digest):
            self._adopt_rules(tx, house, Brought.FILE, _FOUND, MACHINE)

    def _keep_house_rules(self, tx: sa.Connection) -> None:
        """Keep the house's file first, so that a load before any belt has started can be rolled back."""
        house = self._reader().of_the_house()
        if house is not None and store.newest_admission(tx) is None:
            self._adopt_rules(tx, house, Brought.FILE, _FOUND, MACHINE)

    def _adopt_rules(
        self, tx: sa.Connection, rules: AdmissionRules | None, brought: Brought, reason: str, by: Actor
    ) -> AdmissionVersion:
        old, digest = store.newest_admission(tx), rules.digest if rules else _OFF
        if old is not None and old.digest == digest:
            raise Conflict(
                what=Text(zh="这些准入规则已在生效。", en="These rules of admission are in force already."),
                hint=Text(zh="无需再次载入。", en="There is nothing left to do."),
            )
        number = old.number + 1 if old else 1
        event = AdmissionAdopted(
            subject="belt",
            number=number,
            digest=digest,
            replaced=old.digest if old else "",
            brought=brought.value,
            rules=tuple(sorted(rules.rules)) if rules else (),
            reason=reason,
        )
        made = AdmissionVersion(
            number=number,
            digest=digest,
            content=rules.content if rules else "",
            brought=brought,
            at=self._t.clock(),
            by=by.id,
            reason=reason,
            entry_id=self._t.ledger.append(tx, event, by=by),
        )
        row = {name: getattr(made, name) for name in store.admission.c.keys()}  # noqa: SIM118  columns, not a dict
        tx.execute(sa.insert(store.admission).values(**row))
        return made

    @property
    def zone(self) -> tzinfo:
        """The house's time zone, for rules that ask about the hour."""
        return self._t.zone


def _is_wanted(each: AdmissionVersion, number: int, now: AdmissionVersion) -> bool:
    return each.number == number if number else each.digest != now.digest
