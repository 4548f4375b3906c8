"""Judgments about what passes unguarded: which paths can be named, what a name means, what a version opens.  Pure.

INVARIANT: no spelling of a guarded endpoint is ever let pass, whatever a policy names.  So there is no normalising that
a server behind us could do otherwise: a path that is not written in the one plain way is refused, and so is every path
in which the segments of a guarded endpoint stand, wherever they do, in whatever case, whatever follows them.  To some
server `/v1/engines/m/completions` is `/v1/completions`; and under `/v1/responses/` lie the answers as they were before
the belt masked them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from safebelt.rooms.belt.model import Policy, Unguarded

PATH = re.compile(r"/v1(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+", re.ASCII)
"""The one way a path is written: no empty segment, none that begins with a dot, no `%`, no `;`, no slash at the end."""
MAX_PATH_CHARS = 200
_QUERY = re.compile(r"(?:[A-Za-z0-9._~=&,:+*!-]|\[\]|%[0-9A-Fa-f]{2})*", re.ASCII)
MAX_QUERY_CHARS = 2000
GUARDED = tuple(
    tuple(name.split("/"))
    for name in (
        "completions",
        "embeddings",
        "messages",
        "moderations",
        "responses",
        "videos",
        "models",
        "images/generations",
        "audio/speech",
        "audio/transcriptions",
        "audio/translations",
    )
)
"""Segments of the endpoints that the belt guards, each below `/v1`; `chat/completions` is among `completions`."""


def guarded_in(path: str) -> str:
    """Return which guarded endpoint's segments stand in a path, in any case and with any ending; empty for none."""
    segments = [segment.casefold().partition(".")[0] for segment in path.split("/") if segment]
    for guarded in GUARDED:
        places = range(len(segments) - len(guarded) + 1)
        if any(tuple(segments[place : place + len(guarded)]) == guarded for place in places):
            return "/".join(guarded)
    return ""


def guarded_under(path: str) -> str:
    """Return a guarded endpoint that lies under what paths begin with; empty for none."""
    below = [segment.casefold() for segment in path.split("/") if segment][1:]
    for name in ("chat/completions", *("/".join(guarded) for guarded in GUARDED)):
        if name.split("/")[: len(below)] == below:
            return name
    return ""


def is_plain(path: str) -> bool:
    """Whether a path is written in the one way in which it can pass."""
    return len(path) <= MAX_PATH_CHARS and PATH.fullmatch(path) is not None


def is_plain_query(query: str) -> bool:
    """Whether a query holds nothing by which a server could be led to another path or method."""
    is_short = len(query) <= MAX_QUERY_CHARS and _QUERY.fullmatch(query) is not None
    return is_short and "%2f" not in query.lower() and "%5c" not in query.lower() and "_method" not in query.lower()


def passes(policy: Policy, method: str, path: str) -> Unguarded | None:
    """Return by which name of a policy a request may pass unguarded; None where it may not.

    Args:
        policy: The policy.
        method: The request's.
        path: Its path, as it came and without its query.
    """
    if not policy.unguarded or not is_plain(path) or guarded_in(path):
        return None
    return next((each for each in policy.unguarded if method in each.methods and _means(each, path)), None)


def opened(old: Policy | None, new: Policy) -> tuple[Unguarded, ...]:
    """Return what a version lets pass that the one in force does not, as far as red lines are concerned.

    Where no red line is drawn before or after, nothing of that is lost.  What a policy without red lines let pass
    counts as closed: else the names could come first and the red lines afterwards.

    Args:
        old: The version in force; None where there is none.
        new: The version that would take its place.
    """
    had_lines = old is not None and draws_lines(old)
    if not had_lines and not draws_lines(new):
        return ()
    known = old.unguarded if old is not None and had_lines else ()
    return tuple(_more_than(known, new.unguarded))


def draws_lines(policy: Policy) -> bool:
    """Whether a policy draws a red line, on texts or on tool calls."""
    on_calls = policy.tools.rules if policy.tools else ()
    return any(rule.is_red_line for rule in policy.rules) or any(rule.is_red_line for rule in on_calls)


def in_both(base: Iterable[Unguarded], stricter: Iterable[Unguarded]) -> tuple[Unguarded, ...]:
    """Return what each of two policies lets pass, as far as they name it alike."""
    theirs = {(each.path, each.is_under): each for each in stricter}
    found = []
    for each in base:
        other = theirs.get((each.path, each.is_under))
        methods = tuple(method for method in each.methods if other and method in other.methods)
        if other and methods:
            found.append(replace(each, methods=methods, has_query=each.has_query and other.has_query))
    return tuple(found)


def _more_than(known: Iterable[Unguarded], named: Iterable[Unguarded]) -> Iterator[Unguarded]:
    known = tuple(known)
    for each in named:
        methods = tuple(method for method in each.methods if not any(_covers(one, each, method) for one in known))
        if methods:
            yield replace(each, methods=methods)


def _covers(known: Unguarded, named: Unguarded, method: str) -> bool:
    """Whether a name lets pass all that another does by a method."""
    is_wide = known.path == named.path if not known.is_under else named.path.startswith(known.path)
    is_deep = known.is_under or not named.is_under
    return is_wide and is_deep and method in known.methods and (known.has_query or not named.has_query)


def _means(name: Unguarded, path: str) -> bool:
    return path.startswith(name.path) if name.is_under else path == name.path
