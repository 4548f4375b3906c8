"""A text that was signed is believed by two engines while no character of it changes, and by neither after that."""

import hashlib
import io
import unicodedata

import encypher_c2pa
import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.certificates.pki_house import family, strangers
from tests.rooms.certificates.test_pki_c2pa import KEYS, pem

from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates.model import Why
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, Kind
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.model.provenance import Claim, Manifest
from safebelt.rooms.labelling.provenance import text_manifests, text_wrappers
from safebelt.rooms.labelling.provenance.manifests import Manifests, Signer, _definition
from safebelt.rooms.labelling.service import MarkFile

TEXTS = {
    Kind.TXT: "天气很好。\r\nThe weather is fine ❤️.\n",
    Kind.MARKDOWN: "---\nAIGC:\n  Label: '1'\n---\n# 天气\n\nThe weather is *fine*.",
    Kind.HTML: "<!doctype html><html><head><meta charset=utf-8><title>天气</title></head><body>fine</body></html>",
}
HOLDING = (
    *(Axis.EXPLICIT, Axis.C2PA, Axis.SIGNATURE, Axis.CHAIN, Axis.REVOCATION, Axis.IDENTITY, Axis.CERTIFICATE),
    Axis.LEDGER,
)
CLAIM = Claim(system=("问答助手", "1.0"), software=("Safebelt", "1"), aigc={"Label": "1"})


@pytest.fixture(autouse=True)
def no_home(monkeypatch, tmp_path) -> None:
    """The second engine writes its preferences down at home."""
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture(scope="module")
def signer() -> Signer:
    key = KEYS["ed25519"]
    leaf = family().issue(public_key=key.public_key(), level="al1")
    return Signer(algorithm="ed25519", chain=pem(leaf, family().issuing.certificate), sign=key.sign)


@pytest.fixture(scope="module")
def signed(signer: Signer) -> dict[Kind, bytes]:
    return {kind: sign(text.encode(), kind, signer) for kind, text in TEXTS.items()}


def second_engine(text: bytes, media_type: str, root: x509.Certificate) -> dict:
    return encypher_c2pa.verify(
        text, media_type, trust_pem=pem(root), no_default_trust=True, telemetry=False, online=False
    )


def sign(text: bytes, kind: Kind, signer: Signer) -> bytes:
    out = io.BytesIO()
    Manifests("").sign(text, out, kind, CLAIM, signer)
    return out.getvalue()


def read(text: bytes, kind: Kind) -> Manifest | None:
    return Manifests(pem(family().root.certificate)).read_from(io.BytesIO(text), kind)


@pytest.mark.parametrize("kind", TEXTS)
def test_both_engines_trust_it_given_our_root_and_only_then(signed, kind) -> None:
    found = read(signed[kind], kind)
    theirs = second_engine(signed[kind], MEDIA_TYPES[kind], family().root.certificate)
    stranger = second_engine(signed[kind], MEDIA_TYPES[kind], strangers().root.certificate)

    assert found is not None and found.is_bound and found.is_signed and found.trusted_by == "home"
    assert not found.failure and found.aigc == {"Label": "1"}
    assert theirs["validation_state"] == "Trusted" and theirs["validation_results"]["failure"] == []
    assert [one["code"] for one in stranger["validation_results"]["failure"]] == ["signingCredential.untrusted"]


@pytest.mark.parametrize("kind", TEXTS)
def test_what_people_read_stays_as_it_was(signed, kind) -> None:
    text, made = TEXTS[kind].encode(), signed[kind]
    wrapper = text_manifests.store_in(made, kind)

    assert wrapper is not None
    left = made[: wrapper.start] + made[wrapper.start + wrapper.length :]
    assert left.rstrip() == text.rstrip()  # Markdown's last line gets its end, and a line of its own for the block
    if kind is Kind.TXT:
        assert left == text and not any(
            unicodedata.category(one) == "Lo" for one in made.decode()[len(text.decode()) :]
        )


@pytest.mark.parametrize("kind", TEXTS)
def test_any_changed_letter_is_seen_by_both(signed, kind) -> None:
    for old, new in (("fine", "Fine"), ("天气", "天機"), ("fine", "fine fine")):
        changed = signed[kind].replace(old.encode(), new.encode(), 1)

        found = read(changed, kind)
        theirs = second_engine(changed, MEDIA_TYPES[kind], family().root.certificate)

        assert found is not None and found.is_signed and not found.is_bound
        assert theirs["validation_state"] == "Invalid"


@pytest.mark.parametrize("kind", TEXTS)
def test_a_manifest_does_not_hold_for_another_text(signed, kind) -> None:
    wrapper = text_manifests.store_in(signed[kind], kind)
    assert wrapper is not None
    end = wrapper.start + wrapper.length
    other = [part.replace(b"fine", b"foul") for part in (signed[kind][: wrapper.start], signed[kind][end:])]

    found = read(other[0] + signed[kind][wrapper.start : end] + other[1], kind)

    assert found is not None and not found.is_bound


def test_normal_forms_of_one_text_are_one_text(signer) -> None:
    made = sign("théâtre".encode(), Kind.TXT, signer).decode()

    found = read(unicodedata.normalize("NFD", made).encode(), Kind.TXT)

    assert found is not None and found.is_bound


