"""The spellings under which a term is looked for, worked out once when a policy is loaded.

- *plain*: as it folds, without `*`, every run of blanks one blank; and, for a Chinese term, its pinyin;
- *spelled*: its letters only, for texts that put something between every two (`红 色 按 钮`, `w.h.a.l.e`);
- *leet*: letters that share a sign made one, for texts that write signs for letters (`wh4l3`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from safebelt.rooms.belt.scanner.chars import IDEOGRAPH, WORD, classes_of
from safebelt.rooms.belt.scanner.fold import fold
from safebelt.rooms.belt.scanner.tables import lines

MAX_PINYIN_FORMS = 20_000
"""Pinyin spellings in one policy: beyond them, Chinese terms later in the policy are not looked for in pinyin, so that
fifty thousand terms are still loaded in seconds.  `Forms.without_pinyin` says how many there are."""
MIN_PINYIN = 4
"""Fewest letters of a pinyin spelling: shorter ones are syllables of too many languages."""
MIN_LEET = 4
"""Fewest letters of a term that is looked for in leet: `1st` and `b2b` are no words in disguise."""
_MAX_SYLLABLES = 8

_ENGLISH_SYLLABLES = frozenset(
    re.findall(
        "[a-z]+",
        "a ai an ban bang ben bi bin can chi china dan dang den die dong fan fang fen gang ha hang he hen hong kong "
        "la lan lang le li lie lin long ma man mang me men mi mo mu nan ni no nu pa pan pang pei pen pi pie pin ping "
        "ran rang run san sang se she shun sun song su ta tan tang tie tong wan wang wu yang yin you zen",
    )
)
"""Syllables that are English words or stand in English names: a text of nothing else may be English (`he can`)."""
_STARS_AND_BLANKS = re.compile(r"[ \n\t]+")
_HAN = re.compile("[\u4e00-\u9fff]{2,8}")
_LEET_TERM = re.compile(r"[a-z][a-z '-]*[a-z]")

LEET: Mapping[str, str] = {
    "0": "o",
    "1": "il",
    "!": "il",
    "|": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "@": "a",
    "5": "s",
    "$": "s",
    "6": "bg",
    "7": "tl",
    "+": "t",
    "8": "b",
    "9": "gq",
}
"""Sign → letters it is written for.  Letters that share a sign fold to one in the leet view; hits are then checked
letter by letter."""
LEET_HINT = r"[a-z][0-9@$!|+]|[0-9@$!|+][a-z]"
"""Pattern that is there wherever a sign stands beside a letter."""
_SIGN_BY_LETTER = re.compile(LEET_HINT)
_ONE = {"l": "i", "t": "i", "g": "b", "q": "b"}
_SIGNS = {sign: _ONE.get(letters[0], letters[0]) for sign, letters in LEET.items()}
_LEET_TABLE = str.maketrans({**_ONE, **_SIGNS, "\n": " ", "\t": " "})
LEET_BYTES = bytes(ord(_LEET_TABLE.get(code, chr(code))) if code < 128 else code for code in range(256))
"""The leet view as a table over UTF-8: it only concerns ASCII."""


def leet_view(text: str) -> str:
    """Return folded text with signs and the letters they are written for made one, character by character."""
    return text.translate(_LEET_TABLE)


def is_leet_for(text: str, term: str) -> bool:
    """Whether a text of the same length writes the term, some letters as signs, one of them beside a letter."""
    if not _SIGN_BY_LETTER.search(text):
        return False
    return all(
        char == wanted or wanted in LEET.get(char, "") or (wanted == " " and char in "\n\t")
        for char, wanted in zip(text, term, strict=True)
    )


def plain_form(term: str) -> str:
    """Return a folded term as the plain view shows it; empty where nothing of it is left."""
    return _STARS_AND_BLANKS.sub(" ", term.replace("*", "")).strip()


def spelled_form(plain: str) -> str:
    """Return the letters of a plain form, or nothing where it cannot be told from ordinary text when spelled out."""
    classes = classes_of(plain)
    if not plain or {classes[:1], classes[-1:]} - {WORD, IDEOGRAPH}:
        return ""
    letters = plain if not classes.translate(None, b"wh") else _letters(plain, classes)
    return letters if len(letters) >= (3 if WORD in classes else 2) else ""


def _letters(plain: str, classes: bytes) -> str:
    return "".join(char for char, kind in zip(plain, classes, strict=True) if kind in b"wh")


@cache
def _readings() -> tuple[dict[str, str], dict[str, list[str]], frozenset[str]]:
    chars = {char: reading for line in lines("pinyin") for reading, _, all_ in [line.partition(" ")] for char in all_}
    phrases = {phrase: reading.split() for line in lines("phrases") for phrase, _, reading in [line.partition(" ")]}
    return chars, phrases, frozenset(lines("english"))


def syllables(term: str) -> list[str]:
    """Return the reading of a Chinese term, by the longest known phrase at each place."""
    chars, phrases, _ = _readings()
    out: list[str] = []
    place = 0
    while place < len(term):
        for length in range(min(_MAX_SYLLABLES, len(term) - place), 1, -1):
            if found := phrases.get(term[place : place + length]):
                out += found
                place += length
                break
        else:
            out.append(chars.get(term[place], ""))
            place += 1
    return out


def pinyin_forms(plain: str) -> tuple[str, ...]:
    """Return the pinyin spellings of a Chinese term, joined and with blanks, but for those that are English words."""
    if not _HAN.fullmatch(plain):
        return ()
    read, english = syllables(plain), _readings()[2]
    if not all(read) or len("".join(read)) < MIN_PINYIN:
        return ()
    found = [] if "".join(read) in english else ["".join(read)]
    if not _ENGLISH_SYLLABLES.issuperset(read):
        found.append(" ".join(read))
    # ü is written v by keyboards, and u by those who drop its dots.
    return tuple(dict.fromkeys(spelling for form in found for spelling in (form, form.replace("v", "u"))))


@dataclass(frozen=True, slots=True)
class Forms:
    """All spellings of a policy's terms.

    Attributes:
        plain, spelled: Spelling → the rules that look for it.
        leet: Spelling → the rules, each with the plain form it stands for.
        without_pinyin: How many Chinese terms are not looked for in pinyin because there are too many.
    """

    plain: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spelled: dict[str, tuple[str, ...]] = field(default_factory=dict)
    leet: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    without_pinyin: int = 0


def forms_of(rules: Iterable[tuple[str, Iterable[str]]]) -> Forms:
    """Work out the spellings of all terms, given as (rule, terms)."""
    plain: dict[str, dict[str, None]] = {}
    spelled: dict[str, dict[str, None]] = {}
    leet: dict[str, dict[tuple[str, str], None]] = {}
    pinyin, without = 0, 0
    for rule, terms in rules:
        for term in terms:
            form = plain_form(fold(term))
            if not form:
                continue
            plain.setdefault(form, {})[rule] = None
            if letters := spelled_form(form):
                spelled.setdefault(letters, {})[rule] = None
            if len(form) >= MIN_LEET and _LEET_TERM.fullmatch(form):
                leet.setdefault(leet_view(form), {})[rule, form] = None
            others = pinyin_forms(form)
            without += bool(others) and pinyin >= MAX_PINYIN_FORMS
            for other in others if pinyin < MAX_PINYIN_FORMS else ():
                pinyin += 1
                plain.setdefault(other, {})[rule] = None
    return Forms(
        plain={form: tuple(rules) for form, rules in plain.items()},
        spelled={form: tuple(rules) for form, rules in spelled.items()},
        leet={form: tuple(rules) for form, rules in leet.items()},
        without_pinyin=without,
    )
