"""A policy's life: versions kept whole, brought into force, rolled back; red lines only by two people (R6).

The files of the house are the first source.  From then on the newest adoption of a policy is in force: a version that
was loaded outlives a restart, until the file itself changes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import Proposal, Propose
from safebelt.rooms.belt import scanner, store
from safebelt.rooms.belt.decide import changed_red_lines
from safebelt.rooms.belt.model import Adoption, Brought, Policy, PolicyAdopted, RedLineChange
from safebelt.rooms.belt.service.base import REASON, given, missing
from safebelt.rooms.belt.service.policies import PolicyReading

if TYPE_CHECKING:
    from safebelt.rooms.belt.scanner import Source

RED_LINES = "belt.red_lines"
"""The act that needs two people."""
_LOCK = "belt_policy"
_FOUND = Text(zh="房屋规则文件夹中的文件", en="found in the folder of the house")

_log = structlog.get_logger("safebelt.belt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of bringing a version.

    Attributes:
        policy: The version.
        changes: What it does to the red lines of the version in force.
        adoption: Its adoption; None where it waits for a second person.
        proposal: The act that waits; None where one person was enough.
    """

    policy: Policy
    changes: tuple[RedLineChange, ...]
    adoption: Adoption | None = None
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A changed file of the house that was not taken: it changes red lines, and only two people do that."""

    policy: Policy
    changes: tuple[RedLineChange, ...]


class PolicyVersions(PolicyReading):
    """Deeds that bring policies into force."""

    def policy_changes(self, proposal_id: str) -> Loaded:
        """Return what an act that waits for a second person would bring.

        Raises:
            NotFound: There is no such act.
        """
        proposal = self._t.access.proposal(proposal_id)
        if proposal.action != RED_LINES:
            raise missing(
                Text(zh="待第二人同意的规则改动", en="policy change that waits for a second person"),
                proposal_id,
                Text(zh="请查看双人事项。", en="See the acts that need two people."),
            )
        policy = scanner.read_kept(str(proposal.content["content"]).encode()).policy
        with self._t.sql.read() as tx:
            old = self._in_force(tx).get(policy.id)
        return Loaded(policy=policy, changes=changed_red_lines(old, policy), proposal=proposal)

    def waiting_policy_changes(self) -> list[Proposal]:
        """Return the changes of red lines that were proposed, latest first."""
        return self._t.access.proposals(actions=[RED_LINES])

    # ------------------------------------------------------------------ bringing

    def load_policy(
        self, content: bytes, reason: str, *, by: Actor, name: str = "policy.yaml", folder: Path | None = None
    ) -> Loaded:
        """Bring a version into force; the belt takes it with its next snapshot.  Red lines wait for a second person.

        Args:
            content: The policy, YAML.
            reason: Why.
            by: Who brings it.
            name: What the file is called, for the errors found in it.
            folder: Where it lies, with its word lists; None for the folder of the house.

        Raises:
            Invalid: It breaks a rule of form (every error with its line), or no reason is given.
            Conflict: It is in force already, or its version number was given to other content before.
            Refused: It is in use and lacks a red line of the house, or the actor may not propose a change of red lines.
        """
        reason = given(reason, field="reason", what=REASON)
        source = scanner.read_source(content, name, folder or self._t.lists)
        with self._t.sql.read() as tx:
            _hold_new_number(source.policy, store.adoptions(tx, source.policy.id))
        return self._bring(source, Brought.LOAD, reason, by)

    def roll_back_policy(self, policy_id: str, reason: str, *, by: Actor, version: str = "") -> Loaded:
        """Bring an earlier version back into force: the one before, unless another is named.

        Raises:
            NotFound: There is no such version, or none before.
            Conflict: It is in force already.
            Invalid: No reason is given.
            Refused: As for `load_policy`.
        """
        reason = given(reason, field="reason", what=REASON)
        with self._t.sql.read() as tx:
            digest = self._adoption(tx, policy_id, version).digest if version else self._before(tx, policy_id)
            kept = self._kept(tx, digest)
            content = store.policy_content(tx, digest) or ""
        return self._bring(scanner.Source(kept, content.encode()), Brought.ROLL_BACK, reason, by)

    def second_policy(self, proposal_id: str, *, answer: str, by: Actor) -> Adoption:
        """Second a change of red lines: the version comes into force.

        Raises:
            NotFound, Refused, Conflict, Invalid: As for `Access.second`; Conflict also where another version came into
                force since it was proposed, so that the second person would decide on something else.
        """
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, _LOCK)
            proposal = self._t.access.second(tx, proposal_id, action=RED_LINES, answer=answer, by=by)
            source = scanner.read_kept(str(proposal.content["content"]).encode())
            if self._digest_now(tx, source.policy.id) != proposal.content["replaces"]:
                raise Conflict(
                    what=Text(
                        zh="提出之后该策略已有别的版本生效。",
                        en="Another version came into force since it was proposed.",
                    ),
                    hint=Text(zh="请否决，并就现行版本重新提出。", en="Refuse it, and propose it afresh."),
                )
            self._hold_required(tx, source.policy)
            brought, reason = Brought(proposal.content["brought"]), str(proposal.content["reason"])
            return self._adopt(tx, source, brought, reason, by, proposal=proposal.id)

    # ------------------------------------------------------------------ opening the house

    def open_policies(self) -> tuple[NotTaken, ...]:
        """Take the files of the house that are new or changed, and hold that no red line is missing.

        Called when a belt starts.  A changed file that touches red lines is not taken: the version in force stays.

        Returns:
            The files that were not taken.

        Raises:
            Invalid: A file cannot be read; every error with its line.
            Refused: A policy in use lacks a red line of the house: the belt must not start.
            Unavailable: A version in force is not what was kept.
        """
        left = []
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, _LOCK)
            for source in self._t.sources().values():
                if (not_taken := self._take(tx, source)) is not None:
                    left.append(not_taken)
                    _log.error("belt.policy_file_waits_for_two_people", policy=source.policy.id)
            used = {row.policy for row in tx.execute(sa.select(store.harness.c.policy).distinct())}
            now = self._in_force(tx)
        if self._t.default_policy in now:
            used.add(self._t.default_policy)
        for id_ in sorted(used & set(now)):
            self.hold_red_lines_of(now[id_])
            if (in_folder := self._t.policies.get(id_)) is not None:
                self.hold_red_lines_of(in_folder)
        return tuple(left)

    def _take(self, tx: sa.Connection, source: "Source") -> NotTaken | None:
        adopted = store.adoptions(tx, source.policy.id)
        last_file = next((each.digest for each in adopted if each.brought is Brought.FILE), "")
        if last_file == source.policy.digest:
            return None
        changes = changed_red_lines(self._kept(tx, adopted[0].digest), source.policy) if adopted else ()
        if changes:
            return NotTaken(policy=source.policy, changes=changes)
        self._adopt(tx, source, Brought.FILE, _FOUND.en, MACHINE)
        return None

    # ------------------------------------------------------------------ hands

    def _bring(self, source: "Source", brought: Brought, reason: str, by: Actor) -> Loaded:
        policy = source.policy
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, _LOCK)
            self._hold_required(tx, policy)
            old = self._in_force(tx).get(policy.id)
            if old is not None and old.digest == policy.digest:
                raise Conflict(
                    what=Text(zh="这一版本已在生效。", en="This version is in force already."),
                    hint=Text(zh="无需再次载入。", en="There is nothing left to do."),
                )
            self._keep_house_version(tx, policy.id)
            changes = changed_red_lines(old, policy)
            if not changes:
                return Loaded(policy=policy, changes=(), adoption=self._adopt(tx, source, brought, reason, by))
        proposal = self._t.access.propose(_proposal(source, brought, reason, changes, old.digest if old else ""), by=by)
        return Loaded(policy=policy, changes=changes, proposal=proposal)

    def _keep_house_version(self, tx: sa.Connection, policy_id: str) -> None:
        """Keep the version of the folder first, so that a load before any belt has started can be rolled back."""
        source = self._t.sources().get(policy_id)
        if source is not None and not store.adoptions(tx, policy_id):
            self._adopt(tx, source, Brought.FILE, _FOUND.en, MACHINE)

    def _adopt(
        self, tx: sa.Connection, source: "Source", brought: Brought, reason: str, by: Actor, *, proposal: str = ""
    ) -> Adoption:
        policy = source.policy
        now = self._in_force(tx)
        old = now.get(policy.id)
        red_lines = tuple(change.rule for change in changed_red_lines(old, policy))
        event = PolicyAdopted(
            subject=policy.id,
            version=policy.version,
            digest=policy.digest,
            replaced=old.digest if old else "",
            brought=brought.value,
            red_lines=red_lines,
            proposal=proposal,
            reason=reason,
        )
        made = Adoption(
            number=tx.execute(sa.select(sa.func.coalesce(sa.func.max(store.adoption.c.number), 0))).scalar_one() + 1,
            policy=policy.id,
            version=policy.version,
            digest=policy.digest,
            brought=brought,
            at=self._t.clock(),
            by=by.id,
            reason=reason,
            red_lines=red_lines,
            proposal=proposal,
            entry_id=self._t.ledger.append(tx, event, by=by),
        )
        if store.policy_content(tx, policy.digest) is None:
            kept = {"digest": policy.digest, "policy": policy.id, "version": policy.version}
            tx.execute(sa.insert(store.policy).values(**kept, content=source.content.decode()))
        tx.execute(sa.insert(store.adoption).values(**store.from_adoption(made)))
        return made

    def _hold_required(self, tx: sa.Connection, policy: Policy) -> None:
        """Hold a policy in use to the red lines of the house."""
        used = tx.execute(sa.select(store.harness.c.system_id).where(store.harness.c.policy == policy.id)).first()
        if used is not None or policy.id == self._t.default_policy:
            self.hold_red_lines_of(policy)


def _hold_new_number(policy: Policy, adopted: list[Adoption]) -> None:
    """INVARIANT: records cite `policy@version#rule`, so a number means one content."""
    if any(each.version == policy.version and each.digest != policy.digest for each in adopted):
        raise Conflict(
            what=Text(
                zh=f"版本号 {policy.version} 已用于别的内容。", en=f"Version {policy.version} was other content before."
            ),
            hint=Text(zh="请提高 version 后再载入。", en="Raise `version`, and load it again."),
            details={"field": "version"},
        )


def _proposal(
    source: "Source", brought: Brought, reason: str, changes: tuple[RedLineChange, ...], replaces: str
) -> Propose:
    policy, rules = source.policy, ", ".join(change.rule for change in changes)
    return Propose(
        action=RED_LINES,
        subject=policy.id,
        says=Text(
            zh=f"规则“{policy.title.zh}”第 {policy.version} 版改动红线：{rules}",
            en=f"Version {policy.version} of “{policy.title.en}” changes red lines: {rules}",
        ),
        reason=reason,
        content={
            "content": source.content.decode(),
            "brought": brought.value,
            "reason": reason,
            "replaces": replaces,
            "changes": [{"rule": each.rule, "zh": each.says.zh, "en": each.says.en} for each in changes],
        },
        where="/belt/policies",
    )
