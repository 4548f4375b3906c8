"""Deeds about versions: proposed by anybody who may change the register, promoted only through a gate."""

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import versions as decide
from safebelt.rooms.registry.model.differences import Aspect, Change, Compared
from safebelt.rooms.registry.model.things import (
    ProposeVersion,
    SubjectKind,
    ThingKind,
    Version,
)
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.registry.service.identity import Identity
from safebelt.rooms.registry.service.remembering import says

_STEPS_AT_ONCE = 200
"""Entries of the ledger read in one go while an earlier registration is put together."""
_WITH_VERSIONS = {ThingKind.MODEL: SubjectKind.MODEL, ThingKind.AGENT: SubjectKind.AGENT}


class Versions(Identity):
    """Deeds about versions of systems, models and agents."""

    def versions(self, subject_id: str) -> tuple[Version, ...]:
        """Return every version of a system, model or agent, newest first.

        Raises:
            NotFound: There is no such system, model or agent.
            Invalid: It is of a kind that has no versions.
        """
        with self._sql.read() as tx:
            _subject_kind(tx, subject_id)
            return store.things.versions_of(tx, subject_id)

    def version(self, version_id: str) -> Version:
        """Return one version.

        Raises:
            NotFound: There is no such version.
        """
        with self._sql.read() as tx:
            return _found(tx, version_id)

    def current_version(self, subject_id: str) -> Version | None:
        """Return the version of a system, model or agent that is current, or None."""
        with self._sql.read() as tx:
            return store.things.current_version(tx, subject_id)

    def propose_version(self, subject_id: str, cmd: ProposeVersion, *, by: Actor) -> Version:
        """Propose a version of a system, model or agent.

        Raises:
            NotFound: There is no such system, model or agent.
            Invalid: It has no label, a digest is wrong, or the subject is of a kind that has no versions.
            Conflict: The label is taken.
        """
        with self._sql.begin() as tx:
            return self._propose_version(tx, subject_id, cmd, by=by)

    def withdraw_version(self, version_id: str, reason: str, *, by: Actor) -> Version:
        """Withdraw a version; where it was current, none is until another is promoted or rolled back to.

        Raises:
            NotFound: There is no such version.
            Conflict: It is withdrawn already.
            Invalid: No reason is given.
        """
        with self._sql.begin() as tx:
            version = self._held(tx, version_id)
            withdrawn, event = decide.withdraw(version, reason=reason, at=self._clock())
            store.things.save_version(tx, withdrawn, was=version.state)
            self._ledger.append(tx, event, by=by)
        return withdrawn

    def compare(self, subject_id: str, *, of: Aspect, before: str = "", after: str = "") -> Compared:
        """Compare two states of a system, model or agent field by field.

        Args:
            subject_id: Which.
            of: A system's facts on record, its registration, or versions.
            before: Number of the older one (of versions: label or id); the one before `after` where left out.
            after: Likewise; the latest where left out.

        Raises:
            NotFound: There is no such subject or state, or fewer than two.
        """
        read = {Aspect.FACTS: self._facts, Aspect.REGISTRATION: self._registrations, Aspect.VERSIONS: self._labelled}
        names = read[of](subject_id)
        new = after or (names[0] if names else "")
        old = before or next(iter(names[names.index(new) + 1 :] if new in names else ()), "")
        if new not in names or old not in names:
            raise _nothing_to_compare(names)
        states = {
            Aspect.FACTS: self._facts_at,
            Aspect.REGISTRATION: self._registration_at,
            Aspect.VERSIONS: self._labelled_at,
        }[of]
        fields = decide.differences(states(subject_id, old), states(subject_id, new))
        changed = sum(one.change is not Change.SAME for one in fields)
        return Compared(subject_id=subject_id, of=of, before=old, after=new, fields=fields, changed=changed)

    def states(self, subject_id: str, of: Aspect) -> tuple[str, ...]:
        """Return what can be compared, newest first.

        Raises:
            NotFound: There is no such subject.
        """
        read = {Aspect.FACTS: self._facts, Aspect.REGISTRATION: self._registrations, Aspect.VERSIONS: self._labelled}
        return read[of](subject_id)

    # ---- inside a larger deed: the gate that promotes is another piece's

    def _propose_version(self, tx: sa.Connection, subject_id: str, cmd: ProposeVersion, *, by: Actor) -> Version:
        """Propose a version inside the caller's transaction."""
        self._one_at_a_time(tx, subject_id)
        version, event = decide.propose(
            cmd,
            subject_id=subject_id,
            subject_kind=_subject_kind(tx, subject_id),
            same=store.things.version_by_label(tx, subject_id, cmd.label.strip()),
            new_id=self._new_id("ver"),
            at=self._clock(),
        )
        store.things.add_version(tx, version)
        self._ledger.append(tx, event, by=by)
        return version

    def _promote(self, tx: sa.Connection, version_id: str, by: Actor, reason: str) -> Version:
        """Make a proposed version current inside the caller's transaction; whoever calls has asked the gate.

        Raises:
            NotFound: There is no such version.
            Conflict: It is not a proposed one.
            Invalid: No reason is given.
        """
        version = self._held(tx, version_id)
        current = store.things.current_version(tx, version.subject_id)
        return self._moved(tx, version, current, decide.promote(version, current, reason=reason, at=self._clock()), by)

    def _roll_back_to(self, tx: sa.Connection, version_id: str, by: Actor, reason: str) -> Version:
        """Make a superseded version current again inside the caller's transaction; the one that was is withdrawn.

        Raises:
            NotFound: There is no such version.
            Conflict: It is not a superseded one.
            Invalid: No reason is given.
        """
        version = self._held(tx, version_id)
        current = store.things.current_version(tx, version.subject_id)
        moved = decide.roll_back(version, current, reason=reason, at=self._clock())
        return self._moved(tx, version, current, moved, by)

    def _moved(
        self, tx: sa.Connection, version: Version, current: Version | None, moved: decide.Moved, by: Actor
    ) -> Version:
        """Save room made before the place is taken: two current ones cannot even be written."""
        new, room, event = moved
        if current is not None and room is not None:
            store.things.save_version(tx, room, was=current.state)
        store.things.save_version(tx, new, was=version.state)
        self._ledger.append(tx, event, by=by)
        return new

    def _held(self, tx: sa.Connection, version_id: str) -> Version:
        """Return a version that nobody else can move until the transaction ends."""
        self._one_at_a_time(tx, _found(tx, version_id).subject_id)
        return _found(tx, version_id)

    # ---- what is compared

    def _facts(self, subject_id: str) -> tuple[str, ...]:
        return tuple(str(record.version) for record in self.descriptions(subject_id))

    def _facts_at(self, subject_id: str, number: str) -> dict[str, object]:
        return dict(sorted(self._rules.version(subject_id, int(number)).description.values().items()))

    def _registrations(self, subject_id: str) -> tuple[str, ...]:
        return tuple(str(number) for number in range(self.system(subject_id).version, 0, -1))

    def _registration_at(self, subject_id: str, number: str) -> dict[str, object]:
        system = self.system(subject_id)
        found = decide.registration_at(
            decide.registration_fields(system), system.version, self._steps(subject_id), int(number)
        )
        if found is None:
            raise _nothing_to_compare(())
        return dict(found)

    def _steps(self, subject_id: str) -> list[decide.Step]:
        """Every change of a registration the ledger remembers."""
        steps: list[decide.Step] = []
        before: int | None = None
        while True:
            page = self._ledger.entries(subject=subject_id, before=before, limit=_STEPS_AT_ONCE)
            steps += [step for entry in page if (step := decide.step_of(says(entry))) is not None]
            before = page[-1].index if len(page) == _STEPS_AT_ONCE else None
            if before is None:
                return steps

    def _labelled(self, subject_id: str) -> tuple[str, ...]:
        return tuple(version.label for version in self.versions(subject_id))

    def _labelled_at(self, subject_id: str, label: str) -> dict[str, object]:
        with self._sql.read() as tx:
            found = store.things.version_by_label(tx, subject_id, label)
        return {} if found is None else dict(decide.version_fields(found))


