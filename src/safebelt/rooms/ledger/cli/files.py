"""What the ledger's commands read from disk: keys, proofs, policies, each within bounds."""

from pathlib import Path

from safebelt.engines.signing import VerifierKey
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.decide import MAX_POLICY_BYTES
from safebelt.rooms.ledger.model import WitnessPolicy
from safebelt.rooms.ledger.service import read_keys, read_policy

_KEY_FILE_BYTES = 64 * 1024


def keys_of(text_or_file: str) -> tuple[VerifierKey, ...]:
    """Read a key given as text, or as a file with one or more of them.

    Raises:
        Invalid: It is neither.
    """
    try:
        return (VerifierKey.parse(text_or_file),)
    except Invalid:
        if not _is_file(text_or_file):
            raise
    return read_keys(read_bytes(Path(text_or_file), _KEY_FILE_BYTES).decode("utf-8", errors="replace"))


def policy_of(file: Path | None) -> WitnessPolicy | None:
    """Read a policy file (C2SP tlog-policy), where one is named.

    Raises:
        Invalid: It cannot be read, or is none.
    """
    return None if file is None else read_policy(read_bytes(file, MAX_POLICY_BYTES))


def read_bytes(file: Path, limit: int) -> bytes:
    """Read a whole file.

    Raises:
        Invalid: It cannot be read, or is larger than `limit` bytes.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(limit + 1)
    except OSError as error:
        raise Invalid(
            what=Text(
                zh=f"无法读取文件 {file}：{error.strerror}。", en=f"The file {file} cannot be read: {error.strerror}."
            ),
            hint=Text(zh="请核对路径和权限。", en="Check the path and its permissions."),
        ) from error
    if len(data) > limit:
        raise Invalid(
            what=Text(zh=f"文件 {file} 过大。", en=f"The file {file} is too large to be one of these."),
            hint=Text(zh="请核对是否选错了文件。", en="Check that it is the right file."),
        )
    return data


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long a name, or a NUL in it: no file
        return False
