"""What recurs in streams, remembered: how a few characters fold, and how far a window without findings must wait.

Models speak in tokens, some tens of thousands of them, most of the time a few thousand.  What a window of folded text
comes to depends on nothing but its characters and what kind of character stands before it, so it is worked out once.
Only *nothing is found here* is remembered; a window in which anything might be is read anew each time.
"""

from typing import Generic, NamedTuple, TypeVar

from safebelt.rooms.belt.scanner.chars import WORD, class_of
from safebelt.rooms.belt.scanner.fold import forms_of
from safebelt.rooms.belt.scanner.words import WORD_CHARS

MOST_WINDOW = 64
"""Longest window that is remembered: a few tokens."""
_MOST_TOKEN = 32
"""Longest token whose folded form is remembered."""
_MOST = 8_192
"""Most that is remembered of one kind, some 2 MB; then it begins anew."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(dict[Key, Value], Generic[Key, Value]):
    """A dictionary that forgets everything before it grows too large; safe to use from several threads."""

    def keep(self, key: Key, value: Value) -> Value:
        """Remember something."""
        if len(self) >= _MOST:
            self.clear()
        self[key] = value
        return value


class Quiet(NamedTuple):
    """A window in which nothing is found.

    Attributes:
        seen: Place in the window from which on a finding of any rule may still come about; its end where none may.
        passed: The same, of rules that act; never before `seen`.
        over: The window before `seen`.
        kind: Of the last character of `over`.
        rest: The window from `seen` on.
    """

    seen: int
    passed: int
    over: str
    kind: str
    rest: str


LOUD = Quiet(-1, -1, "", "", "")
"""Stands for a window in which something may be found: it is read, never remembered as clean."""

Glances = Remembered[tuple[str, str], Quiet]
"""By the kind of character before a window, and the window."""

FOLDED: Remembered[str, str] = Remembered()
"""What `folded_alike` has said: most tokens were said before, and asking here costs no call."""
_ENCODED = frozenset("&%\\")
"""Characters with which what is encoded begins."""
MOST_BEHIND = 1024
"""So many characters that have left are kept before all but the last few are forgotten."""
_KINDS: Remembered[str, str] = Remembered()


def folded_alike(token: str) -> str:
    """Return a token folded; empty where it is not read character by character, each of which becomes one."""
    known = FOLDED.get(token)
    if known is not None:
        return known
    is_read_as_it_is = len(token) <= _MOST_TOKEN and _ENCODED.isdisjoint(token)
    forms = forms_of(token) if is_read_as_it_is else [""]
    is_alike = all(len(form) == 1 for form in forms)
    folded = "".join(forms) if is_alike else ""
    return FOLDED.keep(token, folded) if len(token) <= _MOST_TOKEN else folded


def quiet_of(window: str, seen: int, passed: int) -> Quiet:
    """Return what is remembered of a window in which nothing is found."""
    return Quiet(seen, passed, window[:seen], kind_of(window[seen - 1]) if seen else "", window[seen:])


def kind_of(char: str) -> str:
    """Return what kind of folded character one is, as far as what follows asks: a letter of a term, or its class."""
    known = _KINDS.get(char)
    return known if known is not None else _KINDS.keep(char, _kind(char))


def _kind(char: str) -> str:
    if not char:
        return ""
    kind = class_of(char)
    return "a" if kind == WORD and char in WORD_CHARS else kind.decode("ascii")


class Calm:
    """Where a stream stands while nothing is found in it, and each character that waits folds to one.

    Attributes:
        behind: Folded characters before the window, those at the end for whoever looks behind.
        kind: Of the last of them.
        window: Folded characters from the first that may still belong to a finding.
        passed: How many of them have left.
    """

    __slots__ = ("behind", "kind", "passed", "window")

    def __init__(self, behind: str = "", window: str = "", passed: int = 0) -> None:
        self.behind, self.window, self.passed = behind, window, passed
        self.kind = kind_of(behind[-1:])

    def go_on(self, window: str, quiet: Quiet, look_behind: int) -> int:
        """Take a longer window in which nothing is found; return how many more of its characters may leave."""
        seen, passed, over, kind, rest = quiet
        before = self.passed
        if passed < before:  # noqa: PLR1730  each piece of each stream comes by here
            passed = before
        self.passed = passed - seen
        if not seen:
            self.window = window
            return passed - before
        behind = self.behind + over
        self.behind = behind[-look_behind:] if len(behind) > MOST_BEHIND else behind
        self.kind, self.window = kind, rest
        return passed - before
