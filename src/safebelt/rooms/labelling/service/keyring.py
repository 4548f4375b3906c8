"""The keys of this house's watermarks: the newest marks, and all are read."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from safebelt.engines.clock import Chance
from safebelt.engines.signing import files
from safebelt.kernel.errors import Conflict, NotFound
from safebelt.kernel.text import Text

MAX_RETIRED = 7
"""Earlier keys that are kept: each is looked for in every picture, film and sound that carries no newer key's mark."""
_KEY_BYTES = 32
_REMEDY = Text(
    zh="如可能已被他人读取，请用 safebelt labelling rotate-watermark-key 更换。",
    en="If others may have read it, change it: safebelt labelling rotate-watermark-key.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """Keys of watermarks as files.

    Attributes:
        newest: File of the key that marks.
        retired: Folder of those that marked before.
        chance: Makes new ones.
    """

    newest: Path
    retired: Path
    chance: Chance

    def key(self, *, is_made: bool = False) -> bytes:
        """Return the key that marks; where there is none yet, nothing.

        Args:
            is_made: Whether to make one where there is none.

        Raises:
            Unavailable: It cannot be read or written.
            Refused: It is to mark, and others could have read it.
        """
        found = _read(self.newest)
        if found and is_made:
            files.guard(self.newest, _REMEDY)
        if found or not is_made:
            return found
        made = self.chance(_KEY_BYTES)
        try:
            self.newest.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.write(self.newest, f"{made.hex()}\n", mode=0o600, is_new=True)
        except FileExistsError:
            return self.key()  # another made one meanwhile
        except OSError as error:
            raise files.unavailable(self.newest, error.strerror or str(error)) from error
        return made

    def keys(self) -> tuple[bytes, ...]:
        """Return every key, the newest first.

        Raises:
            Unavailable: One cannot be read.
        """
        found = (self.key(), *(_read(path) for path in reversed(self._retired())))
        return tuple(dict.fromkeys(one for one in found if one))

    def state(self) -> tuple[tuple[int, ...], ...]:
        """Return what is another thing as soon as a key was made, rotated, put away or brought back."""
        return tuple(map(_state_of, (self.newest, self.retired)))

    def rotate(self) -> tuple[int, str]:
        """Put the key that marks with those that are only read, and make a new one.

        The old one is kept before the new one takes its place: whatever fails in between, none is lost.

        Returns:
            How many are retired now, and the SHA-256 of the one that joined them.

        Raises:
            NotFound: There is no key yet.
            Conflict: Too many are retired.
            Unavailable: One cannot be read or written.
        """
        old, before = self.key(), self._retired()
        if not old:
            raise _none()
        if len(before) >= MAX_RETIRED:
            raise _too_many(self.retired)
        number = int(before[-1].stem) + 1 if before else 1
        path = self.retired / f"{number:04d}.key"
        try:
            self.retired.mkdir(mode=0o700, parents=True, exist_ok=True)
            if old not in {_read(one) for one in before}:
                files.write(path, f"{old.hex()}\n", mode=0o600, is_new=True)
            files.write(self.newest, f"{self.chance(_KEY_BYTES).hex()}\n", mode=0o600)
        except OSError as error:
            raise files.unavailable(path, error.strerror or str(error)) from error
        return len(self._retired()), hashlib.sha256(old).hexdigest()

    def _retired(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return sorted(one for one in self.retired.glob("[0-9][0-9][0-9][0-9].key") if one.is_file())
        return []


def _read(path: Path) -> bytes:
    try:
        return bytes.fromhex(path.read_text("ascii"))
    except FileNotFoundError:
        return b""
    except (OSError, ValueError) as error:
        raise files.unavailable(path, str(error)) from error


def _state_of(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _none() -> NotFound:
    return NotFound(
        what=Text(zh="还没有水印密钥。", en="There is no watermark key yet."),
        hint=Text(zh="第一次加水印时自动生成。", en="It is made with the first watermark."),
    )


def _too_many(folder: Path) -> Conflict:
    return Conflict(
        what=Text(zh=f"已有 {MAX_RETIRED} 个停用的水印密钥。", en=f"{MAX_RETIRED} watermark keys are retired already."),
        hint=Text(
            zh=f"每个都会使检验变慢。请把 {folder} 中最早的移到别处保存；其水印此后在此处不再读取。",
            en=f"Each makes every check slower. Put the earliest in {folder} away; its marks are not read here then.",
        ),
    )
