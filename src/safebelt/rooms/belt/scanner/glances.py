"""What recurs in streams, remembered: how a few characters fold, and how far a window without findings must wait.

Models speak in tokens, some tens of thousands of them, most of the time a few thousand.  What a window of folded text
comes to depends on nothing but its characters and what kind of character stands before it, so it is worked out once.
Only *nothing is found here* is remembered; a window with a word in it is read anew each time.
"""

from typing import Generic, NamedTuple, TypeVar

from safebelt.rooms.belt.scanner.chars import WORD
from safebelt.rooms.belt.scanner.fold import forms_of
from safebelt.rooms.belt.scanner.words import WORD_CHARS

MOST_TOKEN = 24
"""Longest token that is remembered."""
MOST_WINDOW = 48
"""Longest window that is remembered: a few tokens."""
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


class Short(NamedTuple):
    """What a token is once it is read: each of its characters became one.

    Attributes:
        text: Folded.
        classes: Of each character.
    """

    text: str
    classes: bytes


SHORT: Remembered[str, Short] = Remembered()
"""Tokens that hold nothing encoded and fold character by character."""


def folds_alike(token: str) -> bool:
    """Whether a token is one that `SHORT` may hold: each character folds to one, and none begins an encoded one."""
    return all(len(form) == 1 for form in forms_of(token)) and "&" not in token and "%" not in token


class Quiet(NamedTuple):
    """A window in which no word ends.

    Attributes:
        seen: Place in the window from which on a word of any rule may still come about; its end where none may.
        acts: The same, of rules that act.
    """

    seen: int
    acts: int


LOUD = Quiet(-1, -1)
"""Stands for a window with a word in it: it is read, not remembered."""


def kind_before(text: str, classes: bytes, place: int) -> bytes:
    """Return the kind of character before a place, as far as words ask: nothing, a class, or a letter of a term."""
    if not place:
        return b""
    kind = classes[place - 1 : place]
    return b"a" if kind == WORD and text[place - 1] in WORD_CHARS else kind
