"""Minors' mode: the policy of a system with stricter rules laid over it.  Pure."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from safebelt.rooms.belt.decide.unguarded import in_both
from safebelt.rooms.belt.model import Policy, Snapshot

MINORS = "minors"
"""Name of the mode, as header and record say it."""


def laid_over(base: Policy, stricter: Policy) -> Policy:
    """Return a policy with the rules of both, and the notice of the stricter one.

    INVARIANT: every rule of `base` stays as it is, and nothing passes unguarded that one of them does not name, so that
    what comes out is never milder.
    """
    taken = {rule.id for rule in base.rules}
    more = tuple(replace(rule, id=f"{rule.id}.{MINORS}") if rule.id in taken else rule for rule in stricter.rules)
    return replace(
        base,
        id=f"{base.id}+{stricter.id}",
        rules=(*base.rules, *more),
        digest=sha256(f"{base.digest}\n{stricter.digest}".encode()).hexdigest(),
        notice=stricter.notice,
        unguarded=in_both(base.unguarded, stricter.unguarded),
    )


def policies_in_use(snapshot: Snapshot, minors_policy: str, is_known: Callable[[str], bool]) -> tuple[Policy, ...]:
    """Return every policy that exchanges are judged by, so that its scanner is made ready aside and kept.

    Minors' mode laid over a system's policy is one of them where a key of the system is a minor's, or where somebody
    asked for the mode before: a scanner holds all the words anew, and most houses never need it.

    Args:
        snapshot: What is in force.
        minors_policy: Id of the policy that minors' mode lays over a system's own.
        is_known: Whether there is a scanner for a policy's digest.
    """
    stricter = snapshot.policies.get(minors_policy)
    found = {policy.digest: policy for policy in snapshot.policies.values()}
    if stricter is None:
        return tuple(found.values())
    of_minors = {key.system_id for key in snapshot.keys.values() if key.terms.minor}
    for system_id, harness in snapshot.harnesses.items():
        if (base := snapshot.policies.get(harness.policy)) is not None:
            both = laid_over(base, stricter)
            if system_id in of_minors or is_known(both.digest):
                found[both.digest] = both
    return tuple(found.values())
