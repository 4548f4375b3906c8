"""Keys of text watermarks, in escrow with an authority; and reading a text by them."""

import hashlib
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safebelt.engines.archive_age import Lock, hold_recipient, sealing
from safebelt.engines.signing import files
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.decide import textmarks
from safebelt.rooms.labelling.model.textmarks import FORMAT, MAX_TOKENS, TextKey, TextKeyMade, TextKeyReleased, TextRead
from safebelt.rooms.labelling.service.base import Furnished

FOLDER = "text-watermarks"
"""Folder of the keys, one folder a system, beside those of the hands."""
MAX_KEYS = 16
"""Keys of one system that are tried on a text."""
_SECRET_BYTES = 32
_REMEDY = Text(
    zh="如可能已被他人读取，请用 safebelt labelling text-watermark make 生成下一个。",
    en="If others may have read it, make the next one: safebelt labelling text-watermark make.",
)
_MAX_FILE = 1 << 16
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECRET = re.compile(r"[0-9a-f]{64}")


class TextMarks(Furnished):
    """Makes and gives out keys of text watermarks, and reads texts by them."""

    def make_text_key(self, system_id: str, authority: Sequence[str], escrow: Path, *, by: Actor) -> TextKey:
        """Make a system's key, its first or the next, and write it sealed for an authority.

        The file for the authority is written first: no key is used that it could not read.

        Args:
            system_id: Whose key it is.
            authority: Public keys of the authority (`age1…` or `ssh-…`).
            escrow: Where the sealed file for the authority goes.
            by: Who makes it.

        Raises:
            NotFound: There is no such system.
            Invalid: A public key is none.
            Conflict: The file is there already, or the system has too many keys.
            Unavailable: A file cannot be written.
        """
        self.desk.registry.system(system_id)
        recipients = _recipients(authority)
        before = self.text_keys(system_id)
        if len(before) >= MAX_KEYS:
            raise _too_many()
        number = max((one.number for one in before), default=0) + 1
        key = TextKey(
            id=self.desk.new_id("twk"), system_id=system_id, number=number, secret=self.desk.chance(_SECRET_BYTES)
        )
        sealed = self._sealed(key, recipients)
        _write(escrow, sealed)
        kept = self._folder(system_id) / f"{number:04d}.json"
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            files.write(kept, _as_json(key), mode=0o600, is_new=True)
        except FileExistsError:
            escrow.unlink(missing_ok=True)
            raise _there(kept) from None
        except OSError as error:
            raise files.unavailable(kept, error.strerror or str(error)) from error
        event = TextKeyMade(
            subject=key.id,
            number=number,
            commitment=hashlib.sha256(key.secret).hexdigest(),
            escrow_sha256=hashlib.sha256(sealed).hexdigest(),
            system_id=system_id,
            authority=" ".join(recipients),
        )
        with self.desk.sql.begin() as tx:
            self.desk.ledger.append(tx, event, by=by)
        return key

    def release_text_key(
        self, system_id: str, recipients: Sequence[str], out: Path, *, to: str, reason: str, by: Actor
    ) -> TextKey:
        """Write a system's newest key, sealed, for an engine that generates or for somebody who reads.

        Args:
            system_id: Whose key it is.
            recipients: Public keys of who gets it.
            out: Where the sealed file goes.
            to: Who gets it, in words.
            reason: Why.
            by: Who gives it.

        Raises:
            NotFound: The system has no key.
            Invalid, Conflict, Unavailable: As `make_text_key`.
        """
        if not to.strip() or not reason.strip():
            raise _unsaid()
        keys = self.text_keys(system_id)
        if not keys:
            raise _no_key(system_id)
        sealed = self._sealed(keys[-1], _recipients(recipients))
        _write(out, sealed)
        event = TextKeyReleased(
            subject=keys[-1].id, sha256=hashlib.sha256(sealed).hexdigest(), system_id=system_id, to=to, reason=reason
        )
        with self.desk.sql.begin() as tx:
            self.desk.ledger.append(tx, event, by=by)
        return keys[-1]

    def text_keys(self, system_id: str) -> list[TextKey]:
        """Return a system's keys, the newest last.

        Raises:
            Unavailable: One cannot be read.
            Refused: Others could have read it.
        """
        if not _NAME.fullmatch(system_id):
            return []
        found = list[TextKey]()
        for path in sorted(self._folder(system_id).glob("[0-9][0-9][0-9][0-9].json")):
            files.guard(path, _REMEDY)
            try:
                found.append(text_key(path))
            except Invalid as error:
                raise files.unavailable(path, error.in_("en"), zh=error.in_("zh")) from error
        return found

    def read_text(self, ids: Sequence[int], keys: Sequence[TextKey], *, rate: float) -> TextRead:
        """Look for a watermark in a text.

        Args:
            ids: The text's tokens, by the tokenizer of the model that may have generated it.
            keys: Keys to try.
            rate: How often, at most, a text without the mark may be taken for one that has it.

        Raises:
            Invalid: A token is no number, there are too many, or the rate is none.
        """
        return read_text(ids, keys, rate=rate)

    def _sealed(self, key: TextKey, recipients: tuple[str, ...]) -> bytes:
        out = io.BytesIO()
        with sealing(out, Lock(recipients=recipients), chance=self.desk.chance) as file:
            file.write(_as_json(key).encode())
        return out.getvalue()

    def _folder(self, system_id: str) -> Path:
        return self.desk.hands.parent / FOLDER / system_id


