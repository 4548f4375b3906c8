"""What the commands say of authorities, certificates and checks."""

from pathlib import Path
from typing import Any

import msgspec

from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.certificates.cli.files import write
from safebelt.rooms.certificates.model import (
    ISSUED_BY,
    STANDINGS,
    Authority,
    Certificate,
    Standing,
)
from safebelt.rooms.certificates.service import Certificates, pem_of, words_of_part
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer

EXITS = {Truth.TRUE: DONE, Truth.FALSE: NEGATIVE, Truth.UNKNOWN: NOT_EVALUATED}
_STANDS = {Standing.GOOD: DONE, Standing.SUSPENDED: NEGATIVE, Standing.REVOKED: NEGATIVE}
NOT_AN_APPROVAL = Text(
    zh="证书说明是谁、由谁签发；不表示任何批准。",
    en="A certificate says who, and who issued it. It is not an approval.",
)


def authority_answer(found: Authority, certificates: Certificates) -> Answer:
    """Show the authority, and where its root's key still lies."""
    who = ISSUED_BY[found.issuer]
    lines = [
        Text(
            zh=f"签发机构：{found.organization}（{found.country}），{who.zh}",
            en=f"Issuing authority: {found.organization} ({found.country}), {who.en}",
        )
    ]
    lines += [words_of_part(part) for part in found.parts.values()]
    if found.has_root_key:
        place = certificates.root_key_path()
        lines.append(
            Text(
                zh=f"根私钥仍在本机：请将 {place} 移到离线介质，一份不留。",
                en=f"The root's private key is still here: move {place} to offline media, and leave no copy.",
            )
        )
    parts = {role.value: pem_of(part.der) for role, part in found.parts.items()}
    data = {
        "organization": found.organization,
        "country": found.country,
        "issuer": found.issuer.value,
        "parts": parts,
        "has_root_key": found.has_root_key,
    }
    return Answer(data=data, says=_lines(lines))


def certificate_answer(word: Certificate, output: Path | None) -> Answer:
    """Show a certificate, and write it to a file where one is named."""
    pem = pem_of(word.der)
    if output is not None:
        write(output, pem)
    says = Text(zh=_told(word, "zh"), en=_told(word, "en"))
    return Answer(data=certificate_data(word), says=says, exit_code=_STANDS[word.standing])


def changed(word: Certificate) -> Answer:
    """The deed was done, whatever the certificate stands at now."""
    return Answer(data=certificate_data(word), says=Text(zh=_told(word, "zh"), en=_told(word, "en")))


def _told(word: Certificate, lang: Lang) -> str:
    why = f": {word.reason}" if word.reason else ""
    marks = [ISSUED_BY[word.issuer]]
    if word.provisional:
        marks.append(Text(zh="暂行：证据只有自我声明", en="provisional: service on claims alone"))
    days = f"{word.not_before.date().isoformat()} – {word.not_after.date().isoformat()}"
    lines = (
        line_of(word, lang) + why,
        f"  {word.subject}",
        f"  {days}  ·  {' · '.join(mark.in_(lang) for mark in marks)}",
        f"  SHA-256 {word.fingerprint}",
        f"  {NOT_AN_APPROVAL.in_(lang)}",
    )
    return "\n".join(lines)


def line_of(word: Certificate, lang: Lang) -> str:
    """Return a certificate on one line."""
    return f"{word.serial}  {STANDINGS[word.standing].in_(lang)}  {word.system_id}"


def certificate_data(word: Certificate) -> dict[str, Any]:
    """Return a certificate as JSON-ready values."""
    fields: dict[str, Any] = msgspec.to_builtins(word)
    return {**fields, "der": "", "pem": pem_of(word.der)}


def _lines(lines: list[Text]) -> Text:
    return Text(zh="\n".join(one.zh for one in lines), en="\n".join(one.en for one in lines))
