"""Checking files: the look is another process's, the answers are put together here."""

import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import IO

from cryptography import x509

from safebelt.kernel.errors import Invalid, NotFound, Problem, Unavailable
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model import Checked as CertificateChecked
from safebelt.rooms.labelling.decide import checking, sentences
from safebelt.rooms.labelling.decide.answering import found as answered
from safebelt.rooms.labelling.decide.answering import moment as _moment
from safebelt.rooms.labelling.decide.reading import label_axes
from safebelt.rooms.labelling.model import AxisFound, Checked, FoundLabel, Verdict
from safebelt.rooms.labelling.model.inspection import Glimpse, Inspection, Known
from safebelt.rooms.labelling.model.provenance import Manifest
from safebelt.rooms.labelling.provenance import integrity
from safebelt.rooms.labelling.service.base import FONT, Desk, Furnished
from safebelt.rooms.labelling.service.holding import Held
from safebelt.rooms.labelling.service.looker import Looker

MAX_BYTES = 4 << 30
"""Largest file that is looked into."""
MAX_SENT_BYTES = 64 << 20
"""Largest file that is taken from a visitor; the shell takes larger ones."""
_BLOCK, _MAX_NAME = 1 << 20, 200


class Verifying(Furnished):
    """Checks files, with what this house knows."""

    _started: tuple[tuple[bytes, ...], Looker] | None = None
    _ring: tuple[object, tuple[bytes, ...]] = (), ()

    @cached_property
    def _signers(self) -> "Held[_Signer]":
        return Held(self.desk.sql.state)

    @cached_property
    def _stampers(self) -> Held[tuple[Reason, ...]]:
        return Held(self.desk.sql.state)

    @cached_property
    def _keys(self) -> Held[integrity.PublicKey | None]:
        return Held(self.desk.sql.state)

    @property
    def _looker(self) -> Looker:
        """What looks into files; another one when a key of the watermarks was made meanwhile."""
        keys = self._watermark_keys()
        if self._started is None or self._started[0] != keys:
            Verifying.close(self)
            roots, listed, font = self.desk.roots(), self.desk.trust_list(), self.desk.folder / FONT
            self._started = keys, Looker(roots, listed, keys=keys, font=font)
        return self._started[1]

    def _watermark_keys(self) -> tuple[bytes, ...]:
        """Return the keys of this house's watermarks; their files are read again when one of them is another."""
        state = self.desk.keyring.state()
        if state != self._ring[0]:
            self._ring = state, self.desk.keyring.keys()
        return self._ring[1]

    def verify(self, path: Path, *, name: str = "", is_scanned: bool = True) -> Checked:
        """Check a file: every question gets its own answer.

        Args:
            path: The file.
            name: What it is called; by default as it is on the disk.
            is_scanned: Whether watermarks are looked for, which takes a hundred times as long as everything else.

        Raises:
            NotFound: There is no such file.
            Invalid: It is a folder, cannot be read, or is too large.
        """
        _hold_readable(path)
        early, at = _Early(self), Path(os.path.realpath(path))
        seen = self._looker.look(at, name or path.name, is_scanned=is_scanned, meanwhile=early.ask)
        early.ask(Glimpse(labels=seen.labels))  # what it says at last, where that differs
        known = self._known(seen, early)
        axes = checking.axes(seen, known, early.integrity, early.says)
        return Checked(
            file=name or path.name,
            kind=seen.kind,
            size=seen.size,
            axes=axes,
            labels=seen.labels,
            sentence=sentences.sentence(axes, seen, known),
            next_steps=sentences.next_steps(axes, known),
            facts=_facts(seen, known),
        )

    def verify_sent(self, sent: IO[bytes], name: str) -> Checked:
        """Check what a visitor sent; it is gone when this returns.

        Args:
            sent: The bytes.
            name: What the visitor calls it; folders in it are passed over.

        Raises:
            Problem: As `verify`.
        """
        with tempfile.TemporaryDirectory(prefix="safebelt-verify-") as folder:
            path = Path(folder) / "content"
            with path.open("wb") as file:
                shutil.copyfileobj(sent, file, _BLOCK)
            return self.verify(path, name=Path(name.replace("\\", "/")).name[:_MAX_NAME] or "content")

    def close(self) -> None:
        """End the process that looks into files, where one was started."""
        if self._started is not None:
            self._started[1].close()
            self._started = None

    def ask_anew(self) -> None:
        """Let go of what the house's records said a moment ago; the next check asks them anew."""
        for name in ("_signers", "_stampers", "_keys"):
            self.__dict__.pop(name, None)

    def judged(self, labels: Sequence[FoundLabel]) -> AxisFound:
        """Judge the signature on a file's label."""
        if not labels or not labels[0].fields:
            return answered(Verdict.ABSENT, "没有可读取的标识。", "There is no label that can be read.")
        return integrity.axis(labels[0].fields, self._key_of)

    def _key_of(self, serial: str) -> integrity.PublicKey | None:
        """Return the key of a certificate of this house; None where there is none that can be asked for."""
        try:
            return self._keys.get(serial, lambda: _key(self.desk.certificates.certificate(serial).der))
        except Problem:
            return None

    def _known(self, seen: Inspection, early: "_Early") -> Known:
        """Ask this house's records; where they do not answer, say so, and take nothing for granted."""
        desk, manifest = self.desk, seen.manifest
        if early.marked is None:
            return Known(is_silent=True)
        marked_at, entry = early.marked
        try:
            alike, is_crowded = desk.alike(seen.fingerprint)
            watermarked = desk.watermarked(seen.ident)
        except Unavailable:
            return Known(is_silent=True)
        signer = self._signer(manifest) if manifest and manifest.trusted_by == "home" else _Signer()
        return Known(
            checked=signer.checked,
            lasts=signer.lasts,
            stamper=self._stamper(manifest) if manifest and manifest.trusted_by == "home" else (),
            watermarked=watermarked,
            alike=alike,
            is_crowded=is_crowded,
            system_name=signer.name,
            party=signer.party,
            register_url=signer.url,
            marked_at=marked_at,
            entry=entry,
        )

    def _signer(self, manifest: Manifest) -> "_Signer":
        """Return what this house says of a certificate now; nothing where it cannot say."""
        try:
            return self._signers.get((manifest.serial, manifest.fingerprint), lambda: _asked(self.desk, manifest))
        except Problem:
            return _Signer()

    def _stamper(self, manifest: Manifest) -> tuple[Reason, ...]:
        """Return what this house says of who made a time-stamp; nothing where there is none, or it cannot say."""
        at = _moment(manifest.signed_at)
        if not manifest.stamper or at is None:
            return ()
        ask = self.desk.certificates.check_stamper
        try:
            return self._stampers.get((manifest.stamper, at), lambda: ask(manifest.stamper, at=at))
        except Problem:
            return ()


