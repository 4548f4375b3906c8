"""The log's signing key in its file, and how one key gives way to the next."""

from pathlib import Path

from safebelt.engines.clock import Chance
from safebelt.engines.signing.files import guard, sync_directory, unavailable, write
from safebelt.engines.signing.keys import SEED_BYTES, Signer, VerifierKey
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text

_REMEDY = Text(
    zh="如可能已泄露，再执行 `safebelt ledger rotate-key`。",
    en="If it may have been read, also run `safebelt ledger rotate-key`.",
)


class KeyStore:
    """One signing key in a file, its successor while a rotation is under way, and the keys before it.

    Nothing is read or written before the first use.  Beside `path`: `<path>.next` (a rotation under way)
    and `<path>.retired` (verifier keys, oldest first, one a line).

    Args:
        path: The key file.  Created on first use with mode 0600 in a directory of mode 0700.
        name: The name to sign under: the log's origin.
        chance: Source of random bytes for new keys.
    """

    def __init__(self, path: Path, *, name: str, chance: Chance) -> None:
        self.path, self.name, self._chance = path, name, chance
        self._next, self._retired = Path(f"{path}.next"), Path(f"{path}.retired")

    def current(self) -> Signer:
        """Return the key in force, as the file has it now; make one where there is none yet.

        Read anew each time: another process may have rotated it.

        Raises:
            Refused: Others than the owner may read the key file or write to its directory.
            Conflict: The file's key has another name.
            Unavailable: The file cannot be read or written, or holds no key.
        """
        try:
            if not self.path.exists():
                self._create(self.path)
            return self._load(self.path)
        except OSError as error:
            raise unavailable(self.path, error.strerror or str(error)) from error

    def verifiers(self) -> tuple[VerifierKey, ...]:
        """Return every key that ever signed, oldest first; the last is the one in force."""
        current = self.current().verifier
        lines = self._retired.read_text("utf-8").splitlines() if self._retired.exists() else []
        retired = [VerifierKey.parse(line) for line in lines if line.strip()]
        return (*(key for key in dict.fromkeys(retired) if key != current), current)

    def prepare(self) -> Signer:
        """Begin a rotation: make the successor and keep it beside the key in force."""
        self.discard()
        self._create(self._next)
        return self._load(self._next)

    @property
    def has_pending(self) -> bool:
        """Whether a rotation was begun and neither activated nor discarded."""
        return self._next.exists()

    def pending(self) -> Signer | None:
        """Return the successor of a rotation that was begun and neither activated nor discarded."""
        return self._load(self._next) if self.has_pending else None

    def activate(self) -> None:
        """Finish a rotation: retire the key in force and put its successor in its place.  Safe to repeat."""
        retired = [str(key) for key in self.verifiers()]
        write(self._retired, "".join(f"{line}\n" for line in retired), mode=0o644)
        self._next.replace(self.path)
        sync_directory(self.path.parent)

    def discard(self) -> None:
        """Give up a rotation that was begun."""
        self._next.unlink(missing_ok=True)

    def _create(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write(path, Signer.of(self.name, self._chance(SEED_BYTES)).secret(), mode=0o600, is_new=True)
        except FileExistsError:  # another process was first; its key is the key
            return

    def _load(self, path: Path) -> Signer:
        guard(path, _REMEDY)
        try:
            signer = Signer.parse(path.read_text("utf-8"))
        except ValueError as error:
            raise unavailable(path, "it holds no signing key", zh="其中没有签名密钥") from error
        if signer.verifier.name != self.name:
            raise Conflict(
                what=Text(
                    zh=f"密钥文件 {path} 属于 {signer.verifier.name}，而不是 {self.name}。",
                    en=f"The key file {path} belongs to {signer.verifier.name}, not to {self.name}.",
                ),
                hint=Text(
                    zh="请恢复原来的日志名称，或为新日志另设密钥文件。",
                    en="Set the log's name back, or give the new log a key file of its own.",
                ),
            )
        return signer
