"""The certificates' command line: `safebelt certificates found|issue|status|suspend|revoke|check|…`.

`check` with `--root` touches neither database nor key file: a stranger needs the certificate, the root, and what the
authority answered.
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.certificates.model import (
    AXES,
    ISSUED_BY,
    STANDINGS,
    STATES,
    Authority,
    Certificate,
    Checked,
    Filter,
    Found,
    Issue,
    Standing,
    Why,
    verdict,
)
from safebelt.rooms.certificates.service import Brought, Certificates, check_offline, pem_of, words_of_part
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer

Output = Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write to this file.")]
Files = Annotated[list[Path] | None, Parameter(negative="")]
_EXITS = {Truth.TRUE: DONE, Truth.FALSE: NEGATIVE, Truth.UNKNOWN: NOT_EVALUATED}
_STANDS = {Standing.GOOD: DONE, Standing.SUSPENDED: NEGATIVE, Standing.REVOKED: NEGATIVE}
_MAX_FILE = 4 * 1024 * 1024
_NOT_AN_APPROVAL = Text(
    zh="证书说明是谁、由谁签发；不表示任何批准。",
    en="A certificate says who, and who issued it. It is not an approval.",
)


def commands(certificates: Certificates) -> App:
    """Build the group `certificates`."""
    app = App(
        name="certificates",
        help="An identity that anybody can check and that can be taken back. 数字证书：可核验、可吊销的身份。",
    )
    _authority(app, certificates)
    _issuing(app, certificates)
    _taking_back(app, certificates)
    _keeping(app, certificates)
    _checking(app, certificates)
    return app


def _authority(app: App, certificates: Certificates) -> None:
    @app.command
    def found(
        *,
        organization: Annotated[str, Parameter(help="Who runs it, as its certificates name them.")],
        country: Annotated[str, Parameter(help="Two letters (ISO 3166-1).")],
        issuer: Annotated[Issuer, Parameter(help="Who stands behind it; self: an operator's own.")] = Issuer.SELF,
    ) -> Answer:
        """Found the issuing authority of this house: a key ceremony of some seconds.

        Afterwards take the root's private key off this machine; the answer says where it lies.
        """
        made = certificates.found(Found(organization=organization, country=country, issuer=issuer), by=OWNER)
        return _authority_answer(made, certificates)

    @app.command
    def authority() -> Answer:
        """Show the issuing authority: its certificates, until when they count, whether the root's key lies here."""
        return _authority_answer(certificates.authority(), certificates)

    @app.command(name="root-list")
    def root_list() -> Answer:
        """Sign the root's revocation list anew, once a year; the root's key must lie here meanwhile."""
        der = certificates.renew_root_list(by=OWNER)
        says = Text(zh="根的吊销列表已重新签发。", en="The root's revocation list is signed anew.")
        return Answer(data={"bytes": len(der)}, says=says)


def _issuing(app: App, certificates: Certificates) -> None:
    @app.command
    def issue(
        system_id: str,
        *,
        csr: Annotated[Path, Parameter(help="A PKCS#10 request (PEM or DER), signed by the key to be certified.")],
        version: Annotated[str, Parameter(help="A version of the system (ver_…).")] = "",
        days: Annotated[int, Parameter(help="How long it counts, 1 to 90.")] = 90,
        output: Output = None,
    ) -> Answer:
        """Issue a certificate for a system in service, to whoever proves to hold the private key."""
        asked = Issue(system_id=system_id, request=_read(csr), version_id=version, days=days)
        made = certificates.issue(asked, by=OWNER)
        return _certificate_answer(made, output)

    @app.command(name="list")
    def list_(
        *,
        system: str = "",
        standing: Standing | None = None,
        search: Annotated[str, Parameter(help="Part of the number, the fingerprint or the subject.")] = "",
        before: Annotated[str, Parameter(help="The last number of the page before.")] = "",
    ) -> Answer:
        """List certificates, latest first."""
        page = certificates.certificates(Filter(system_id=system, standing=standing, words=search, before=before))
        lines = {lang: "\n".join(_line(one, lang) for one in page.items) for lang in LANGS}
        more = f"\n--before {page.before}" if page.before else ""
        none = Text(zh="没有符合的证书。", en="No certificate matches.")
        says = Text(zh=(lines["zh"] or none.zh) + more, en=(lines["en"] or none.en) + more)
        return Answer(data={"items": [_data(one) for one in page.items], "total": page.total}, says=says)

    @app.command
    def status(serial: str, *, output: Output = None) -> Answer:
        """Show a certificate and how it stands; -o writes it as PEM.  Exits 1 where it is suspended or revoked."""
        return _certificate_answer(certificates.certificate(serial), output)


def _taking_back(app: App, certificates: Certificates) -> None:
    @app.command
    def suspend(serial: str, *, reason: str) -> Answer:
        """Let a certificate not count until further notice, at once."""
        return _changed(certificates.suspend(serial, reason=reason, by=OWNER))

    @app.command
    def resume(serial: str, *, reason: str) -> Answer:
        """Let a suspended certificate count again."""
        return _changed(certificates.resume(serial, reason=reason, by=OWNER))

    @app.command
    def revoke(serial: str, *, reason: str, why: Why = Why.UNSPECIFIED) -> Answer:
        """Let a certificate never count again, at once."""
        return _changed(certificates.revoke(serial, why, reason=reason, by=OWNER))


