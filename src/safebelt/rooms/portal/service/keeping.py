"""Files sent with complaints: kept salted beside the database, so that erasing one erases nobody else's copy."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256

from safebelt.engines.blobs.folder import Folder
from safebelt.engines.clock import Chance
from safebelt.rooms.portal.decide import files as judge
from safebelt.rooms.portal.model.complaint_rules import ComplaintRules
from safebelt.rooms.portal.model.complaints import Attached, FileIn

_SALT = 16
"""Bytes before each kept file: enough that no two copies share a name."""


@contextmanager
def keeping(
    files: Sequence[FileIn], rules: ComplaintRules, blobs: Folder, chance: Chance
) -> Iterator[tuple[Attached, ...]]:
    """Keep files while a deed is done; where it fails, they are gone again.

    Raises:
        Invalid: There are too many, or one is empty, too large or of a kind that is not taken.
        Unavailable: The disk does not take them.
    """
    kinds = judge.hold_files(files, rules)
    kept: list[Attached] = []
    try:
        for one, kind in zip(files, kinds, strict=True):
            kept.append(_kept(one, kind, blobs, chance))
        yield tuple(kept)
    except BaseException:
        erase(kept, blobs)
        raise


def _kept(file: FileIn, kind: str, blobs: Folder, chance: Chance) -> Attached:
    return Attached(
        name=judge.clean_name(file.name),
        media_type=kind,
        size=len(file.content),
        digest=sha256(file.content).hexdigest(),
        blob=blobs.put((chance(_SALT).rjust(_SALT, b"\0"), file.content)),
    )


def content_of(file: Attached, blobs: Folder) -> bytes:
    """Return a file's bytes.

    Raises:
        NotFound, Conflict, Unavailable: As `Folder.get`.
    """
    return blobs.get(file.blob)[_SALT:]


def erase(files: Iterable[Attached], blobs: Folder) -> None:
    """Erase files for good."""
    for one in files:
        blobs.erase(one.blob)
