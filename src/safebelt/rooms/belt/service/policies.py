"""Reading policies: those in force, and every version that ever was."""

from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from safebelt.kernel.errors import Conflict, Invalid, Refused, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt import scanner, store
from safebelt.rooms.belt.decide import missing_red_lines
from safebelt.rooms.belt.model import Adoption, Policy
from safebelt.rooms.belt.service.base import Chapter, Tools, missing

_PREFIX = 8
"""Digits of a digest that name a version: fewer could be a version's number."""


class PolicyReading(Chapter):
    """What is screened for, now and before."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._kept_by_digest: dict[str, Policy] = {}

    # ------------------------------------------------------------------ looking

    def policies(self) -> tuple[Policy, ...]:
        """Return every screening policy in force, by id."""
        with self._t.sql.read() as tx:
            found = self._in_force(tx)
        return tuple(found[id_] for id_ in sorted(found))

    def house_policies(self) -> dict[str, Policy]:
        """Return the policies of the house's folder by id, whatever was adopted over them."""
        return dict(self._t.policies)

    def policy(self, policy_id: str) -> Policy:
        """Return one screening policy as it is in force.

        Raises:
            NotFound: There is none of this id.
        """
        with self._t.sql.read() as tx:
            return self._policy(tx, policy_id)

    def check_policy(self, content: bytes, name: str = "policy", folder: Path | None = None) -> Policy:
        """Read a policy file's content as the house would, without putting it in force.

        Args:
            content: YAML.
            name: What the file is called, for the errors found in it.
            folder: Where it lies, with its word lists; None for the folder of the house.

        Raises:
            Invalid: It breaks a rule of form; every error is named with its line.
        """
        return scanner.read_source(content, f"{name}.yaml", folder or self._t.lists).policy

    def default_policy(self) -> str:
        """Return the id of the policy a system gets where none is named.

        Raises:
            Conflict: The house has no policy at all.
        """
        if not self._t.policies:
            raise Conflict(
                what=Text(zh="没有任何筛查策略。", en="There is no screening policy."),
                hint=Text(
                    zh="请在 screening/ 文件夹中放入一份策略，然后重新启动。",
                    en="Put a policy into the folder screening/ and start again.",
                ),
            )
        return self._t.default_policy or min(self._t.policies)

    def policy_versions(self, policy_id: str = "") -> tuple[Adoption, ...]:
        """Return what came into force, of one policy where named, newest first.

        Empty for a policy of the folder until a belt has started with it.
        """
        with self._t.sql.read() as tx:
            return tuple(store.adoptions(tx, policy_id))

    def policy_version(self, policy_id: str, version: str) -> Policy:
        """Return a version that is or was in force.

        Args:
            policy_id: Of which policy.
            version: Its number (the newest that bore it), or the first eight or more digits of its digest.

        Raises:
            NotFound: It was never in force here.
            Unavailable: What is kept under its digest is not what was put there.
        """
        with self._t.sql.read() as tx:
            return self._kept(tx, self._adoption(tx, policy_id, version).digest)

    def hold_red_lines_of(self, policy: Policy) -> None:
        """Hold that a policy draws every red line of the house.

        Raises:
            Refused: It does not.
        """
        lost = missing_red_lines(policy, self._t.required(), self._t.clock().date())
        if lost:
            named = ", ".join(lost)
            raise Refused(
                what=Text(
                    zh=f"规则“{policy.id}”第 {policy.version} 版缺少本单位的红线：{named}。",
                    en=f"Version {policy.version} of the policy {policy.id!r} lacks red lines of the house: {named}.",
                ),
                hint=Text(
                    zh="请把这些规则（red_line: true，依据未过期）放回规则文件；红线清单在 screening/red-lines.txt。",
                    en="Put these rules back (red_line: true, basis not expired); the list of red lines is "
                    "screening/red-lines.txt.",
                ),
                details={"policy": policy.id, "red_lines": named},
            )

    def _in_force(self, tx: sa.Connection) -> dict[str, Policy]:
        """Return the policies in force by id: those of the folder, and over them what was adopted."""
        folder: Mapping[str, Policy] = self._t.policies
        return {**folder, **{id_: self._kept(tx, digest) for id_, digest in store.in_force(tx).items()}}

    def _digest_now(self, tx: sa.Connection, policy_id: str) -> str:
        policy = self._in_force(tx).get(policy_id)
        return policy.digest if policy else ""

    def _policy(self, tx: sa.Connection, policy_id: str) -> Policy:
        found = self._in_force(tx)
        if policy_id not in found:
            known = ", ".join(sorted(found))
            raise missing(
                Text(zh="筛查策略", en="screening policy"),
                policy_id,
                Text(zh=f"现有策略：{known or '无'}。", en=f"There are: {known or 'none'}."),
            )
        return found[policy_id]

    def _kept(self, tx: sa.Connection, digest: str) -> Policy:
        """Return the version under a digest, read once and proven to be what was kept."""
        if digest not in self._kept_by_digest:
            content = store.policy_content(tx, digest)
            try:
                policy = scanner.read_kept((content or "").encode()).policy
            except Invalid:
                policy = None
            if policy is None or policy.digest != digest:
                raise Unavailable(
                    what=Text(
                        zh=f"所保存的规则版本 {digest[:12]}… 已被改动或缺失。",
                        en=f"The policy version kept as {digest[:12]}… was changed or is missing.",
                    ),
                    hint=Text(zh="请从备份恢复。", en="Restore it from a backup."),
                )
            self._kept_by_digest[digest] = policy
        return self._kept_by_digest[digest]

    def _adoption(self, tx: sa.Connection, policy_id: str, version: str) -> Adoption:
        for each in store.adoptions(tx, policy_id):
            if version == str(each.version) or (len(version) >= _PREFIX and each.digest.startswith(version)):
                return each
        raise missing(
            Text(zh=f"规则“{policy_id[:80]}”的版本", en=f"version of the policy {policy_id[:80]!r}"),
            version,
            Text(zh="请查看其各版本。", en="See its versions: `safebelt belt policies versions`."),
        )

    def _before(self, tx: sa.Connection, policy_id: str) -> str:
        """Return the digest of what was in force before what is."""
        adopted = store.adoptions(tx, self._policy(tx, policy_id).id)
        earlier = next((each.digest for each in adopted if each.digest != adopted[0].digest), None)
        if earlier is None:
            raise missing(
                Text(zh="更早的版本", en="earlier version of the policy"),
                policy_id,
                Text(zh="此前没有别的版本生效。", en="No other version was in force before."),
            )
        return earlier