def _keeping(app: App, certificates: Certificates) -> None:
    @app.command
    def keep(system_id: str) -> Answer:
        """Keep a key for a system that runs here: it proves who the system is, and its certificate renews itself."""
        return _certificate_answer(certificates.keep(system_id, by=OWNER), None)

    @app.command
    def drop(system_id: str, *, reason: str) -> Answer:
        """Erase a kept key; its certificate is not renewed any more."""
        certificates.drop(system_id, reason=reason, by=OWNER)
        says = Text(zh=f"不再代管 {system_id} 的身份密钥。", en=f"The identity key of {system_id} is erased.")
        return Answer(data={"system": system_id}, says=says)

    @app.command
    def kept() -> Answer:
        """List the systems whose keys are kept here, and until when their certificates count."""
        found = certificates.kept()
        lines = "\n".join(f"{one.system_id}  {one.serial}  {one.not_after.date().isoformat()}" for one in found)
        none = Text(zh="没有代管任何系统的密钥。", en="No system's key is kept here.")
        return Answer(data=msgspec.to_builtins(found), says=Text(zh=lines or none.zh, en=lines or none.en))


def _checking(app: App, certificates: Certificates) -> None:
    @app.command
    def check(
        file: Path,
        *,
        root: Annotated[
            Path | None, Parameter(help="The root to trust; then nothing of this house is looked at.")
        ] = None,
        crl: Annotated[Files, Parameter(help="Revocation lists (with --root).")] = None,
        ocsp: Annotated[Path | None, Parameter(help="The authority's answer about it (with --root).")] = None,
        receipt: Annotated[Files, Parameter(help="Proofs of ledger entries about it (with --root and --key).")] = None,
        key: Annotated[str, Parameter(help="The log's verifier key.")] = "",
    ) -> Answer:
        """Check a certificate: chain, validity, purpose, revocation, registration, log, each by itself.

        Exits 0 only if all six hold, 1 if any does not, 3 otherwise.  With --root it works anywhere, offline.
        """
        if root is None:
            return _checked(certificates.check(_read(file)))
        brought = Brought(
            roots=_read(root),
            crls=tuple(_read(one) for one in crl or ()),
            ocsp=_read(ocsp) if ocsp else None,
            receipts=tuple(_read(one).decode("utf-8", errors="replace") for one in receipt or ()),
            key=_read(Path(key)).decode("utf-8", errors="replace") if key and Path(key).is_file() else key,
        )
        return _checked(check_offline(_read(file), brought, on=certificates.now()))


def _authority_answer(found: Authority, certificates: Certificates) -> Answer:
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


def _certificate_answer(word: Certificate, output: Path | None) -> Answer:
    pem = pem_of(word.der)
    if output is not None:
        _write(output, pem)
    says = Text(zh=_told(word, "zh"), en=_told(word, "en"))
    return Answer(data=_data(word), says=says, exit_code=_STANDS[word.standing])


def _changed(word: Certificate) -> Answer:
    """The deed was done, whatever the certificate stands at now."""
    return Answer(data=_data(word), says=Text(zh=_told(word, "zh"), en=_told(word, "en")))


def _checked(word: Checked) -> Answer:
    axes = {
        axis.value: {"verdict": verdict(reason).value, "why": reason.as_data()} for axis, reason in word.axes.items()
    }
    data: dict[str, Any] = {"axes": axes, "serial": word.serial, "system": word.system_id, "subject": word.subject}
    says = {
        lang: "\n".join(
            f"{AXES[axis].in_(lang)}: {STATES[verdict(reason)].in_(lang)}\n{_indented(reason.as_text(lang))}"
            for axis, reason in word.axes.items()
        )
        for lang in LANGS
    }
    tail = _NOT_AN_APPROVAL
    return Answer(
        data=data,
        says=Text(zh=f"{says['zh']}\n{tail.zh}", en=f"{says['en']}\n{tail.en}"),
        exit_code=_EXITS[word.holds],
    )


def _told(word: Certificate, lang: Lang) -> str:
    why = f": {word.reason}" if word.reason else ""
    marks = [ISSUED_BY[word.issuer]]
    if word.provisional:
        marks.append(Text(zh="暂行：证据只有自我声明", en="provisional: service on claims alone"))
    days = f"{word.not_before.date().isoformat()} – {word.not_after.date().isoformat()}"
    lines = (
        _line(word, lang) + why,
        f"  {word.subject}",
        f"  {days}  ·  {' · '.join(mark.in_(lang) for mark in marks)}",
        f"  SHA-256 {word.fingerprint}",
        f"  {_NOT_AN_APPROVAL.in_(lang)}",
    )
    return "\n".join(lines)


def _line(word: Certificate, lang: Lang) -> str:
    return f"{word.serial}  {STANDINGS[word.standing].in_(lang)}  {word.system_id}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _data(word: Certificate) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(word)
    return {**fields, "der": "", "pem": pem_of(word.der)}


def _lines(lines: list[Text]) -> Text:
    return Text(zh="\n".join(one.zh for one in lines), en="\n".join(one.en for one in lines))


def _read(path: Path) -> bytes:
    """Return a file a person named."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except FileNotFoundError:
        raise NotFound(
            what=Text(zh=f"没有文件“{path}”。", en=f"There is no file {str(path)!r}."),
            hint=Text(zh="请核对路径。", en="Check the path."),
        ) from None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if len(data) > _MAX_FILE:
        raise _unreadable(path, f"more than {_MAX_FILE} bytes")
    return data


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _unreadable(path: Path, why: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"“{path}”无法使用：{why}。", en=f"{str(path)!r} cannot be used: {why}."),
        hint=Text(zh="请指定另一个文件。", en="Name another file."),
    )
