"""Word lists beside a policy: read whole, every error with its line, and named in the policy by their SHA-256.

The policy keeps the terms themselves and the digest of the file they were read from.  So a version is complete without
the file, and a changed file is another policy: it is loaded, seconded and rolled back as one.
"""

import csv
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

MAX_FILE_TERMS = 50_000
"""Terms of all lists of one policy: for so many the scanner was built and measured (`bench/results/scanner.md`)."""
MAX_LIST_BYTES = 16 * 1024 * 1024
MAX_NAMED = 20
"""Errors told of one list: who has more corrects the list and not the lines."""
MAX_NAME = 200

_Error = tuple[str, str]
_Check = Callable[[str], str]


class _NoListError(Exception):
    """A list cannot be read at all; its one argument says why."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an author wrote: which file, which of its rows, and, where they want it held, its digest."""

    file: str
    category: str = ""
    sha256: str = ""


class Lists:
    """The word lists of one folder, for one policy.

    Each file is read once: rules that share one are read from the same bytes.
    """

    def __init__(self, folder: Path | None, check: _Check) -> None:
        """Build one.

        Args:
            folder: Where the policy lies; None where it came without a folder.
            check: Returns a term, or raises ValueError with what is wrong with it.
        """
        self._folder, self._check = folder, check
        self._read: dict[str, bytes] = {}
        self._terms = 0

    def put_into(self, rule: dict[Any, Any]) -> list[_Error]:
        """Put a list's terms into the rule that names it; return its errors, each with its place or '' for the rule."""
        try:
            asked = _asked(rule["terms_file"])
            content = self._content(asked)
            rows = list(_rows(asked, content))
        except _NoListError as error:
            rule["terms_file"] = None if rule.get("terms") else _NOTHING
            return [("", str(error))]
        terms, errors = self._checked(asked, rows)
        self._terms += len(terms)
        rule["terms_file"] = {
            "file": asked.file,
            "category": asked.category,
            "sha256": sha256(content).hexdigest(),
            "terms": terms or _NOTHING["terms"],
        }
        if self._terms > MAX_FILE_TERMS:
            errors.append(("", f"terms_file: the policy's lists hold more than {MAX_FILE_TERMS} terms"))
        return errors

    def _content(self, asked: _Asked) -> bytes:
        content = self._read.get(asked.file)
        if content is None:
            content = self._read[asked.file] = self._bytes(asked.file)
        if asked.sha256 and sha256(content).hexdigest() != asked.sha256.lower():
            found = sha256(content).hexdigest()
            raise _NoListError(f"terms_file: the policy expects another file: {asked.file} has the SHA-256 {found}")
        return content

    def _bytes(self, name: str) -> bytes:
        if self._folder is None:
            raise _NoListError("terms_file: lists are read beside the policy's file, and this policy came without one")
        home = self._folder.resolve()
        path = (home / name).resolve()
        if not path.is_relative_to(home):  # a link may lead out as well as a name
            raise _NoListError(f"terms_file: {name!r} leads out of the policy's folder")
        try:
            if path.stat().st_size > MAX_LIST_BYTES:
                raise _NoListError(f"terms_file: {name} has more than {MAX_LIST_BYTES} bytes")
            with path.open("rb") as file:
                content = file.read(MAX_LIST_BYTES + 1)
        except OSError as error:
            raise _NoListError(f"terms_file: {name} cannot be read: {error.strerror or error}") from error
        if len(content) > MAX_LIST_BYTES:  # it grew meanwhile
            raise _NoListError(f"terms_file: {name} has more than {MAX_LIST_BYTES} bytes")
        return content

    def _checked(self, asked: _Asked, rows: list[tuple[int, str]]) -> tuple[list[str], list[_Error]]:
        terms: list[str] = []
        seen: dict[str, int] = {}
        errors: list[_Error] = []
        for line, term in rows:
            try:
                self._check(term)
                first = seen.setdefault(as_written(term), line)
                if first != line:
                    raise ValueError(f"the term {term!r} stands in line {first} already")
            except ValueError as error:
                errors.append((f"{asked.file}:{line}", str(error)))
            else:
                terms.append(term)
        if len(errors) > MAX_NAMED:
            errors = [*errors[:MAX_NAMED], (asked.file, f"and {len(errors) - MAX_NAMED} more errors")]
        return terms, errors


_NOTHING: Mapping[str, Any] = {"file": "-", "category": "", "sha256": "0" * 64, "terms": ["-"]}
"""Stands for a list that could not be read, so that its rule is not told to look for nothing besides."""


def as_written(term: str) -> str:
    """Return a term without differences of width and case: a list may name traditional and simplified forms alike."""
    return unicodedata.normalize("NFKC", term).casefold()


def _asked(written: Any) -> _Asked:
    given = {"file": written} if isinstance(written, str) else written
    if not isinstance(given, dict) or not set(given) <= {"file", "category", "sha256"} or "file" not in given:
        raise _NoListError("terms_file: write the name of a list, or `file` with `category` or `sha256`")
    if not all(isinstance(value, str) and value for value in given.values()):
        raise _NoListError("terms_file: `file`, `category` and `sha256` are words")
    asked = _Asked(**given)
    name = PurePosixPath(asked.file)
    if name.is_absolute() or ".." in name.parts or "\\" in asked.file or "\0" in asked.file:
        raise _NoListError(f"terms_file: {asked.file!r} leads out of the policy's folder")
    if name.suffix not in {".txt", ".csv"} or len(asked.file) > MAX_NAME:
        raise _NoListError("terms_file: a list is a .txt file, one term a line, or a .csv file with the column `term`")
    if asked.category and name.suffix != ".csv":
        raise _NoListError("terms_file: only a .csv file has categories")
    return asked


def _rows(asked: _Asked, content: bytes) -> Iterator[tuple[int, str]]:
    """Yield the terms asked for with their lines; raises where there is none, or too many."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _NoListError(f"terms_file: {asked.file} is not UTF-8 (line {line})") from error
    found = 0
    for line, term in _csv(asked, text) if asked.file.endswith(".csv") else _plain(text):
        found += 1
        if found > MAX_FILE_TERMS:
            raise _NoListError(f"terms_file: {asked.file} holds more than {MAX_FILE_TERMS} terms")
        yield line, term
    if not found:
        of = f" of the category {asked.category!r}" if asked.category else ""
        raise _NoListError(f"terms_file: {asked.file} holds no term{of}")


def _plain(text: str) -> Iterator[tuple[int, str]]:
    for line, written in enumerate(text.split("\n"), start=1):
        term = written.strip()
        if term and not term.startswith("#"):
            yield line, term


def _csv(asked: _Asked, text: str) -> Iterator[tuple[int, str]]:
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    try:
        needed = {"term", "category"} if asked.category else {"term"}
        if missing := needed - set(reader.fieldnames or ()):
            raise _NoListError(
                f"terms_file: the first line of {asked.file} names no column {', '.join(sorted(missing))}"
            )
        for row in reader:
            if not asked.category or (row["category"] or "").strip() == asked.category:
                yield reader.line_num, (row["term"] or "").strip()
    except csv.Error as error:
        raise _NoListError(f"terms_file: {asked.file}:{reader.line_num} is no CSV: {error}") from error
