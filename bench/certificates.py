"""What certificates cost: how many leaves a CA signs in a second, beside what its key could sign at most.

Of both kinds of issuing CA that are in the field: P-384, as houses are founded now, and RSA-3072, as they were before.
Rounds of the same length, interleaved in one run, so that a busy neighbour disturbs all alike; the ratio to the raw
signatures is the result, absolutes depend on the machine.  Every leaf is whole: built, signed, read back and held to
its profile.  Run: `python -m bench.certificates`.
"""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import cryptography
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from safebelt.rooms.certificates.pki import crl, hierarchy, keys, leaves, names, ocsp, requests, stamps
from safebelt.rooms.certificates.pki.path import Purpose, RevocationSource, examine

ROOT = Path(__file__).resolve().parents[1]
ROUNDS, SECONDS = 5, 2.0
BATCH = 256  # leaves ordered at once
ASKED = 1000  # a second, on two cores
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
PLACES = names.Places(
    ocsp_url="http://pki.example/ocsp/",
    issuers_url="http://pki.example/issuing.cer",
    crl_url="http://pki.example/issuing.crl",
    root_crl_url="http://pki.example/root.crl",
    register_url="https://register.example/",
)


@dataclass
class Timed:
    """A deed, and how often it was done in a second of wall-clock and of CPU, children's included."""

    name: str
    deed: Callable[[], int]
    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)

    def round(self, seconds: float) -> None:
        began, cpu, done = time.perf_counter(), _cpu(), 0
        while time.perf_counter() - began < seconds:
            done += self.deed()
        self.per_second.append(done / (time.perf_counter() - began))
        spent = _cpu() - cpu
        self.per_cpu_second.append(done / spent if spent else 0.0)

    def as_data(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "per_second": round(statistics.median(self.per_second), 1),
            "per_second_best": round(max(self.per_second), 1),
            "per_cpu_second": round(statistics.median(self.per_cpu_second), 1),
        }


