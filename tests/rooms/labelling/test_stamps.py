"""A time-stamp proves when a manifest was signed; one that does not hold proves nothing, and none proves nothing."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import encypher_c2pa
import pytest
from PIL import Image
from tests.rooms.certificates.pki_house import family
from tests.rooms.labelling.watermark.pictures import photograph

from safebelt.engines.clock import wall_clock
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Problem, Unavailable
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model import Role, Why
from safebelt.rooms.certificates.pki import crl, names, stamps
from safebelt.rooms.certificates.pki.reading import read_certificate
from safebelt.rooms.labelling.decide.answering import time_of
from safebelt.rooms.labelling.formats.carrier import Broken
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.model.provenance import Manifest
from safebelt.rooms.labelling.provenance.manifests import Manifests
from safebelt.rooms.labelling.service import MarkFile

MARKS = frozenset({Mark.AIGC, Mark.C2PA})
OK, BAD, ABSENT, UNKNOWN = Verdict.OK, Verdict.BAD, Verdict.ABSENT, Verdict.UNKNOWN
MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)
YES, OPEN, NO = (
    Reason(says=Text(zh="如此", en="so it is"), holds=one) for one in (Truth.TRUE, Truth.UNKNOWN, Truth.FALSE)
)
HELD = YES, YES
"""What is said of a stamper that may be believed: chain, revocation."""


def picture(kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(photograph("china.jpg")).resize((160, 120)).save(out, kind)
    return out.getvalue()


def stamped(labelling, system_id, path, content: bytes):
    path.write_bytes(content)
    wish = MarkFile(system_id=system_id, marks=MARKS, is_stamped=True, is_text_signed=True)
    return labelling.mark(path, path, wish, by=OWNER)


def verdict(labelling, path, axis=Axis.TIME) -> Verdict:
    return labelling.verify(path, is_scanned=False).axes[axis].verdict


def judged(path, roots: str, **when) -> dict:
    """What an engine that owes nothing to the one that signs says of a file."""
    return encypher_c2pa.verify(
        path, trust_pem=roots, tsa_trust_pem=roots, no_default_trust=True, telemetry=False, online=False, **when
    )


@pytest.mark.parametrize("name", ["a.jpg", pytest.param("a.txt", marks=pytest.mark.soak)])
def test_a_stamp_proves_the_time_and_an_unrelated_engine_says_so_too(labelling, served, tmp_path, name) -> None:
    path, roots = tmp_path / name, labelling.desk.roots()
    made = stamped(labelling, served.id, path, picture() if name == "a.jpg" else "天气很好。\n".encode())
    found = labelling.verify(path, is_scanned=False)

    assert made.put[Mark.C2PA] == "C2PA, with time-stamp"
    assert [found.axes[one].verdict for one in (Axis.TIME, Axis.C2PA, Axis.SIGNATURE, Axis.CHAIN)] == [OK] * 4
    assert {"timeStamp.validated", "timeStamp.trusted"} <= set(re.findall(r"timeStamp\.\w+", str(judged(path, roots))))


def test_by_its_stamp_a_signature_outlives_its_certificate_and_without_one_it_does_not(
    labelling, served, tmp_path
) -> None:
    path, plain, roots = tmp_path / "a.jpg", tmp_path / "b.jpg", labelling.desk.roots()
    stamped(labelling, served.id, path, picture())
    plain.write_bytes(picture())
    labelling.mark(plain, plain, MarkFile(system_id=served.id, marks=MARKS), by=OWNER)
    next_year = f"{wall_clock() + timedelta(days=300):%Y-%m-%dT%H:%M:%SZ}"  # a leaf counts for 90 days

    later = [judged(one, roots, validation_time=next_year)["validation_state"] for one in (path, plain)]

    assert later[0] == "Trusted" and later[1] != "Trusted"


def test_a_revoked_certificate_is_not_made_good_by_a_stamp(labelling, certificates, served, tmp_path) -> None:
    path = tmp_path / "a.jpg"
    stamped(labelling, served.id, path, picture())
    certificates.revoke(labelling.desk.hand(served.id).serial, Why.KEY_COMPROMISE, reason="stolen", by=OWNER)
    labelling.ask_anew()

    assert (verdict(labelling, path), verdict(labelling, path, Axis.REVOCATION)) == (OK, BAD)


def own(certificates, query: bytes, on: datetime) -> bytes:
    """What this house's stamper would say at another moment."""
    chain = stamps.StamperChain(stamper=certificates._in_force(Role.STAMPER), others=())
    return stamps.stamp(query, chain, serial=1, on=on, policy=names.STAMP_POLICY)