def read_text(ids: Sequence[int], keys: Sequence[TextKey], *, rate: float) -> TextRead:
    """Look for a watermark in a text, without a house: an authority needs no more than the key it was given.

    Raises:
        Invalid: As `TextMarks.read_text`.
    """
    from safebelt.rooms.labelling.watermark import text, text_chance  # noqa: PLC0415  numpy, and only where it is asked

    if not 0 < rate < 1 or len(ids) > MAX_TOKENS or any(not 0 <= one <= text.MAX_TOKEN for one in ids):
        raise _no_tokens()
    tried = keys[-MAX_KEYS:]
    readings = [(key.id, text.read(key.secret, ids)) for key in tried]
    tokens = max((len(found) for _, found in readings), default=0)
    if not tokens:
        return textmarks.judged(tokens=0, p_value=1.0, keys=len(tried), mean=0.5, key_id="", rate=rate)
    p_value, mean, key_id = min((text_chance.chance(found), text_chance.mean(found), id_) for id_, found in readings)
    return textmarks.judged(tokens=tokens, p_value=p_value, keys=len(tried), mean=mean, key_id=key_id, rate=rate)


def text_key(path: Path) -> TextKey:
    """Read a key's file, as the house keeps it and as the sealed one holds it once opened.

    Raises:
        Invalid: It is none.
    """
    try:
        data = path.read_bytes()[: _MAX_FILE + 1]
        said: Any = json.loads(data) if len(data) <= _MAX_FILE else None
    except (OSError, ValueError, RecursionError):
        said = None
    is_key = isinstance(said, dict) and said.get("format") == FORMAT and isinstance(said.get("number"), int)
    if not is_key or not all(isinstance(said.get(one), str) for one in ("id", "system", "key")):
        raise _no_key_file(path)
    if not _SECRET.fullmatch(said["key"]):
        raise _no_key_file(path)
    return TextKey(id=said["id"], system_id=said["system"], number=said["number"], secret=bytes.fromhex(said["key"]))


def _as_json(key: TextKey) -> str:
    said = {
        "format": FORMAT,
        "id": key.id,
        "system": key.system_id,
        "number": key.number,
        "key": key.secret.hex(),
    }
    return json.dumps(said, indent=1) + "\n"


def _recipients(named: Sequence[str]) -> tuple[str, ...]:
    if not named:
        raise Invalid(
            what=Text(zh="没有给出公钥。", en="No public key was given."),
            hint=Text(zh="请给出接收方的 age1… 或 ssh-… 公钥。", en="Give the recipient's age1… or ssh-… public key."),
            details={"field": "authority"},
        )
    return tuple(hold_recipient(one) for one in named)


def _write(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise _there(path) from None
    except OSError as error:
        raise files.unavailable(path, error.strerror or str(error)) from error


def _there(path: Path) -> Conflict:
    return Conflict(
        what=Text(zh=f"文件“{path}”已存在。", en=f"There is a file {str(path)!r} already."),
        hint=Text(zh="请另选文件名。", en="Choose another name."),
    )


def _too_many() -> Conflict:
    return Conflict(
        what=Text(zh=f"该系统已有 {MAX_KEYS} 个密钥。", en=f"The system has {MAX_KEYS} keys already."),
        hint=Text(
            zh="每多一个密钥，检测就多一分误判的机会；请把最早的移到别处保存。",
            en="Each more is one more chance to be wrong when reading; put the earliest away.",
        ),
    )


def _no_key(system_id: str) -> NotFound:
    return NotFound(
        what=Text(zh=f"系统 {system_id} 没有文本水印密钥。", en=f"System {system_id} has no text watermark key."),
        hint=Text(
            zh="用 safebelt labelling text-watermark make 生成。",
            en="safebelt labelling text-watermark make makes one.",
        ),
    )


def _no_key_file(path: Path) -> Invalid:
    return Invalid(
        what=Text(zh=f"“{path}”不是文本水印密钥。", en=f"{str(path)!r} is no text watermark key."),
        hint=Text(zh="请给出解封后的密钥文件。", en="Give the key's file, opened."),
        details={"field": "key"},
    )


def _unsaid() -> Invalid:
    return Invalid(
        what=Text(zh="没有写明交给谁、为什么。", en="Who gets it, or why, was not said."),
        hint=Text(zh="账本会记下这两项。", en="The ledger remembers both."),
        details={"field": "to"},
    )


def _no_tokens() -> Invalid:
    return Invalid(
        what=Text(zh="词元或误判率不合要求。", en="The tokens, or the rate, are none."),
        hint=Text(
            zh=f"词元是小于 2³¹ 的整数，至多 {MAX_TOKENS} 个；误判率在 0 和 1 之间。",
            en=f"Tokens are whole numbers below 2³¹, at most {MAX_TOKENS:,}; a rate lies between 0 and 1.",
        ),
        details={"field": "file"},
    )
