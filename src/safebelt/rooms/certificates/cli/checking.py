"""`check` a certificate, and `challenge` a live service to prove that it has one."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.engines.clock import real_chance, wall_clock
from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.certificates.cli.files import Files, read
from safebelt.rooms.certificates.cli.words import EXITS, NOT_AN_APPROVAL
from safebelt.rooms.certificates.model import AXES, ISSUED_BY, STATES, Checked, verdict
from safebelt.rooms.certificates.service import (
    Brought,
    Certificates,
    Challenged,
    challenge,
    check_offline,
    fetch_lists,
)
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.web.terminal import Answer

_PROOF = Text(zh="在线证明", en="Live proof")
_WHAT_IT_SHOWS = Text(
    zh="它表明：持有该密钥者在此地址作答。它不表明：服务如何处理收到的内容，或其他地址也是同一服务。",
    en="It shows that the key's holder answered at that address. It does not show what the service does with what it "
    "is sent, nor that another address leads to the same service.",
)
_ROOT = "The root to trust; then nothing of this house is looked at."
_STATE = "A file that remembers which lists and answers were seen, so that older ones are caught (with --root)."
_RECEIPT = "Proofs of ledger entries about it (with --root and --key)."


def add_checks(app: App, certificates: Certificates) -> None:
    """Add `check` and `challenge`."""

    @app.command
    def check(
        file: Path,
        *,
        root: Annotated[Path | None, Parameter(help=_ROOT)] = None,
        crl: Annotated[Files, Parameter(help="Revocation lists (with --root).")] = None,
        ocsp: Annotated[Path | None, Parameter(help="The authority's answer about it (with --root).")] = None,
        receipt: Annotated[Files, Parameter(help=_RECEIPT)] = None,
        key: Annotated[str, Parameter(help="The log's verifier key.")] = "",
        state: Annotated[Path | None, Parameter(help=_STATE)] = None,
    ) -> Answer:
        """Check a certificate: chain, validity, purpose, revocation, registration, log, each by itself.

        Exits 0 only if all six hold, 1 if any does not, 3 otherwise.  With --root it works anywhere, offline.
        """
        if root is None:
            return _checked(certificates.check(read(file)))
        brought = Brought(
            roots=read(root),
            crls=tuple(read(one) for one in crl or ()),
            ocsp=read(ocsp) if ocsp else None,
            receipts=_texts(receipt),
            key=_key(key),
            memory=state,
        )
        return _checked(check_offline(read(file), brought, on=wall_clock()))

    @app.command(name="challenge")
    def challenge_(
        address: str,
        *,
        root: Annotated[Path | None, Parameter(help=_ROOT)] = None,
        system: Annotated[str, Parameter(help="Whom to ask for, where several systems live there (sys_…).")] = "",
        receipt: Annotated[Files, Parameter(help=_RECEIPT)] = None,
        key: Annotated[str, Parameter(help="The log's verifier key.")] = "",
        state: Annotated[Path | None, Parameter(help=_STATE)] = None,
    ) -> Answer:
        """Challenge a live service to prove who it is, and check the certificate that it shows.

        Exits 0 only if the proof and all six questions about the certificate hold, 1 if any does not, 3 otherwise.
        With --root it works anywhere: the revocation lists are fetched from where the certificate says.
        """
        from safebelt.engines.http import client  # noqa: PLC0415  only this command calls anybody

        found = challenge(address, new_client=client, chance=real_chance, system_id=system)
        if not found.chain:
            return _challenged(found, None)
        if root is None:
            return _challenged(found, certificates.check(found.chain.encode()))
        brought = Brought(
            roots=read(root),
            crls=fetch_lists(found.chain, new_client=client),
            receipts=_texts(receipt),
            key=_key(key),
            memory=state,
        )
        return _challenged(found, check_offline(found.chain.encode(), brought, on=wall_clock()))


def _texts(paths: list[Path] | None) -> tuple[str, ...]:
    return tuple(read(one).decode("utf-8", errors="replace") for one in paths or ())


def _key(key: str) -> str:
    return read(Path(key)).decode("utf-8", errors="replace") if key and Path(key).is_file() else key


def _challenged(found: Challenged, checked: Checked | None) -> Answer:
    """Show the proof first, then what the certificate itself comes to."""
    told = _checked(checked) if checked else None
    proof = {"verdict": verdict(found.proof).value, "why": found.proof.as_data()}
    data = {"place": found.place, "nonce": found.nonce, "signed": found.text, "proof": proof}
    parts = {found.proof.holds} | ({checked.holds} if checked else {Truth.UNKNOWN})
    holds = Truth.FALSE if Truth.FALSE in parts else Truth.TRUE if parts == {Truth.TRUE} else Truth.UNKNOWN
    says = {
        lang: "\n".join(
            [
                _axis(_PROOF, found.proof, lang),
                f"  {found.place}  nonce {found.nonce}",
                told.says.in_(lang) if told else NOT_AN_APPROVAL.in_(lang),
                _WHAT_IT_SHOWS.in_(lang),
            ]
        )
        for lang in LANGS
    }
    return Answer(
        data=data | (told.data if told else {"axes": {}}),
        says=Text(zh=says["zh"], en=says["en"]),
        exit_code=EXITS[holds],
    )


def _checked(word: Checked) -> Answer:
    axes = {
        axis.value: {"verdict": verdict(reason).value, "why": reason.as_data()} for axis, reason in word.axes.items()
    }
    data: dict[str, Any] = {
        "axes": axes,
        "serial": word.serial,
        "system": word.system_id,
        "subject": word.subject,
        "issuer": word.issuer,
        "provisional": word.provisional,
    }
    says = {
        lang: "\n".join(
            [
                *(_axis(AXES[axis], reason, lang) for axis, reason in word.axes.items()),
                *_who(word, lang),
                NOT_AN_APPROVAL.in_(lang),
            ]
        )
        for lang in LANGS
    }
    return Answer(data=data, says=Text(zh=says["zh"], en=says["en"]), exit_code=EXITS[word.holds])


def _who(word: Checked, lang: Lang) -> list[str]:
    """Whom the certificate names, by its own word; whether that word counts is what the axes say."""
    if not word.issuer:
        return []
    marks = [word.subject, ISSUED_BY[Issuer(word.issuer)].in_(lang)]
    if word.provisional:
        marks.append(Text(zh="暂行：证据只有自我声明", en="provisional: service on claims alone").in_(lang))
    return ["  " + "  ·  ".join(marks)]


def _axis(name: Text, reason: Reason, lang: Lang) -> str:
    tree = "\n".join(f"  {line}" for line in reason.as_text(lang).splitlines())
    return f"{name.in_(lang)}: {STATES[verdict(reason)].in_(lang)}\n{tree}"