class _Early:
    """What can be answered of the first that a look finds, while it goes on.

    Who looks may be in a stranger's hands by then: what it says at last is asked for anew where it is something else.
    The digest is none of its words.

    Args:
        checks: Whose records are asked.

    Attributes:
        marked: When this house marked this very file, and the entry; None where its records do not answer.
        integrity: What the signature on the label came to.
        says: What the labels say together, and whether they keep to the standard.
    """

    def __init__(self, checks: Verifying) -> None:
        self._checks = checks
        self._labels: tuple[FoundLabel, ...] | None = None
        self.marked: tuple[str, str] | None = "", ""

    def ask(self, glimpse: Glimpse) -> None:
        """Answer what is not answered yet, or was answered of something else."""
        if glimpse.sha256 is not None:
            self.marked = self._marked(glimpse.sha256)
        if glimpse.labels is not None and glimpse.labels != self._labels:
            self._labels = glimpse.labels
            self.integrity, self.says = self._checks.judged(glimpse.labels), label_axes(glimpse.labels)

    def _marked(self, sha256: str) -> tuple[str, str] | None:
        try:
            return self._checks.desk.marked(sha256)
        except Unavailable:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signer:
    """What this house says of a certificate: the parts of `Known` that are about it."""

    checked: CertificateChecked | None = None
    lasts: tuple[datetime, datetime] | None = None
    name: Text | None = None
    party: str = ""
    url: str = ""


def _asked(desk: Desk, manifest: Manifest) -> _Signer:
    certificate = desk.certificates.certificate(manifest.serial)
    if manifest.fingerprint not in ("", certificate.fingerprint):
        return _Signer()  # another certificate of that number: none of ours, whoever signed it
    checked = desk.certificates.check(certificate.der)
    name, party, url = desk.public(checked.system_id) if checked.is_public else (None, "", "")
    lasts = certificate.not_before, certificate.not_after
    return _Signer(checked=checked, lasts=lasts, name=name, party=party, url=url)


@lru_cache(maxsize=64)
def _key(der: bytes) -> integrity.PublicKey | None:
    found = x509.load_der_x509_certificate(der).public_key()
    return found if isinstance(found, integrity.PublicKey) else None


def _facts(seen: Inspection, known: Known) -> dict[str, str]:
    manifest = seen.manifest
    facts = {"sha256": seen.sha256}
    if manifest is not None:
        facts |= {
            "signer": manifest.subject,
            "issuer": manifest.issuer,
            "serial": manifest.serial,
            "signed_at": manifest.signed_at,
            "generator": manifest.generator,
            "sources": " ".join(manifest.source_types),
        }
    if known.register_url:
        system = known.checked.system_id if known.checked else ""
        facts |= {"register": known.register_url, "party": known.party, "system": system}
    return {name: value[:500] for name, value in facts.items() if value}


def _hold_readable(path: Path) -> None:
    try:
        found = path.stat()
    except OSError:
        raise NotFound(
            what=Text(zh=f"没有文件“{path}”。", en=f"There is no file {str(path)!r}."),
            hint=Text(zh="请核对路径。", en="Check the path."),
        ) from None
    is_file, too_large = stat.S_ISREG(found.st_mode), found.st_size > MAX_BYTES
    if is_file and not too_large:
        try:
            os.close(os.open(path, os.O_RDONLY))
            return
        except OSError as error:
            why = Text(zh=f"无法读取：{error.strerror}", en=f"it cannot be read: {error.strerror}")
    else:
        why = (
            Text(zh="文件过大", en="it is too large") if is_file else Text(zh="不是普通文件", en="it is no plain file")
        )
    raise Invalid(
        what=Text(zh=f"“{path}”：{why.zh}。", en=f"{str(path)!r}: {why.en}."),
        hint=Text(zh="请给出一个 4 GiB 以内的普通文件。", en="Name a plain file of at most 4 GiB."),
    )