def by_a_part(certificates, query: bytes, role: Role, issuer: Role) -> bytes:
    """What another part of this house would stamp, whose certificate is not for time-stamps."""
    who = stamps.StamperChain(
        stamper=certificates._in_force(role), others=(read_certificate(certificates.part(issuer)),)
    )
    return stamps.stamp(query, who, serial=1, on=wall_clock(), policy=names.STAMP_POLICY)


FAULTS = {
    "of other data": lambda ours, _: ours.stamp(stamps.make_query(sha256(b"other").digest())),
    "by a stranger": lambda _, query: stamps.stamp(
        query, family().stamper_chain, serial=1, on=wall_clock(), policy=names.STAMP_POLICY
    ),
    "by one that is not for time-stamps": lambda ours, query: by_a_part(ours, query, Role.RESPONDER, Role.ISSUING),
    "when the stamper's own time was over": lambda ours, query: own(ours, query, wall_clock() + timedelta(days=2200)),
    "garbage": lambda *_: b"\x30\x03\x02\x01\x00" * 40,
    "empty": lambda *_: b"",
    "refused": lambda ours, _: ours.stamp(b"no query"),
    "after the certificate's end": lambda ours, query: own(ours, query, wall_clock() + timedelta(days=200)),
    "before its beginning": lambda ours, query: own(ours, query, wall_clock() - timedelta(days=200)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_good_stamp_is_not_put_or_proves_nothing(
    labelling, certificates, served, tmp_path, monkeypatch, fault
) -> None:
    path = tmp_path / "a.png"
    stamp = certificates.stamp
    monkeypatch.setattr(certificates, "stamp", lambda query: FAULTS[fault](_Ours(certificates, stamp), query))
    try:
        stamped(labelling, served.id, path, picture("PNG"))
    except Problem:
        return
    found = Manifests(labelling.desk.roots()).read(path, Kind.PNG)
    certificate = certificates.certificate(labelling.desk.hand(served.id).serial)
    assert found is not None
    lasts, at = (
        (certificate.not_before, certificate.not_after),
        datetime.fromisoformat(found.signed_at or "2000-01-01T00Z"),
    )
    by = certificates.check_stamper(found.stamper, at=at)
    assert time_of(found, is_valid=None, lasts=lasts, stamper=by).verdict is not OK


class _Ours:
    """The house's stamper as it was before a test put another in its place."""

    def __init__(self, certificates, stamp) -> None:
        self._certificates, self.stamp = certificates, stamp

    def __getattr__(self, name: str) -> object:
        return getattr(self._certificates, name)


def test_no_stamp_that_was_changed_proves_another_time(labelling, served, tmp_path) -> None:
    path = tmp_path / "a.jpg"
    stamped(labelling, served.id, path, picture())
    data = path.read_bytes()
    reader, start = Manifests(labelling.desk.roots()), data.index(b"sigTst2")
    whole = reader.read_from(io.BytesIO(data), Kind.JPEG)
    assert whole is not None and time_of(whole, is_valid=None, lasts=None, stamper=HELD).verdict is OK
    held = 0
    for at in range(start, start + 3000, 23):
        changed = bytearray(data)
        changed[at] ^= 0x41
        try:
            found = reader.read_from(io.BytesIO(changed), Kind.JPEG)
        except Broken:
            continue
        if found is not None and time_of(found, is_valid=None, lasts=None, stamper=HELD).verdict is OK:
            assert found.signed_at == whole.signed_at
            held += 1
    assert held < 30  # what nobody signed: names of certificates beyond the chain, and the like


GOOD = Manifest(
    success=frozenset({"timeStamp.validated", "timeStamp.trusted", "claimSignature.validated"}),
    failure=frozenset(),
    serial="1",
    subject="",
    issuer="",
    trusted_by="home",
    signed_at=MOMENT.isoformat(),
)
OVER = Reason(says=Text(zh="已到期", en="over"), holds=Truth.FALSE)
LASTS = MOMENT - timedelta(days=1), MOMENT + timedelta(days=1)


@pytest.mark.parametrize(
    ("manifest", "lasts", "expected"),
    [
        (GOOD, LASTS, OK),
        (GOOD, (LASTS[0], MOMENT - timedelta(seconds=1)), BAD),
        (GOOD, (MOMENT + timedelta(seconds=1), LASTS[1]), BAD),
        (replace(GOOD, success=GOOD.success - {"timeStamp.trusted"}), LASTS, UNKNOWN),
        (replace(GOOD, success=GOOD.success - {"timeStamp.validated"}), LASTS, UNKNOWN),
        (replace(GOOD, failure=frozenset({"timeStamp.mismatch"})), LASTS, BAD),
        (replace(GOOD, signed_at="yesterday"), LASTS, UNKNOWN),
        (replace(GOOD, signed_at="2026-11-22T12:00:00"), LASTS, UNKNOWN),
        (replace(GOOD, signed_at=""), LASTS, UNKNOWN),
        (replace(GOOD, failure=frozenset({"claimSignature.outsideValidity"})), None, BAD),
    ],
)
def test_a_certificate_that_is_over_was_in_its_time_only_by_a_good_stamp_within_it(manifest, lasts, expected) -> None:
    assert time_of(manifest, is_valid=OVER, lasts=lasts, stamper=HELD).verdict is expected


def test_where_the_stamper_does_not_answer_nothing_is_left_behind_and_it_says_why(
    labelling, certificates, served, tmp_path, monkeypatch
) -> None:
    said = Text(zh="无此密钥", en="no such key")

    def silent(_query: bytes) -> bytes:
        raise Unavailable(what=said, hint=said)

    monkeypatch.setattr(certificates, "stamp", silent)
    source, out = tmp_path / "a.jpg", tmp_path / "b.jpg"
    source.write_bytes(picture())
    with pytest.raises(Problem) as problem:
        labelling.mark(source, out, MarkFile(system_id=served.id, marks=MARKS, is_stamped=True), by=OWNER)
    assert "no such key" in problem.value.in_("en") and not out.exists()


@pytest.mark.parametrize(
    ("stamper", "expected"),
    [
        ((YES, YES), OK),
        ((), UNKNOWN),
        ((OPEN,), UNKNOWN),
        ((YES, OPEN), UNKNOWN),
        ((NO, YES), BAD),
        ((NO, OPEN), BAD),
        ((YES, NO), BAD),
    ],
)
def test_a_stamp_proves_as_much_as_its_maker_may_be_believed(stamper, expected) -> None:
    found = time_of(GOOD, is_valid=OVER, lasts=LASTS, stamper=stamper)

    assert found.verdict is expected
    assert set(stamper) <= set(found.reason.because)


def serial_of(certificates) -> str:
    return f"{read_certificate(certificates.part(Role.STAMPER)).serial_number:x}"


def test_a_stamper_is_known_by_its_number_and_held_to_its_time(certificates) -> None:
    serial, now = serial_of(certificates), wall_clock()
    responder = f"{read_certificate(certificates.part(Role.RESPONDER)).serial_number:x}"

    good = certificates.check_stamper(serial, at=now)
    late, early = (certificates.check_stamper(serial, at=now + timedelta(days=one)) for one in (2200, -30))
    others = [certificates.check_stamper(one, at=now) for one in ("abc123", "")]
    not_for_it = certificates.check_stamper(responder, at=now)

    assert [one.holds for one in good] == [Truth.TRUE] * 2
    assert late[0].holds is Truth.FALSE and early[0].holds is Truth.FALSE
    assert [[one.holds for one in each] for each in others] == [[Truth.UNKNOWN]] * 2
    assert not_for_it[0].holds is Truth.FALSE  # which the C2PA engine does not ask: it takes its stamp for trusted


def test_a_stamp_by_a_certificate_that_is_not_for_stamps_is_bad_though_the_engine_trusts_it(
    labelling, certificates, served, tmp_path, monkeypatch
) -> None:
    path = tmp_path / "a.jpg"
    monkeypatch.setattr(
        certificates, "stamp", lambda query: by_a_part(certificates, query, Role.RESPONDER, Role.ISSUING)
    )
    stamped(labelling, served.id, path, picture())
    engine = Manifests(labelling.desk.roots()).read(path, Kind.JPEG)

    assert engine is not None and {"timeStamp.validated", "timeStamp.trusted"} <= engine.success
    assert verdict(labelling, path) is BAD


def test_a_revoked_stamper_proves_no_time(labelling, certificates, served, tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.jpg"
    stamped(labelling, served.id, path, picture())
    before, now = labelling.verify(path, is_scanned=False).axes[Axis.TIME], wall_clock()
    gone = crl.Revoked(serial=int(serial_of(certificates), 16), at=now, reason=names.Ground.KEY_COMPROMISE)
    signer = certificates._in_force(Role.STAMPING)
    listed = crl.make_crl(signer, [gone], number=2**60, on=now, next_update=now + timedelta(days=1))
    monkeypatch.setattr(certificates, "stamping_list", lambda: listed)
    labelling.ask_anew()

    after = labelling.verify(path, is_scanned=False).axes[Axis.TIME]

    assert before.verdict is OK and "not revoked" in before.reason.says.en
    assert after.verdict is BAD and "not to be believed" in after.reason.says.en


def test_where_no_list_can_be_had_whether_the_stamper_is_revoked_is_open(
    labelling, certificates, served, tmp_path
) -> None:
    path = tmp_path / "a.jpg"
    stamped(labelling, served.id, path, picture())
    certificates._key_path(Role.STAMPING, certificates.part(Role.STAMPING)).unlink()

    found = labelling.verify(path, is_scanned=False).axes[Axis.TIME]

    assert found.verdict is UNKNOWN and "Nothing proves that it is not revoked" in found.reason.says.en


# ------------------------------------------------------------------------------------------------ on its way


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_content_on_its_way_is_stamped_where_that_is_wished_for(labelling, served, tmp_path, kind) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    labelling.desk.hand(served.id)
    made = labelling.mark_bytes(picture(kind), "rec_1", served.id, is_stamped=True)
    path.write_bytes(made.data)
    plain = labelling.mark_bytes(picture(kind), "rec_2", served.id)

    assert made.put == {"aigc", "c2pa", "time_stamp"} and not made.left_out
    assert verdict(labelling, path) is OK
    assert plain.put == {"aigc", "c2pa"} and not plain.left_out


@pytest.mark.parametrize("fault", FAULTS)
def test_a_stamp_that_cannot_be_had_keeps_no_content_back_and_it_is_said(
    labelling, certificates, served, tmp_path, monkeypatch, fault
) -> None:
    path, stamp, asked = tmp_path / "a.jpg", certificates.stamp, list[bytes]()

    def bad(query: bytes) -> bytes:
        asked.append(query)
        return FAULTS[fault](_Ours(certificates, stamp), query)

    monkeypatch.setattr(certificates, "stamp", bad)
    labelling.desk.hand(served.id)
    made, again = (labelling.mark_bytes(picture(), one, served.id, is_stamped=True) for one in ("rec_1", "rec_2"))
    path.write_bytes(made.data)

    assert made.put in ({"aigc", "c2pa"}, {"aigc", "c2pa", "time_stamp"})
    if "time_stamp" in made.put:  # the stamp is of this signature; who made it, or when, is a check's to judge
        assert verdict(labelling, path) is not OK
    else:
        assert set(made.left_out) == set(again.left_out) == {"time_stamp"} and len(asked) == 1
        assert verdict(labelling, path) is ABSENT
    assert verdict(labelling, path, Axis.SIGNATURE) is OK


def test_what_nobody_signs_is_not_stamped(labelling, certificates, tmp_path) -> None:
    made = labelling.mark_bytes(picture(), "rec_1", "sys_none", is_stamped=True)

    assert made.put == {"aigc"} and not made.left_out
