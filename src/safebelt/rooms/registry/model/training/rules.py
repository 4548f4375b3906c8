"""What is asked before a job may be granted, as `registry/training.yaml` says it."""

from collections.abc import Mapping
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import Status
from safebelt.rooms.registry.model.training.jobs import JobKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must hold.

    Attributes:
        id: Which check; the judgments know how each is made.
        kinds: For which jobs it is asked.
        says: The statement that must hold.
        mend: What to do where it does not.
    """

    id: str
    kinds: frozenset[JobKind]
    says: Text
    mend: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long things last for one kind of job, unless the grant says less.

    Attributes:
        ask_hours: How long a question waits for a person.
        valid_hours: How long a grant holds.
        wall_hours: Longest run.
        lease_seconds: Longest silence.
    """

    ask_hours: float
    valid_hours: float
    wall_hours: float
    lease_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRules:
    """Everything `registry/training.yaml` says.

    Attributes:
        checks: In the order in which they are shown.
        evidence: Kind of evidence to the jobs that wait for it, where a duty in force asks for it.
        terms: By kind of job.
        closed: Stages of a system in which no job runs.
        compute_fact: The fact that says how much compute went into training.
    """

    checks: tuple[Check, ...]
    evidence: Mapping[str, frozenset[JobKind]]
    terms: Mapping[JobKind, Terms]
    closed: frozenset[Status]
    compute_fact: str

    def asked_of(self, kind: JobKind) -> tuple[Check, ...]:
        """Return the checks of a kind of job."""
        return tuple(check for check in self.checks if kind in check.kinds)

    def evidence_for(self, kind: JobKind) -> frozenset[str]:
        """Return the kinds of evidence that a kind of job waits for."""
        return frozenset(name for name, kinds in self.evidence.items() if kind in kinds)
