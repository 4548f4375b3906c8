"""More than two hundred ways in which word of a revocation goes wrong: in none of them does a check say *ok* of it.

The picture is signed and whole each time; what fails is what the house hears from its own authority, its tables, its
files or its clock, or the certificate that signed.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library
from tests.rooms.certificates.pki_faults import boundaries, flipped, garbage
from tests.rooms.certificates.pki_house import family, strangers
from tests.rooms.certificates.test_pki_c2pa import POINT, signed

from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates import store
from safebelt.rooms.certificates.model import Filter, Role, Why
from safebelt.rooms.certificates.pki import crl, ocsp
from safebelt.rooms.labelling.model import Axis, Verdict
from safebelt.rooms.labelling.service import MarkFile, holding

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of a certificate a flipped bit has spoilt
OF_CERTIFICATE = (Axis.CHAIN, Axis.REVOCATION, Axis.IDENTITY, Axis.CERTIFICATE)
DAY = timedelta(days=1)


@pytest.fixture
def house(labelling, served, ledger, tmp_path: Path, monkeypatch) -> Callable[[], dict[Axis, Verdict]]:
    """Checks a picture that this house signed; nothing that was heard before is held."""
    monkeypatch.setattr(holding, "SECONDS", 0.0)
    plain, marked = tmp_path / "point.jpg", tmp_path / "marked.jpg"
    plain.write_bytes(POINT)
    labelling.mark(plain, marked, MarkFile(system_id=served.id), by=OWNER)
    ledger.advance()

    def check() -> dict[Axis, Verdict]:
        found = labelling.verify(marked, is_scanned=False)
        return {axis: one.verdict for axis, one in found.axes.items()}

    assert all(check()[axis] is Verdict.OK for axis in OF_CERTIFICATE)
    return check


def damaged(good: bytes) -> Iterator[tuple[str, bytes]]:
    """An answer or a list that is not what was sent."""
    yield from garbage()
    yield from ((f"bit {name}", data) for name, data in flipped(good, 48))
    places = boundaries(good)
    for place in places[1 :: max(1, len(places) // 24)]:
        yield f"cut at {place}", good[:place]
    yield "something after it", good + b"\0"
    yield "twice", good * 2
    yield "reversed", good[::-1]


def other_answers(certificates, serial: int) -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    """Answers that are whole, and prove nothing of this certificate now."""
    issuing = x509.load_der_x509_certificate(certificates.part(Role.ISSUING))
    responder, now = certificates._in_force(Role.RESPONDER), certificates._clock()
    good, live = ocsp.State(), timedelta(minutes=5)

    def answer(query: bytes, **change) -> bytes:
        words = {"on": now, "valid_for": live, "responder": responder, "issuing": issuing, "look": lambda _: good}
        words |= change
        return ocsp.answer(query, words.pop("responder"), words.pop("issuing"), words.pop("look"), **words)

    leaf = x509.load_der_x509_certificate(certificates.certificate(f"{serial:x}").der)
    again = ocsp.query(leaf, issuing, b"n" * 16)
    yield "of another nonce", lambda _: answer(again)
    yield "of no nonce", lambda _: answer(ocsp.query(leaf, issuing))
    yield "about the issuing authority", lambda _: answer(ocsp.query(issuing, issuing, b"n" * 16))
    yield "never issued", lambda query: answer(query, look=lambda _: None)
    for hours in (1, 24, 24 * 400):
        yield f"{hours} hours old", lambda query, hours=hours: answer(query, on=now - timedelta(hours=hours))
        yield f"{hours} hours ahead", lambda query, hours=hours: answer(query, on=now + timedelta(hours=hours))
    yield "of no duration", lambda query: answer(query, valid_for=timedelta(0))
    for name, stranger in (("another house", strangers()), ("a house of our names", family())):
        yield f"signed by the responder of {name}", lambda query, it=stranger: answer(query, responder=it.responder)
        yield f"signed by the authority of {name}", lambda query, it=stranger: answer(query, responder=it.issuing)
    for status in library.OCSPResponseStatus:
        if status is not library.OCSPResponseStatus.SUCCESSFUL:
            said = ocsp._unsigned(status)
            yield f"the responder says {status.name}", lambda _, said=said: said
    yield "the list instead of an answer", lambda _: certificates.root_list()


def other_lists(certificates) -> Iterator[tuple[str, bytes]]:
    """Lists of the root that are whole, and prove nothing about its authorities now."""
    now = certificates._clock()
    for name, house in (("another house", strangers()), ("a house of our names", family())):
        for title, who in (("root", house.root), ("authority", house.issuing)):
            yield (
                f"by the {title} of {name}",
                crl.make_crl(who, [], number=9 * 10**18, on=now, next_update=now + DAY),
            )
    yield "of the issuing authority, not of the root", certificates.revocation_list()
    yield "of the time-stamping authority", certificates.stamping_list()


def test_no_answer_that_was_damaged_replaced_or_replayed_is_taken_for_a_proof(house, certificates, monkeypatch) -> None:
    status, root_list = certificates.status, certificates.root_list
    serial = int(certificates.certificates(Filter()).items[0].serial, 16)
    leaf = x509.load_der_x509_certificate(certificates.certificate(f"{serial:x}").der)
    issuing = x509.load_der_x509_certificate(certificates.part(Role.ISSUING))
    sample, tried, taken = status(ocsp.query(leaf, issuing, b"n" * 16)), 0, list[str]()

    answers = [(name, lambda _, data=data: data) for name, data in damaged(sample)]
    answers += [
        (f"bit {place} of a fresh one", lambda query, place=place: _flipped(status(query), place))
        for place in range(0, len(sample), len(sample) // 40)
    ]
    for name, fault in (*answers, *other_answers(certificates, serial)):
        with monkeypatch.context() as at_once:
            at_once.setattr(certificates, "status", fault)
            tried += 1
            taken += [f"answer: {name}"] if house()[Axis.REVOCATION] is Verdict.OK else []
    for name, data in (*damaged(root_list()), *other_lists(certificates)):
        with monkeypatch.context() as at_once:
            at_once.setattr(certificates, "root_list", lambda data=data: data)
            tried += 1
            taken += [f"list: {name}"] if house()[Axis.REVOCATION] is Verdict.OK else []

    assert taken == []
    assert tried > 220
    assert house()[Axis.REVOCATION] is Verdict.OK  # none of it has spoilt what the house remembers


def _flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place % len(data)] ^= 1 << place % 8  # signatures are not all of one length
    return bytes(changed)


FAULTS_OF_HOUSE: dict[str, Callable[..., None]] = {}


def fault(made: Callable[..., None]) -> Callable[..., None]:
    FAULTS_OF_HOUSE[made.__name__.replace("_", " ")] = made
    return made


@fault
def the_table_of_certificates_is_gone(sql, certificates) -> None:
    with sql.begin() as tx:
        tx.execute(sa.text("pragma foreign_keys=off"))
        tx.execute(sa.text("alter table certificates_certificate rename to elsewhere"))


@fault
def the_row_of_the_certificate_is_gone(sql, certificates) -> None:
    with sql.begin() as tx:
        tx.execute(sa.delete(store.certificate))


@fault
def another_certificate_stands_under_its_number(sql, certificates) -> None:
    theirs = strangers().leaf
    with sql.begin() as tx:
        tx.execute(sa.update(store.certificate).values(der=theirs.public_bytes(Encoding.DER), fingerprint="0" * 64))


@fault
def the_authority_is_gone(sql, certificates) -> None:
    with sql.begin() as tx:
        tx.execute(sa.delete(store.part))


@fault
def the_roots_list_is_gone(sql, certificates) -> None:
    with sql.begin() as tx:
        tx.execute(sa.delete(store.root_list))


@fault
def the_database_is_no_database(sql, certificates) -> None:
    sql.close()
    path = Path(sql.engine.url.database)
    path.write_bytes(b"no database" * 1000)
    for beside in (path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        beside.unlink(missing_ok=True)


@fault
def the_database_is_gone(sql, certificates) -> None:
    sql.close()
    Path(sql.engine.url.database).unlink()


@fault
def the_responders_key_is_gone(sql, certificates) -> None:
    for key in certificates._folder.glob("responder-*.key"):
        key.unlink()


@fault
def the_responders_key_is_another(sql, certificates) -> None:
    keys = [*certificates._folder.glob("*.key")]
    stamper = next(one for one in keys if one.name.startswith("stamper-"))
    for key in certificates._folder.glob("responder-*.key"):
        key.write_bytes(stamper.read_bytes())


@fault
def the_memory_of_lists_is_rubbish(sql, certificates) -> None:
    certificates._memory.write_text("rubbish")


@fault
def others_may_write_to_the_memory_of_lists(sql, certificates) -> None:
    certificates._memory.chmod(0o666)


@fault
def the_clock_is_a_year_ahead(sql, certificates) -> None:
    now = certificates._clock
    certificates._clock = lambda: now() + 365 * DAY


@fault
def the_clock_is_two_days_slow(sql, certificates) -> None:
    now = certificates._clock
    certificates._clock = lambda: now() - 2 * DAY


def test_a_house_that_cannot_say_how_a_certificate_stands_says_so(house, sql, certificates, tmp_path) -> None:
    kept, clock = tmp_path / "kept", certificates._clock
    sql.close()
    shutil.copytree(tmp_path / "keys", kept / "keys")
    shutil.copy2(sql.engine.url.database, kept / "database")

    for name, spoil in FAULTS_OF_HOUSE.items():
        spoil(sql, certificates)
        found = house()
        assert found[Axis.REVOCATION] is not Verdict.OK, name
        assert found[Axis.SIGNATURE] is Verdict.OK, name  # that is mathematics, and holds all the same
        _restore(sql, certificates, kept, clock)
        assert house()[Axis.REVOCATION] is Verdict.OK, name


def _restore(sql, certificates, kept: Path, clock) -> None:
    sql.close()
    database = Path(sql.engine.url.database)
    for beside in ("-wal", "-shm"):
        database.with_name(database.name + beside).unlink(missing_ok=True)
    shutil.copy2(kept / "database", database)
    shutil.copytree(kept / "keys", certificates._folder.parent, dirs_exist_ok=True)
    certificates._clock = clock


def test_what_the_authority_has_taken_back_is_seen_by_the_very_next_check(
    labelling, served, ledger, certificates, tmp_path, monkeypatch
) -> None:
    """With what was said a moment ago held for as long as one likes: a revocation is not hidden by it."""
    monkeypatch.setattr(holding, "SECONDS", 3600.0)
    plain, marked = tmp_path / "point.jpg", tmp_path / "marked.jpg"
    plain.write_bytes(POINT)
    labelling.mark(plain, marked, MarkFile(system_id=served.id), by=OWNER)
    ledger.advance()
    serial = labelling.verify(marked).facts["serial"]

    def stands() -> Verdict:
        return labelling.verify(marked, is_scanned=False).axes[Axis.REVOCATION].verdict

    said = [stands(), stands()]
    certificates.suspend(serial, reason="looking into it", by=OWNER)
    said += [stands(), stands()]
    certificates.resume(serial, reason="nothing was found", by=OWNER)
    said += [stands(), stands()]
    certificates.revoke(serial, why=Why.KEY_COMPROMISE, reason="stolen", by=OWNER)
    said += [stands(), stands()]

    assert said == [Verdict.OK, Verdict.OK, Verdict.BAD, Verdict.BAD, Verdict.OK, Verdict.OK, Verdict.BAD, Verdict.BAD]


def test_nobody_vouches_for_who_signed_with_a_certificate_of_another_house(labelling, certificates, tmp_path) -> None:
    path = tmp_path / "theirs.jpg"
    path.write_bytes(signed("es256", "al1"))

    found = labelling.verify(path)

    assert found.axes[Axis.SIGNATURE].verdict is Verdict.OK
    assert all(found.axes[axis].verdict is not Verdict.OK for axis in OF_CERTIFICATE)
