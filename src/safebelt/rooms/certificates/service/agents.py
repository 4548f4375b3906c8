"""The agent of a live service: keeps its key where it runs, proves with it who it is, and has it renewed in time.

Everything is in one folder: key files of mode 0600, and `identity.json`, which names the certificate in force.  A new
key is on disk before it is certified, and the certificate in force changes with one rename, so that a crash between any
two steps leaves an identity that works.  Proofs come from memory, and are swapped whole: none waits for a renewal.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from safebelt.engines.clock import Chance, Clock
from safebelt.engines.signing import files
from safebelt.kernel.errors import Conflict, NotFound, Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.decide import renewal as decide_renewal
from safebelt.rooms.certificates.model import Bearing, Carried, Identity, Issue, Renewal, Standing
from safebelt.rooms.certificates.pki import keys, leaves
from safebelt.rooms.certificates.pki.keys import SigningKey
from safebelt.rooms.certificates.service.authorities import Authority
from safebelt.rooms.certificates.service.checking import read_certificates
from safebelt.rooms.certificates.service.proving import Prover, taken_back
from safebelt.rooms.certificates.service.reading import der_of, fingerprint, key_id, pem_of, serial_text

FILE = "identity.json"
_NOTE_BYTES = 256 * 1024
_CHANCE_BYTES, _NONCE_BYTES = 4, 16


class Agent:
    """Carries the identity of one system.

    Args:
        folder: Where its keys and its note lie; made on first use, mode 0700.
        wanted: Whose identity it is, where the service is reached, who renews it and for how long; what it says of
            certificates is read from the folder.
        authority: Certifies the keys.
        clock: Says now.
        chance: Draws random bytes, for pauses.
    """

    def __init__(self, folder: Path, wanted: Carried, authority: Authority, *, clock: Clock, chance: Chance) -> None:
        self._folder, self._wanted, self._authority = folder, wanted, authority
        self._clock, self._chance = clock, chance
        self._carried, self._own = wanted, Lock()
        self._prover: Prover | None = None

    @property
    def carried(self) -> Carried:
        """How the service stands with its identity, as of the last look."""
        return self._carried

    def bearing(self) -> Bearing:
        """Return how the service stands with its identity now."""
        return decide_renewal.bearing(self._carried, self._clock())

    def identity(self, system_id: str, nonce: str) -> Identity:
        """Prove who the service is: sign what the asker chose.  Never waits for a renewal, nor for a disk.

        Args:
            system_id: Whom the asker expects; empty for whoever it is.
            nonce: 16 to 64 bytes of the asker's own, base64url.

        Raises:
            Invalid: The nonce is none.
            NotFound: Another system is expected, or there is no certificate yet.
            Conflict: The certificate is over, suspended or revoked.
        """
        prover, carried = self._prover, self._carried
        if prover is None or system_id not in ("", prover.system_id):
            raise _not_carried(system_id or self._wanted.system_id)
        if carried.standing is not Standing.GOOD:
            raise taken_back(carried.serial, carried.standing)
        return prover.prove(nonce, self._clock())

    def look(self) -> bool:
        """Read the folder, and have the certificate renewed where it is due; return whether there is a new one.

        A failure is written down, with when it will be tried again; it is no exception.
        """
        with self._alone():
            try:
                self._take_up(read_note(self._folder))
            except Problem as problem:  # a key or a note that cannot be used: nothing is proven, and it is shown why
                self._carried, self._prover = replace(self._wanted, problem=_said(problem)), None
                return False
            self._ask_how_it_stands()
            return self._is_to_be_tried() and self._tried()

    def begin(self) -> Carried:
        """Ask for a first certificate now, whatever there is already.

        Raises:
            Problem: As the authority says no, or it cannot be reached.
        """
        with self._alone():
            self._take_up(read_note(self._folder))
            self._first(after="")
            return self._carried

    # ---- one look

    def _take_up(self, noted: Carried | None) -> None:
        """Take up what the folder says; what is asked for next time comes from whoever runs the agent."""
        if noted is None or noted.system_id != self._wanted.system_id:
            self._carried, self._prover = self._wanted, None
            return
        w = self._wanted
        is_as_before = noted.serial == self._carried.serial
        asked = self._carried.asked_at if is_as_before else None  # not written down every minute: a restart asks anew
        carried = replace(noted, place=w.place, authority=w.authority, days=w.days, asked_at=asked)
        if self._prover is None or carried.serial != self._carried.serial or carried.place != self._prover.place:
            self._prover = self._prover_of(carried)
        self._carried = carried

    def _prover_of(self, carried: Carried) -> Prover | None:
        if not carried.serial or carried.not_after is None:
            return None
        return Prover(
            system_id=carried.system_id,
            place=carried.place,
            chain=carried.chain,
            not_after=carried.not_after,
            key=keys.load_key(self._folder / carried.key),
        )

    def _ask_how_it_stands(self) -> None:
        """Learn whether the certificate was taken back; where nobody says, what was said before goes on to hold."""
        now, carried = self._clock(), self._carried
        is_fresh = carried.asked_at is not None and now - carried.asked_at < decide_renewal.ASK_EVERY
        if is_fresh or self.bearing() in (Bearing.NONE, Bearing.OVER):
            return
        try:
            said = self._authority.stands(carried.chain, on=now, nonce=self._chance(_NONCE_BYTES))
        except Problem:
            return
        if said is not None:
            self._carried = replace(carried, standing=said, asked_at=now)
            if said is not carried.standing:
                self._note(self._carried)

    def _is_to_be_tried(self) -> bool:
        now = self._clock()
        if self._carried.next_try_at is not None and now < self._carried.next_try_at:
            return False
        return decide_renewal.bearing(self._carried, now) not in (Bearing.GOOD, Bearing.TAKEN_BACK)

    def _tried(self) -> bool:
        try:
            if self._carried.serial and self.bearing() is not Bearing.OVER:
                self._renew()
            else:
                self._begin_again()
        except Problem as problem:
            self._failed(problem)
            return False
        return True

    def _begin_again(self) -> None:
        """Ask for a first certificate without a person's word, where that may be."""
        if not self._authority.can_begin:
            raise _needs_a_person(self._carried)
        self._first(after=self._carried.serial)

    def _failed(self, problem: Problem) -> None:
        now, before = self._clock(), self._carried
        failures = before.failures + 1
        is_of_the_key = problem.details.get("field") in ("request", "csr")
        noted = replace(
            before,
            failures=failures,
            tried_at=now,
            next_try_at=decide_renewal.next_try(
                now, failures, not_after=before.not_after, chance=self._chance(_CHANCE_BYTES)
            ),
            problem=_said(problem),
            next_key="" if is_of_the_key else before.next_key,
        )
        self._note(noted)
        if is_of_the_key and before.next_key:
            (self._folder / before.next_key).unlink(missing_ok=True)

    # ---- asking

    def _first(self, *, after: str) -> None:
        key = self._next_key()
        asked = Issue(system_id=self._wanted.system_id, request=_request(key), days=self._wanted.days)
        self._put_in_force(self._authority.first(asked, after=after), key)

    def _renew(self) -> None:
        key, prover, now = self._next_key(), self._prover, self._clock()
        if prover is None:
            raise _not_carried(self._wanted.system_id)
        request, present = _request(key), read_certificates(self._carried.chain.encode())[0]
        text = decide_renewal.renewal_text(
            system_id=self._carried.system_id,
            fingerprint=fingerprint(der_of(present)),
            request=request,
            days=self._wanted.days,
            at=now,
        )
        signature = keys.sign(prover.key, text.encode())
        wish = Renewal(
            serial=self._carried.serial, request=request, at=now, days=self._wanted.days, signature=signature
        )
        self._put_in_force(self._authority.renew(wish), key)

    def _next_key(self) -> SigningKey:
        """Return the key to be certified: what an earlier try left, or a new one, on disk before it is heard of."""
        left = self._carried.next_key
        if left and (self._folder / left).exists():
            return keys.load_key(self._folder / left)
        key = keys.make_key("p-256")
        name = f"{key_id(key.public_key())[:40]}.key"
        keys.save_key(self._folder / name, key)
        self._note(replace(self._carried, next_key=name))
        return key

    def _put_in_force(self, leaf_pem: str, key: SigningKey) -> None:
        """Hold what came to what was asked for, and let it take the place of what was in force."""
        above = self._authority.above()
        leaf = _held(leaf_pem, above, key, self._wanted.system_id)
        if self._clock() > leaf.not_valid_after_utc:
            raise _unfit("已过期", "over already")
        before, name = self._carried, f"{key_id(key.public_key())[:40]}.key"
        noted = replace(
            self._wanted,
            serial=serial_text(leaf.serial_number),
            chain=pem_of(der_of(leaf)) + above,
            key=name,
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            tried_at=self._clock(),
        )
        self._note(noted)
        self._prover = self._prover_of(noted)
        if before.key and before.key != name:
            (self._folder / before.key).unlink(missing_ok=True)

    # ---- the folder

    def _note(self, carried: Carried) -> None:
        try:
            files.write(self._folder / FILE, msgspec.json.format(msgspec.json.encode(carried)).decode(), mode=0o600)
        except OSError as error:
            raise files.unavailable(self._folder / FILE, error.strerror or str(error)) from error
        self._carried = carried

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder against other processes, a person's shell beside the service for one."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._own, (self._folder / "lock").open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise files.unavailable(self._folder, error.strerror or str(error)) from error