@pytest.mark.parametrize("kind", TEXTS)
def test_a_signer_who_leaves_out_more_than_the_manifest_binds_nothing(kind, signer) -> None:
    """A valid signature with an exclusion that covers the text too: the text could then be anything."""
    carriage = text_manifests._CARRIAGES[kind]
    before, after = carriage.around(TEXTS[kind].encode())
    kept = before[:-20]

    def made(length: int) -> bytes:
        binding = {
            "exclusions": [{"start": len(kept), "length": length + 20}],
            "name": "text", "alg": "sha256", "hash": list(hashlib.sha256(kept + after).digest()), "pad": [],
        }  # fmt: skip
        definition = _definition(CLAIM)
        assertions = [*definition["assertions"], {"label": "c2pa.hash.data", "data": binding}]
        engine = Manifests("")
        return engine._made(io.BytesIO(), io.BytesIO(), kind, definition | {"assertions": assertions}, signer)

    store = made(carriage.size(text_manifests._padded(made(1 << 14), 0)))
    if kind is Kind.TXT:  # of any length: the whole is refused for its place alone
        store = text_manifests._padded(store, 0)
    found = read(before + carriage.wrapped(store) + after, kind)

    assert found is not None and found.is_signed and not found.is_bound


@pytest.mark.parametrize("kind", TEXTS)
def test_two_manifests_are_none(signed, kind) -> None:
    wrapper = text_manifests.store_in(signed[kind], kind)
    assert wrapper is not None
    end = wrapper.start + wrapper.length
    with pytest.raises(Broken, match="more than one"):
        read(signed[kind][:end] + signed[kind][wrapper.start : end] + signed[kind][end:], kind)


def test_a_text_that_cannot_be_signed_as_it_is_says_why(signed, signer) -> None:
    with pytest.raises(Unwritable, match="normal form"):
        sign(unicodedata.normalize("NFD", "é").encode(), Kind.TXT, signer)
    with pytest.raises(Unwritable, match="UTF-8"):
        sign("天气".encode("gbk"), Kind.TXT, signer)
    with pytest.raises(Unwritable, match="already"):
        sign(signed[Kind.TXT], Kind.TXT, signer)
    with pytest.raises(Unwritable, match="head"):
        sign(b"just words", Kind.HTML, signer)


def test_a_page_that_explains_the_block_carries_none() -> None:
    page = "The block is `-----BEGIN C2PA MANIFEST----- data:... -----END C2PA MANIFEST-----`.\n"

    assert read(page.encode(), Kind.MARKDOWN) is None
    assert (
        read(b"-----BEGIN C2PA MANIFEST----- https://a.example/m.c2pa -----END C2PA MANIFEST-----\n", Kind.MARKDOWN)
        is None
    )


@given(st.binary(max_size=400))
def test_a_wrapper_gives_back_what_was_put_into_it_and_its_size_is_foretold(store: bytes) -> None:
    made = text_wrappers.wrapped(store)

    assert len(made) == text_wrappers.wrapped_size(store)
    assert [one.store for one in text_wrappers.found("前".encode() + made + b"after")] == [store]


@settings(max_examples=60)
@given(st.integers(min_value=0), st.binary(min_size=1, max_size=4), st.sampled_from(list(TEXTS)))
def test_whatever_is_done_to_a_text_it_is_not_believed_and_breaks_nothing(cached, at, new, kind) -> None:
    whole = cached[kind]
    at %= len(whole)
    changed = whole[:at] + new + whole[at + len(new) :]

    try:
        found = read(changed, kind)
    except Broken:
        return
    assert (
        found is None
        or changed == whole
        or not (found.is_bound and found.is_signed)
        or _is_padding(whole, changed, kind)
    )


def _is_padding(whole: bytes, changed: bytes, kind: Kind) -> bool:
    """Whether what differs is in what no signature covers: the manifest's own padding and form."""
    one, other = (text_manifests.store_in(text, kind) for text in (whole, changed))
    assert one is not None and other is not None
    left = [text[: at.start] + text[at.start + at.length :] for text, at in ((whole, one), (changed, other))]
    return left[0] == left[1]


@pytest.fixture(scope="module")
def cached(signed) -> dict[Kind, bytes]:
    return signed


def test_a_text_is_signed_when_that_is_asked_for_and_every_axis_holds(
    labelling, served, ledger, certificates, tmp_path
) -> None:
    outs = [tmp_path / f"out.{kind}" for kind in TEXTS]
    for out, text in zip(outs, TEXTS.values(), strict=True):
        out.write_text(text, "utf-8", newline="")
        made = labelling.mark(out, out, MarkFile(system_id=served.id, is_text_signed=True), by=OWNER)
        assert Mark.C2PA in made.put
    ledger.advance()

    for out in outs:
        found = labelling.verify(out)
        for axis in HOLDING:
            assert found.axes[axis].verdict is Verdict.OK, (out, axis, found.axes[axis].reason.as_text("en"))
        out.write_bytes(out.read_bytes().replace(b"fine", b"foul", 1))
        assert labelling.verify(out).axes[Axis.C2PA].verdict is Verdict.BAD

    certificates.revoke(found.facts["serial"], why=Why.KEY_COMPROMISE, reason="stolen", by=OWNER)
    assert labelling.verify(outs[0]).axes[Axis.REVOCATION].verdict is Verdict.BAD


def test_a_text_is_not_made_longer_unasked(labelling, served, tmp_path) -> None:
    source = tmp_path / "in.txt"
    source.write_text(TEXTS[Kind.TXT], "utf-8")

    made = labelling.mark(source, tmp_path / "out.txt", MarkFile(system_id=served.id), by=OWNER)

    assert "KB" in made.left_out[Mark.C2PA].en and Mark.C2PA not in made.put
    assert (tmp_path / "out.txt").stat().st_size < source.stat().st_size + 100
