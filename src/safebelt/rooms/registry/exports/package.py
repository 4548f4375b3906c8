"""A dossier as one file: a ZIP that any tool opens, and that our own reader opens with distrust."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.dossiers import FORM, Package, PartMade

MANIFEST, RECEIPT, READ_ME = "manifest.json", "receipt.tlog-proof", "READ-ME.txt"
_PARTS, _PROOFS, _PROOF_END = "parts/", "proofs/", ".tlog-proof"

MAX_FILES = 20_000
"""Files in a package: a dossier of twenty thousand acts; more is a bomb or a mistake."""
MAX_BYTES = 256 * 1024 * 1024
"""Unpacked bytes of a whole package."""
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say: the same content gives the same bytes

_BAD = (
    KeyError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    RecursionError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
"""What reading a broken, encrypted or foreign ZIP raises."""

_READ_ME = """\
AI 系统卷宗 · Dossier of an AI system

parts/*.json
    卷宗的各部分；未交出的部分在 manifest.json 中写明
    the parts; what was left out is named in manifest.json
manifest.json
    清单：每个部分的摘要 · the digest of every part
receipt.tlog-proof
    账本证明：交出本卷宗的行为 · proof from the log that this dossier was handed over
proofs/*.tlog-proof
    账本证明：每一行为 · a proof from the log for every act

核对 Check:  safebelt registry check FILE --key KEY
KEY 为账本公钥，请从出具者处另行取得 · KEY is the log's public key; get it from the issuer by another way.
没有 safebelt 时：证明遵循 c2sp.org/tlog-proof，摘要为 SHA-256。
Without safebelt: the proofs follow c2sp.org/tlog-proof, the digests are SHA-256.

{notice}
"""


def write(manifest: bytes, parts: Iterable[PartMade], proofs: Mapping[str, str], receipt: str, notice: Text) -> bytes:
    """Return the package's bytes; the same content gives the same bytes."""
    files = {READ_ME: _READ_ME.format(notice=f"{notice.zh}\n{notice.en}").encode(), MANIFEST: manifest}
    files |= {f"{_PARTS}{one.part.id}.json": one.content for one in parts if one.is_chosen}
    files |= {f"{_PROOFS}{entry}{_PROOF_END}": text.encode() for entry, text in proofs.items()}
    files[RECEIPT] = receipt.encode()
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), content, zipfile.ZIP_DEFLATED)
    return body.getvalue()


def read(body: bytes) -> Package:
    """Read a package, believing nothing of it yet.

    Raises:
        Invalid: It is no package of this form, or too large.
    """
    try:
        files = _files(body)
        says = json.loads(files[MANIFEST])
        _hold_form(says)
        return Package(
            manifest=files[MANIFEST],
            says=says,
            parts={_inner(name, _PARTS, ".json"): content for name, content in files.items() if _is_part(name)},
            proofs={
                _inner(name, _PROOFS, _PROOF_END): content.decode()
                for name, content in files.items()
                if _is_proof(name)
            },
            receipt=files.get(RECEIPT, b"").decode(),
            strangers=tuple(sorted(name for name in files if not _is_known(name))),
        )
    except _BAD as error:
        raise _unreadable() from error


def _files(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        listed = archive.infolist()
        names = [one.filename for one in listed]
        if len(listed) > MAX_FILES or sum(one.file_size for one in listed) > MAX_BYTES or len(set(names)) != len(names):
            raise ValueError("too many files, too many bytes, or one name twice")
        return {one.filename: _content(archive, one) for one in listed}


def _content(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    with archive.open(one) as file:
        content = file.read(one.file_size + 1)  # the directory's own figure may lie: read no further than it says
    if len(content) != one.file_size:
        raise ValueError("a file is not as long as the directory says")
    return content


def _hold_form(says: Any) -> None:
    if not isinstance(says, dict) or says.get("form") != FORM or not isinstance(says.get("proofs", {}), dict):
        raise ValueError("another form")
    parts = says.get("parts")
    if not isinstance(parts, list) or not all(isinstance(one, dict) for one in parts):
        raise ValueError("another form")
    if not all(isinstance(one.get("title", {}), dict) for one in parts):
        raise ValueError("another form")


def _is_part(name: str) -> bool:
    return name.startswith(_PARTS) and name.endswith(".json")


def _is_proof(name: str) -> bool:
    return name.startswith(_PROOFS) and name.endswith(_PROOF_END)


def _is_known(name: str) -> bool:
    return name in (MANIFEST, RECEIPT, READ_ME) or _is_part(name) or _is_proof(name)


def _inner(name: str, before: str, after: str) -> str:
    return name.removeprefix(before).removesuffix(after)


def _unreadable() -> Invalid:
    return Invalid(
        what=Text(zh="这不是可读的卷宗文件。", en="This is no dossier file that can be read."),
        hint=Text(
            zh="请给出由 safebelt registry dossier 生成、未经改动的文件。",
            en="Give the file that safebelt registry dossier wrote, unaltered.",
        ),
    )
