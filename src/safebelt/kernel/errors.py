"""Errors a person can act on.

* Problem
  - NotFound        the thing named does not exist                         404, exit 2
  - Unauthenticated nobody is signed in, or the credential is not known    401, exit 2
  - Refused         the caller may not do this                             403, exit 1
  - Conflict        the thing changed, or this step is not allowed now     409, exit 1
  - Invalid         the input breaks a rule of form                        422, exit 2
  - TooMany         too many tries; wait                                   429, exit 3
  - Unavailable     something needed is not there now                      503, exit 3

Each says *what* happened and, as *hint*, what to do next, and has a stable `code`.
Doors render them once; `decide` and `service` only raise them.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from safebelt.kernel.text import Lang, Text


@dataclass(eq=False, kw_only=True)
class Problem(Exception):  # noqa: N818  the house calls them problems, as RFC 9457 does
    """Base of everything the system says no with.

    Attributes:
        what: What happened, in both languages.
        hint: What to do next, in both languages.
        details: Machine-readable facts, for example `{"field": "name"}`.
    """

    what: Text
    hint: Text
    details: dict[str, str] = field(default_factory=dict)

    code: ClassVar[str] = "problem"
    status: ClassVar[int] = 400
    exit_code: ClassVar[int] = 2

    def __str__(self) -> str:
        return f"{self.what.en} {self.hint.en}".strip()

    def in_(self, lang: Lang) -> str:
        """Return what happened and what to do next, for a reader of `lang`."""
        return f"{self.what.in_(lang)} {self.hint.in_(lang)}".strip()


class NotFound(Problem):
    """The thing named does not exist."""

    code, status, exit_code = "not-found", 404, 2


class Unauthenticated(Problem):
    """Nobody is signed in, or the credential is not known."""

    code, status, exit_code = "unauthenticated", 401, 2


class Refused(Problem):
    """The caller is known and may not do this."""

    code, status, exit_code = "refused", 403, 1


class Conflict(Problem):
    """The thing changed meanwhile, or this step is not allowed from here."""

    code, status, exit_code = "conflict", 409, 1


class Invalid(Problem):
    """The input breaks a rule of form."""

    code, status, exit_code = "invalid", 422, 2


class TooMany(Problem):
    """Too many tries in too short a time."""

    code, status, exit_code = "too-many", 429, 3


class Unavailable(Problem):
    """Something that is needed is not there now."""

    code, status, exit_code = "unavailable", 503, 3


PROBLEMS: tuple[type[Problem], ...] = (
    NotFound,
    Unauthenticated,
    Refused,
    Conflict,
    Invalid,
    TooMany,
    Unavailable,
)
