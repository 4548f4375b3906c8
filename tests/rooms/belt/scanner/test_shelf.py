"""Compiled words come back from a shelf as they were put there, and only under the house's own note."""

from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.scanner.samples import policy, rule
from tests.rooms.belt.scanner.test_engine import needs_fast

from safebelt.engines.signing import KeyStore, open_note, sign_note
from safebelt.kernel.errors import Problem
from safebelt.rooms.belt.model import Action, Side
from safebelt.rooms.belt.scanner import Scanner, keeping, native, patterns
from safebelt.rooms.belt.scanner.shelf import _MOST_KEPT, Shelf
from safebelt.rooms.belt.scanner.terms import Forms, forms_of

WORDS = policy(rule("words", Action.MASK, tuple(f"word{number:04}x" for number in range(1200))))
TEXT = "here is word0007x, and word1199x"


def shelf(folder: Path, keys: KeyStore) -> Shelf:
    return Shelf(
        folder,
        sign=lambda text: sign_note(text, keys.current()),
        open_note=lambda note: open_note(note, keys.verifiers()).text,
    )


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys" / "ledger.key", name="house.example/log", chance=lambda count: b"k" * count)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the word lists that were compiled, as where there is no C compiler; what compiles is watched."""
    monkeypatch.setattr(native, "AVAILABLE", False)
    sizes: list[int] = []
    compile_ = patterns._Recipe.compiled

    def watched(self: patterns._Recipe) -> object:
        sizes.extend([len(self.expressions)] if len(self.expressions) > 1000 else [])
        return compile_(self)

    monkeypatch.setattr(patterns._Recipe, "compiled", watched)
    return sizes


@needs_fast
def test_what_is_kept_is_not_compiled_again_and_finds_the_same(
    tmp_path: Path, keys: KeyStore, compiled: list[int]
) -> None:
    first = Scanner(WORDS, shelf=shelf(tmp_path / "compiled", keys))
    count = len(compiled)

    again = Scanner(WORDS, shelf=shelf(tmp_path / "compiled", keys))

    assert count > 0
    assert len(compiled) == count
    assert len(first.scan(TEXT, Side.INPUT)) == 2
    assert again.scan(TEXT, Side.INPUT) == first.scan(TEXT, Side.INPUT)
    assert (tmp_path / "compiled").stat().st_mode & 0o077 == 0


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One thing for each time that spellings were worked out; what does so is watched, not replaced."""
    times: list[object] = []

    def watched(rules: Any) -> Forms:
        times.append(rules)
        return forms_of(rules)

    monkeypatch.setattr(keeping, "forms_of", watched)
    return times


def test_spellings_are_worked_out_once_and_kept_as_they_are(
    tmp_path: Path, keys: KeyStore, worked_out: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = policy(rule("words", Action.MASK, (*WORDS.rules[0].terms, "绝密大象", "big red button", "leet words")))
    first = keeping.forms_for(many, shelf(tmp_path, keys))

    again = keeping.forms_for(many, shelf(tmp_path, keys))

    assert len(worked_out) == 1
    assert again == first == forms_of((each.id, each.terms) for each in many.rules)
    assert first.leet and first.spelled and any("juemi" in form for form in first.plain)
    monkeypatch.setattr(keeping, "_by", lambda: b"a scanner that was mended")
    keeping.forms_for(many, shelf(tmp_path, keys))
    assert len(worked_out) == 2, "what another program worked out is not taken"


def test_spellings_of_other_rules_or_words_are_their_own(
    tmp_path: Path, keys: KeyStore, worked_out: list[object]
) -> None:
    keeping.forms_for(WORDS, shelf(tmp_path, keys))
    renamed = policy(rule("others", Action.MASK, WORDS.rules[0].terms))

    assert set(keeping.forms_for(renamed, shelf(tmp_path, keys)).plain.values()) == {("others",)}
    assert len(worked_out) == 2
    few = policy(rule("words", Action.MASK, ("whale",)))
    keeping.forms_for(few, shelf(tmp_path, keys))
    keeping.forms_for(few, shelf(tmp_path, keys))
    assert len(worked_out) == 4, "a few are not worth a file"


@needs_fast
def test_other_words_are_compiled_whatever_is_kept(tmp_path: Path, keys: KeyStore, compiled: list[int]) -> None:
    Scanner(WORDS, shelf=shelf(tmp_path / "compiled", keys))
    count = len(compiled)
    other = policy(rule("words", Action.MASK, (*WORDS.rules[0].terms, "blowfish")))

    scanner = Scanner(other, shelf=shelf(tmp_path / "compiled", keys))

    assert len(compiled) > count
    assert scanner.scan("a blowfish", Side.INPUT)


def test_a_changed_byte_or_another_origin_is_as_if_nothing_were_kept(tmp_path: Path, keys: KeyStore) -> None:
    kept = shelf(tmp_path, keys)
    kept.put("a" * 64, b"compiled")
    assert kept.take("a" * 64) == b"compiled"

    path = tmp_path / f"{'a' * 64}.hs"
    (tmp_path / f"{'b' * 64}.hs").write_bytes(path.read_bytes())
    path.write_bytes(path.read_bytes()[:-1] + b"D")

    assert kept.take("a" * 64) is None
    assert kept.take("b" * 64) is None
    assert kept.take("c" * 64) is None


def test_what_another_house_signed_is_not_taken(tmp_path: Path, keys: KeyStore) -> None:
    other = KeyStore(tmp_path / "other" / "ledger.key", name="other.example/log", chance=lambda count: b"o" * count)
    shelf(tmp_path, other).put("a" * 64, b"compiled")

    assert shelf(tmp_path, other).take("a" * 64) == b"compiled"
    assert shelf(tmp_path, keys).take("a" * 64) is None


@needs_fast
def test_what_was_compiled_for_another_machine_is_compiled_anew(tmp_path: Path, keys: KeyStore) -> None:
    kept = shelf(tmp_path, keys)
    Scanner(WORDS, shelf=kept)
    for path in tmp_path.glob("*.hs"):
        kept.put(path.stem, b"signed, but no database of this machine")

    scanner = Scanner(WORDS, shelf=kept)

    assert len(scanner.scan(TEXT, Side.INPUT)) == 2


def test_only_the_last_are_kept(tmp_path: Path, keys: KeyStore) -> None:
    kept = shelf(tmp_path, keys)
    for number in range(_MOST_KEPT + 5):
        kept.put(f"{number:064}", b"compiled")

    assert len(list(tmp_path.glob("*.hs"))) == _MOST_KEPT
    assert kept.take(f"{_MOST_KEPT + 4:064}") == b"compiled"


def test_a_house_that_cannot_keep_only_compiles(tmp_path: Path) -> None:
    def refuse(_text: str) -> str:
        from safebelt.kernel.errors import Unavailable
        from safebelt.kernel.text import Text

        raise Unavailable(what=Text(zh="没有密钥", en="no key"), hint=Text(zh="无", en="none"))

    scanner = Scanner(WORDS, shelf=Shelf(tmp_path, sign=refuse, open_note=refuse))

    assert len(scanner.scan(TEXT, Side.INPUT)) == 2
    assert list(tmp_path.glob("*.hs")) == []
    with pytest.raises(Problem):
        refuse("")