def _cpu() -> float:
    """CPU of this process and of its living children, from /proc (proc(5))."""
    spent = time.process_time()
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            parts = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            spent += (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def subject(name: str) -> names.Subject:
    return names.Subject(organization="示例科技有限公司", common_name=name, country="CN")


def orders(count: int) -> list[leaves.Order]:
    """Orders of as many systems, each with a key of its own, half of either kind."""
    made = []
    for n in range(count):
        key = ed25519.Ed25519PrivateKey.generate() if n % 2 else ec.generate_private_key(ec.SECP256R1())
        claims = leaves.Claims(
            system_id=f"sys_{n:026}",
            version_id=f"ver_{n:026}",
            party_id="pty_00000000000000000000000001",
            issuer_kind=leaves.IssuerKind.AUTHORITY,
            provisional=bool(n % 3),
            register_url=f"https://register.example/zh/registry/sys_{n:026}",
        )
        made.append(
            leaves.Order(
                public_key=key.public_key(),
                claims=claims,
                subject=subject(f"系统 {n}"),
                serial=leaves.serial_of(os.urandom(16)),
            )
        )
    return made


def _sign_raw(key: bytes, count: int) -> int:
    """Sign as often, with a key read once in each process."""
    private = _KEYS.get(key)
    if private is None:
        read = serialization.load_der_private_key(key, None)
        assert isinstance(read, keys.SigningKey)
        private = _KEYS.setdefault(key, read)
    for _ in range(count):
        keys.sign(private, _MESSAGE)
    return count


_KEYS: dict[bytes, keys.SigningKey] = {}
_MESSAGE = bytes(1100)  # as long as what is signed of a leaf


KINDS: dict[str, keys.KeyType] = {"P-384": "p-384", "RSA-3072": "rsa-3072"}


def issuing_deeds(kind: str, pool: ProcessPoolExecutor, cores: int) -> list[Timed]:
    """The leaves, and the signatures alone, on one core and on all."""
    root = hierarchy.make_root(subject("root"), on=NOW, key=keys.make_key("p-384"))
    issuing = hierarchy.make_issuing(root, subject("issuing"), on=NOW, places=PLACES, key=keys.make_key(KINDS[kind]))
    der = issuing.key.private_bytes(Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    batch = orders(BATCH)
    share = BATCH // cores

    def alone() -> int:
        return len(leaves.issue_many(issuing, batch[:64], on=NOW, places=PLACES))

    def pooled() -> int:
        return len(leaves.issue_many(issuing, batch, on=NOW, places=PLACES, executor=pool))

    def raw_pooled() -> int:
        return sum(pool.map(_sign_raw, [der] * cores, [share] * cores))

    return [
        Timed(f"{kind} signatures alone, one core", lambda: _sign_raw(der, 64)),
        Timed(f"leaves under {kind}, one core", alone),
        Timed(f"{kind} signatures alone, {cores} processes", raw_pooled),
        Timed(f"leaves under {kind}, {cores} processes", pooled),
    ]


def other_deeds() -> list[Timed]:
    """What happens to a certificate afterwards, on one core, in a house as it is founded now."""
    root = hierarchy.make_root(subject("root"), on=NOW)
    issuing = hierarchy.make_issuing(root, subject("issuing"), on=NOW, places=PLACES)
    responder = hierarchy.make_responder(issuing, subject("responder"), on=NOW)
    stamping_ca = hierarchy.make_stamping_ca(root, subject("stamping"), on=NOW, places=PLACES)
    stamper = hierarchy.make_stamper(stamping_ca, subject("stamper"), on=NOW, places=PLACES)
    chain = stamps.StamperChain(stamper=stamper, others=(stamping_ca.certificate,))
    key = ec.generate_private_key(ec.SECP256R1())
    (order,) = orders(1)
    (leaf,) = leaves.issue_many(issuing, [order], on=NOW, places=PLACES)
    request = x509.CertificateSigningRequestBuilder().subject_name(subject("x").as_name()).sign(key, hashes.SHA256())
    csr = request.public_bytes(Encoding.DER)
    question = ocsp.query(leaf, issuing.certificate, os.urandom(32))
    answer = ocsp.answer(question, responder, issuing.certificate, lambda _: ocsp.State(), on=NOW, valid_for=DAY)
    root_list = crl.make_crl(root, [], number=1, on=NOW, next_update=90 * DAY + NOW)
    query = stamps.make_query(sha256(_MESSAGE).digest(), nonce=7)
    reply = stamps.stamp(query, chain, serial=1, on=NOW, policy=names.STAMP_POLICY)
    revoked = [crl.Revoked(serial=(1 << 128) + n, at=NOW, reason=names.Ground.SUPERSEDED) for n in range(10_000)]

    def one(deed: Callable[[], object]) -> Callable[[], int]:
        return lambda: 1 if deed() else 0

    def look() -> object:
        examined = examine(
            leaf,
            [issuing.certificate],
            [root.certificate],
            on=NOW,
            purpose=Purpose.CLAIM_SIGNING,
            revocation=RevocationSource(ocsp=answer, crls=(root_list,)),
            max_age=DAY,
        )
        return examined.is_ok

    assert look()
    return [
        Timed("requests read, possession proven", one(lambda: requests.read_request(csr))),
        Timed(
            "OCSP answers signed (P-256)",
            one(
                lambda: ocsp.answer(
                    question, responder, issuing.certificate, lambda _: ocsp.State(), on=NOW, valid_for=DAY
                )
            ),
        ),
        Timed("leaves examined: chain, time, purpose, OCSP and root's list", one(look)),
        Timed(
            "time-stamps given (P-256)",
            one(lambda: stamps.stamp(query, chain, serial=1, on=NOW, policy=names.STAMP_POLICY)),
        ),
        Timed(
            "time-stamps checked",
            one(lambda: stamps.check_stamp(reply, [root.certificate], on=NOW, content=_MESSAGE)),
        ),
        Timed(
            "lists of 10,000 revoked signed",
            one(lambda: crl.make_crl(issuing, revoked, number=1, on=NOW, next_update=NOW + DAY)),
        ),
    ]


def measure(deeds: Sequence[Timed], seconds: float) -> list[dict[str, Any]]:
    for deed in deeds:
        deed.deed()  # the pool starts, caches fill
    for _ in range(ROUNDS):
        for deed in deeds:
            deed.round(seconds)
    return [deed.as_data() for deed in deeds]


def as_markdown(found: dict[str, Any]) -> str:
    rows = found["issuing"]
    lines = [
        "# Certificates",
        "",
        f"{found['measured_at']}, {found['machine']}, Python {found['python']}, cryptography {found['cryptography']};",
        f"load before: {found['load']}. Medians of {ROUNDS} interleaved rounds.",
        "",
        *(line for n, kind in enumerate(KINDS) for line in _in_words(kind, found["cores"], rows[4 * n : 4 * n + 4])),
        "| deed | per second | best round | per second of CPU |",
        "|---|---:|---:|---:|",
        *(
            f"| {row['name']} | {row['per_second']:,.0f} | {row['per_second_best']:,.0f} "
            f"| {row['per_cpu_second']:,.0f} |"
            for row in (*rows, *found["others"])
        ),
        "",
        "The signature is the physical limit: a CA can sign no faster than its key. Half of the systems have",
        "Ed25519 keys, half P-256; each certificate was built, signed, read back and held to the C2PA profile.",
        "The other deeds are those of a house as it is founded now: RSA-4096 over P-384, stampers under RSA-3072.",
        "A pool of processes, because signing holds the interpreter's lock. CPU time counts the pool's processes too.",
    ]
    return "\n".join(lines) + "\n"


def _in_words(kind: str, cores: int, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Say what one kind of CA did: alone and with all cores, by the clock and by CPU time."""
    _one, _alone, many, pooled = rows
    share, by_cpu = pooled["per_second"] / many["per_second"], pooled["per_cpu_second"]
    return [
        f"**{pooled['per_second']:,.0f} leaves/s on {cores} cores under a CA with {kind} (best round "
        f"{pooled['per_second_best']:,.0f}; asked: {ASKED:,}),",
        f"{share:.0%} of the {many['per_second']:,.0f} bare signatures/s the same cores made in the same run.**",
        f"By CPU time {by_cpu:,.0f} leaves and {many['per_cpu_second']:,.0f} bare signatures per core and second,",
        f"so {by_cpu * cores:,.0f} leaves/s where the {cores} cores have nothing else to do.",
        "",
    ]


def main() -> None:
    """Measure, print, and keep the results."""
    load, cores = ", ".join(f"{each:.1f}" for each in os.getloadavg()), os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        issuing = measure([deed for kind in KINDS for deed in issuing_deeds(kind, pool, cores)], SECONDS)
    found = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {cores} cores",
        "cores": cores,
        "python": platform.python_version(),
        "cryptography": cryptography.__version__,
        "load": load,
        "asked_leaves_per_second": ASKED,
        "issuing": issuing,
        "others": measure(other_deeds(), SECONDS / 4),
    }
    said = as_markdown(found)
    sys.stdout.write(said)
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    (results / "certificates.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (results / "certificates.md").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
