"""Signed notes: written, opened, and their signature lines taken apart."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from safebelt.engines.signing.keys import KEY_ID_BYTES, Signer, VerifierKey, is_name
from safebelt.engines.signing.messages import split_time, strict_base64
from safebelt.kernel.errors import Invalid, Refused
from safebelt.kernel.text import Text

_MAX_SIGNATURES = 100  # the specification asks for at least 16; Go's sumdb/note draws the line here


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An opened note: text, and the known keys that have signed it.

    Attributes:
        text: The signed text, ending in a newline.
        signed_by: The known keys whose signatures were verified.
        at: For cosigners among them, when they signed: seconds since the epoch.
    """

    text: str
    signed_by: tuple[VerifierKey, ...]
    at: Mapping[VerifierKey, int] = field(default_factory=dict)


def sign_note(text: str, signer: Signer) -> str:
    """Return the text as a signed note.

    Raises:
        Invalid: The text does not end in a newline or holds a control character.
    """
    if not text.endswith("\n") or not _is_clean(text):
        raise Invalid(
            what=Text(zh="这段文本不能作为签名笔记。", en="This text cannot be a signed note."),
            hint=Text(
                zh="文本须以换行结尾，且不含控制字符。",
                en="It must end in a newline and hold no other control characters.",
            ),
        )
    return f"{text}\n{signature_line(signer.verifier, signer.sign(text.encode()))}"


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """Return a signature as the line that a note ends with."""
    return f"— {key.name} {base64.b64encode(key.key_id + signature).decode()}\n"


def open_note(note: str, keys: Iterable[VerifierKey]) -> Note:
    """Return the text of a note that a known key has signed; signatures of unknown keys are passed over.

    Raises:
        Invalid: This is no signed note.
        Refused: No known key has signed it, or a known key's signature is wrong.
    """
    opened = read_note(note, keys)
    if not opened.signed_by:
        names = ", ".join(signers_named(note))
        raise Refused(
            what=Text(
                zh=f"给出的公钥均未签署此文（签署者：{names}）。",
                en=f"None of the keys given signed this ({names} did).",
            ),
            hint=Text(
                zh="请从可信渠道取得签署者的公钥；如密钥已轮换，请使用新公钥。",
                en="Get the signer's key from a source you trust; if it was rotated, use the new one.",
            ),
        )
    return opened


def read_note(note: str, keys: Iterable[VerifierKey]) -> Note:
    """Return a note's text and which of the keys have signed it: none, perhaps.

    Raises:
        Invalid: This is no signed note.
        Refused: A known key's signature is wrong: then the whole note is not to be relied on.
    """
    text, signatures = _parse_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    signed_by, at = dict[VerifierKey, None](), dict[VerifierKey, int]()
    for name, data in signatures:
        key = known.get((name, data[:KEY_ID_BYTES]))
        if key is None:
            continue
        signature = data[KEY_ID_BYTES:]
        if not key.has_signed(signature, text.encode()):
            raise Refused(
                what=Text(zh=f"{name} 的签名与文本不符。", en=f"The signature of {name} does not fit the text."),
                hint=Text(
                    zh="文本或签名在签署后被改动过，请勿采信。",
                    en="The text or the signature was changed after signing. Do not rely on it.",
                ),
            )
        signed_by[key] = None
        if key.type.is_cosignature:
            at[key] = split_time(signature)[0]
    return Note(text=text, signed_by=tuple(signed_by), at=at)


def signers_named(note: str) -> tuple[str, ...]:
    """Return the names in a note's signature lines, each once: who *says* to have signed.

    Raises:
        Invalid: This is no signed note.
    """
    return tuple(dict.fromkeys(name for name, _ in _parse_note(note)[1]))


def signature_lines(text: str) -> dict[tuple[str, bytes], str]:
    """Take signature lines apart, as a witness answers with them: name and key id to the line with its newline.

    Raises:
        ValueError: They are something else, or too many.
    """
    lines = text.split("\n")
    if lines.pop() != "" or not 0 < len(lines) <= _MAX_SIGNATURES or not _is_clean(text):
        raise ValueError("not signature lines")
    parsed = [(_parse_signature(line), line) for line in lines]
    return {(name, data[:KEY_ID_BYTES]): f"{line}\n" for (name, data), line in parsed}


def _is_clean(text: str) -> bool:
    """Hold that the text is valid Unicode without control characters other than newline."""
    return all(c >= " " or c == "\n" for c in text) and not any("\ud800" <= c <= "\udfff" for c in text)


def _parse_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Split a note into its text and its (key name, key id and signature) pairs."""
    head, separator, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    try:
        if not (separator and _is_clean(note) and lines.pop() == "" and 0 < len(lines) <= _MAX_SIGNATURES):
            raise ValueError("not a note")
        return head + "\n", [_parse_signature(line) for line in lines]
    except ValueError as error:
        raise Invalid(
            what=Text(zh="这不是签名笔记（C2SP signed-note）。", en="This is not a signed note (C2SP signed-note)."),
            hint=Text(zh="请原样复制，不要改动任何字符。", en="Copy it as it was published; every character counts."),
        ) from error


def _parse_signature(line: str) -> tuple[str, bytes]:
    mark, name, data = line.split(" ")
    signature = strict_base64(data)
    if mark != "—" or not is_name(name) or len(signature) <= KEY_ID_BYTES:
        raise ValueError("not a signature line")
    return name, signature