def _found(tx: sa.Connection, version_id: str) -> Version:
    version = store.things.version_by_id(tx, version_id)
    if version is None:
        raise NotFound(
            what=Text(zh=f"没有版本 {version_id}。", en=f"There is no version {version_id}."),
            hint=Text(zh="请在系统或模型的版本列表中查找。", en="Look it up in the versions of its system or model."),
        )
    return version


def _subject_kind(tx: sa.Connection, subject_id: str) -> SubjectKind:
    """Return what has versions here.

    Raises:
        NotFound: There is no such system or thing.
        Invalid: Things of this kind have no versions.
    """
    thing = store.things.thing_by_id(tx, subject_id)
    if thing is None:
        found_system(tx, subject_id)
        return SubjectKind.SYSTEM
    if thing.kind not in _WITH_VERSIONS:
        raise Invalid(
            what=Text(
                zh="只有系统、模型和智能体有版本；组件、数据集和部署的变化直接修改其登记内容。",
                en="Only systems, models and agents have versions; of other parts, change the registration itself.",
            ),
            hint=Text(zh="请修改该部件的登记内容。", en="Change what the register says of this part."),
        )
    return _WITH_VERSIONS[thing.kind]


def _nothing_to_compare(names: tuple[str, ...]) -> NotFound:
    there = ", ".join(names[:10])
    return NotFound(
        what=Text(zh="没有可比较的两个版本。", en="There are no two such versions to compare."),
        hint=Text(
            zh=f"现有版本：{there}。" if there else "记录至少两个版本之后才能比较。",
            en=f"There are: {there}." if there else "Once two are on record they can be compared.",
        ),
    )