def read_note(folder: Path) -> Carried | None:
    """Return what a folder says of the identity in it; None where there is none.

    Raises:
        Unavailable: It cannot be read.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_NOTE_BYTES), type=Carried)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(
            what=Text(zh=f"无法读取 {path}：{error}。", en=f"{path} cannot be read: {error}."),
            hint=Text(
                zh="请从备份恢复该文件，或移走整个目录后重新申领。",
                en="Restore it from a backup, or move the folder away and ask for a first certificate again.",
            ),
        ) from error


def _request(key: SigningKey) -> bytes:
    """Return a request on a key, PEM.  It names nobody: what is certified comes from the register."""
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, keys.hash_for(key))
    return made.public_bytes(serialization.Encoding.PEM)


def _said(problem: Problem) -> Text:
    return Text(zh=problem.in_("zh"), en=problem.in_("en"))


def _held(leaf_pem: str, above: str, key: SigningKey, system_id: str) -> x509.Certificate:
    """Hold that what came is a certificate of this system on this key, by whom it says.

    Raises:
        Unavailable: It is not.
        Invalid: It cannot be read.
    """
    leaf, issuing = read_certificates(leaf_pem.encode())[0], read_certificates(above.encode())[0]
    if keys.public_bytes(leaf.public_key()) != keys.public_bytes(key.public_key()):
        raise _unfit("其公钥不是所请求的", "on another key")
    claims = leaves.claims_of(leaf)
    if claims is None or claims.system_id != system_id:
        raise _unfit("它指的是另一个系统", "of another system")
    try:
        leaf.verify_directly_issued_by(issuing)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise _unfit("其签名与签发证书不符", "not signed by the issuing certificate that came with it") from error
    return leaf


def _unfit(zh: str, en: str) -> Unavailable:
    return Unavailable(
        what=Text(zh=f"收到的证书不可用：{zh}。", en=f"The certificate that came is of no use: it is {en}."),
        hint=Text(zh="请核对签发机构的地址和本机时钟。", en="Check the authority's address, and this machine's clock."),
    )


def _not_carried(system_id: str) -> NotFound:
    return NotFound(
        what=Text(zh=f"此服务没有 {system_id} 的证书。", en=f"This service has no certificate of {system_id}."),
        hint=Text(
            zh="请核对 system 参数，或请运营者申领证书。",
            en="Check the `system` parameter, or ask the operator to have it certified.",
        ),
        details={"field": "system"},
    )


def _needs_a_person(carried: Carried) -> Conflict:
    stands = (
        Text(zh="证书已过期", en="The certificate is over") if carried.serial else Text(zh="尚无证书", en="None yet")
    )
    where = f"--authority {carried.authority}" if carried.authority else ""
    command = f"safebelt certificates agent enrol {carried.system_id} {where}".rstrip()
    return Conflict(
        what=Text(
            zh=f"{stands.zh}，须由运营者凭令牌申领。",
            en=f"{stands.en}: an operator's token has to ask for a first one.",
        ),
        hint=Text(zh=f"请运行 `{command}`。", en=f"Run `{command}`."),
    )
