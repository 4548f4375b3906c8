"""Benign texts: those that come with Safebelt, and the house's own, each file with its digest and its licence."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import msgspec
import yaml

from safebelt.kernel.errors import Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model.over_blocking import Corpus

MAX_TEXTS = 100_000
MAX_BYTES = 64 * 1024 * 1024
DESCRIBED = "corpora.yaml"


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str


class _Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    title: _Words
    sha256: str
    language: str = ""
    licence: str = ""
    source: str = ""
    cite: str = ""


class Corpora:
    """The benign texts of a house.

    Args:
        folders: Where `*.txt` are looked for, one text a line; those that exist not are left out.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._known: dict[tuple[Path, int, int], Corpus] = {}

    def all(self) -> tuple[Corpus, ...]:
        """Return every file with at least one text, in the order of folders and names.

        Raises:
            Unavailable: A file, or what describes it, cannot be read.
        """
        return tuple(corpus for _, corpus in self._found())

    def texts(self, corpus: Corpus) -> Iterator[str]:
        """Yield a corpus's texts: its lines that are not blank.

        Raises:
            Unavailable: It is not there any more, or not the same.
        """
        for path, now in self._found():
            if (now.name, now.sha256) == (corpus.name, corpus.sha256):
                return _lines(_read(path))
        raise Unavailable(
            what=Text(
                zh=f"无害文本“{corpus.name}”已不在，或已改动。",
                en=f"The benign texts “{corpus.name}” are gone, or changed.",
            ),
            hint=Text(zh="请重新测量。", en="Measure again."),
        )

    def _found(self) -> Iterator[tuple[Path, Corpus]]:
        names = set[str]()
        for folder in self._folders:
            described = _described(folder / DESCRIBED)
            for path in sorted(folder.glob("*.txt")) if folder.is_dir() else ():
                if path.stem in names:
                    continue  # the first folder's; two of one name could not be told apart
                names.add(path.stem)
                corpus = self._of(path, described.get(path.name))
                if corpus.texts:
                    yield path, corpus

    def _of(self, path: Path, described: _Described | None) -> Corpus:
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in self._known:
            data = _read(path)
            digest, texts = sha256(data).hexdigest(), sum(1 for _ in _lines(data))
            self._known[key] = Corpus(name=path.stem, title=_OWN, sha256=digest, texts=texts)
        found = self._known[key]
        if described is None or described.sha256 != found.sha256:
            return found
        return replace(
            found,
            title=Text(zh=described.title.zh, en=described.title.en),
            language=described.language,
            licence=described.licence,
            source=described.source,
            cite=described.cite,
        )


_OWN = Text(zh="本单位的文本", en="Texts of the house")


def _described(path: Path) -> dict[str, _Described]:
    if not path.is_file():
        return {}
    try:
        found = msgspec.convert(yaml.safe_load(path.read_bytes()), list[_Described])
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise _unreadable(path, str(error)) from error
    return {one.file: one for one in found}


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _unreadable(path, f"> {MAX_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _lines(data: bytes) -> Iterator[str]:
    lines = (line for line in data.decode("utf-8", "replace").splitlines() if line.strip())
    for _, line in zip(range(MAX_TEXTS), lines, strict=False):
        yield line


def _unreadable(path: Path, why: str) -> Problem:
    return Unavailable(
        what=Text(zh=f"无法读取 {path.name}：{why[:200]}。", en=f"{path.name} cannot be read: {why[:200]}."),
        hint=Text(
            zh="无害文本为 UTF-8 文本文件，每行一条；说明写在 corpora.yaml。",
            en="Benign texts are UTF-8 files with one text a line; corpora.yaml describes them.",
        ),
    )
