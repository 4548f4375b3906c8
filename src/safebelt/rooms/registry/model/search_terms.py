"""What a text is found by: words of scripts with spaces; characters and pairs of characters of those without.

    >>> words("AI 招聘筛选 tool"), pairs("招聘筛选")
    (['ai', 'tool'], ['招聘', '聘筛', '筛选'])

The same cutting serves the text that is entered and the text that is asked, so both databases and every state of the
index find the same.
"""

import re

from safebelt.rooms.registry.model.register import folded

WORD_LIMIT = 40
"""Letters of a word that count; longer runs are codes or noise, and are told apart by their first forty letters."""
TEXT_LIMIT = 20_000
"""Characters of one document that are searched: five times what the register itself takes."""
TOLERANT_FROM = 5
"""Letters from which a word may be mistyped: in shorter ones, one letter makes another word."""
LETTERS_PER_EDIT = 5
"""One mistake is forgiven for every five letters, and never more than two."""
MOST_EDITS = 2
SHORT_PREFIXES = (2, 3)
"""Beginnings of words that are entries of their own; longer ones are looked up among the words."""
LEXICON_FROM = 4
"""Letters from which a word can be what a mistyped one meant."""

HAN = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""Characters cut into pairs: Han, kana, Hangul (Unicode blocks)."""

_WORD = re.compile(f"[^\\W_{HAN}]+")
_RUN = re.compile(f"[{HAN}]+")
_PART = re.compile(f"[{HAN}]+|[^\\W_{HAN}]+")


def clean(text: str) -> str:
    """Return text as it can be kept and compared: no NUL, no lone surrogates, folded, of bounded length."""
    safe = text[:TEXT_LIMIT].replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    return folded(safe)


def words(text: str) -> list[str]:
    """Return the words of a cleaned text, in order; a long one is cut."""
    return [word[:WORD_LIMIT] for word in _WORD.findall(text)]


def runs(text: str) -> list[str]:
    """Return the runs of a cleaned text that are written without spaces."""
    return _RUN.findall(text)


def parts(text: str) -> list[str]:
    """Return words and runs in order."""
    return [part if is_run(part) else part[:WORD_LIMIT] for part in _PART.findall(text)]


def is_run(part: str) -> bool:
    """Whether a part is written without spaces."""
    return _RUN.match(part) is not None


def pairs(run: str) -> list[str]:
    """Return each two characters that stand side by side."""
    return [run[at : at + 2] for at in range(len(run) - 1)]


def spelling(word: str) -> set[str]:
    """Return the pairs of letters of a word with its beginning and end marked: what similar words share."""
    padded = f"\x02{word}\x03"
    return {padded[at : at + 2] for at in range(len(padded) - 1)}


def edits_forgiven(word: str) -> int:
    """Return how many mistakes a word may hold and still be found; codes with digits must be right."""
    if len(word) < TOLERANT_FROM or not word.isalpha():
        return 0
    return min(MOST_EDITS, len(word) // LETTERS_PER_EDIT)
