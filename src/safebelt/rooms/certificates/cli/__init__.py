"""The certificates' command line: `safebelt certificates found|issue|status|suspend|revoke|check|challenge|agent|…`.

`check` with `--root`, `challenge` with `--root` and `agent` touch neither database nor keys of this house: a stranger,
and a service elsewhere, have none.
"""

from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import LANGS, Text
from safebelt.rooms.certificates.cli.agents import agent_group
from safebelt.rooms.certificates.cli.checking import add_checks
from safebelt.rooms.certificates.cli.files import File, Output, read
from safebelt.rooms.certificates.cli.words import (
    authority_answer,
    certificate_answer,
    certificate_data,
    changed,
    line_of,
)
from safebelt.rooms.certificates.model import Filter, Found, Issue, Standing, Why
from safebelt.rooms.certificates.service import Certificates
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.web.terminal import Answer


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
    add_checks(app, certificates)
    app.command(agent_group())
    return app


def _authority(app: App, certificates: Certificates) -> None:
    @app.command
    def found(
        *,
        organization: Annotated[str, Parameter(help="Who runs it, as its certificates name them.")],
        country: Annotated[str, Parameter(help="Two letters (ISO 3166-1).")],
        issuer: Annotated[Issuer, Parameter(help="Who stands behind it; self: an operator's own.")] = Issuer.SELF,
        token: Annotated[
            str, Parameter(help="Make the CAs' keys in this token (pkcs11:…, RFC 7512), not in files.")
        ] = "",
    ) -> Answer:
        """Found the issuing authority of this house: a key ceremony of some seconds.

        Afterwards take the root's private key off this machine; the answer says where it lies.
        """
        cmd = Found(organization=organization, country=country, issuer=issuer)
        made = certificates.found(cmd, by=OWNER, token=token)
        return authority_answer(made, certificates)

    @app.command
    def authority() -> Answer:
        """Show the issuing authority: its certificates, until when they count, whether the root's key lies here."""
        return authority_answer(certificates.authority(), certificates)

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
        csr: Annotated[File, Parameter(help="A PKCS#10 request (PEM or DER), signed by the key to be certified.")],
        version: Annotated[str, Parameter(help="A version of the system (ver_…).")] = "",
        days: Annotated[int, Parameter(help="How long it counts, 1 to 90.")] = 90,
        output: Output = None,
    ) -> Answer:
        """Issue a certificate for a system in service, to whoever proves to hold the private key."""
        asked = Issue(system_id=system_id, request=read(csr), version_id=version, days=days)
        made = certificates.issue(asked, by=OWNER)
        return certificate_answer(made, output)

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
        lines = {lang: "\n".join(line_of(one, lang) for one in page.items) for lang in LANGS}
        more = f"\n--before {page.before}" if page.before else ""
        none = Text(zh="没有符合的证书。", en="No certificate matches.")
        says = Text(zh=(lines["zh"] or none.zh) + more, en=(lines["en"] or none.en) + more)
        return Answer(data={"items": [certificate_data(one) for one in page.items], "total": page.total}, says=says)

    @app.command
    def status(serial: str, *, output: Output = None) -> Answer:
        """Show a certificate and how it stands; -o writes it as PEM.  Exits 1 where it is suspended or revoked."""
        return certificate_answer(certificates.certificate(serial), output)


def _taking_back(app: App, certificates: Certificates) -> None:
    @app.command
    def suspend(serial: str, *, reason: str) -> Answer:
        """Let a certificate not count until further notice, at once."""
        return changed(certificates.suspend(serial, reason=reason, by=OWNER))

    @app.command
    def resume(serial: str, *, reason: str) -> Answer:
        """Let a suspended certificate count again."""
        return changed(certificates.resume(serial, reason=reason, by=OWNER))

    @app.command
    def revoke(serial: str, *, reason: str, why: Why = Why.UNSPECIFIED) -> Answer:
        """Let a certificate never count again, at once."""
        return changed(certificates.revoke(serial, why, reason=reason, by=OWNER))


def _keeping(app: App, certificates: Certificates) -> None:
    @app.command
    def keep(system_id: str) -> Answer:
        """Keep a key for a system that runs here: it proves who the system is, and its certificate renews itself."""
        return certificate_answer(certificates.keep(system_id, by=OWNER), None)

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
