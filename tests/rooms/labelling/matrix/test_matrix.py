"""The page of what was read back says what was written down; and what can be read again quickly, is."""

import json
from pathlib import Path

import pytest
from tests.rooms.certificates.pki_house import family
from tests.rooms.certificates.test_pki_c2pa import KEYS, pem
from tests.rooms.labelling.formats.media import LABEL
from tests.rooms.labelling.matrix import page
from tests.rooms.labelling.matrix.readers import IMAGES, MEDIA, READERS, c2pa_state, essence, finds, versions
from tests.rooms.labelling.matrix.specimens import specimen

from safebelt.kernel.text import LANGS, Lang
from safebelt.rooms.labelling.formats.carrier import Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of
from safebelt.rooms.labelling.model import Mark
from safebelt.rooms.labelling.model.provenance import Claim
from safebelt.rooms.labelling.provenance.manifests import SIGNED_KINDS, Manifests, Signer

FIELDS = json.loads(LABEL)
PROGRAMS = (*MEDIA, Kind.HEIC)
"""What only a program decodes, which takes long to start: the tool that fills the data asks those."""


@pytest.fixture(autouse=True)
def no_home(monkeypatch, tmp_path) -> None:
    """The engine writes its preferences down at home."""
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture(scope="module")
def data() -> dict:
    return page.load()


@pytest.fixture(scope="module")
def signer() -> Signer:
    key = KEYS["ed25519"]
    leaf = family().issue(public_key=key.public_key(), level="al1")
    return Signer(algorithm="ed25519", chain=pem(leaf, family().issuing.certificate), sign=key.sign)


def labelled(kind: Kind, folder: Path) -> Path:
    """A specimen with a label; where the format has no place for one, as it is."""
    path, whole = folder / f"labelled.{kind.value}", specimen(kind)
    try:
        path.write_bytes(applied(whole, carrier_of(kind).write(whole, LABEL)))
    except Unwritable:
        path.write_bytes(whole)
    return path


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_says_what_was_written_down(data, lang: Lang) -> None:
    assert page.PAGES[lang].read_text("utf-8") == page.rendered(data, lang), f"run {page.TOOL}"


def test_a_page_that_says_more_would_be_noticed(data) -> None:
    changed = json.loads(json.dumps(data))
    changed["formats"]["gif"]["aigc"]["readers"]["Pillow"] = True

    assert page.rendered(changed, "en") != page.rendered(data, "en")


def test_every_format_and_every_mark_is_there_and_a_label_has_an_unrelated_reader(data) -> None:
    assert list(data["formats"]) == sorted(kind.value for kind in Kind)
    for name, row in data["formats"].items():
        assert set(row) == {mark.value for mark in Mark}
        assert any(row["aigc"]["readers"].values()), name
        for reader, found in row["aigc"]["readers"].items():
            assert found or (name, reader) in page.UNREAD, (name, reader)


def test_what_is_signed_an_unrelated_engine_trusts_and_nothing_decodes_otherwise(data) -> None:
    for name, row in data["formats"].items():
        signed = row["c2pa"]
        assert ("put" in signed) == (Kind(name) in SIGNED_KINDS)
        assert signed.get("readers", {}) in ({}, {"encypher-c2pa": "Trusted"}), name
        for cell in (row["aigc"], signed):
            assert cell.get("essence", {}).get("is_same", True), name


def test_the_libraries_are_those_that_were_asked(data) -> None:
    here = versions()

    asked = {name: found for name, found in data["tools"].items() if name in here and name not in PROGRAM_NAMES}
    assert asked == {name: here[name] for name in asked}, f"run {page.TOOL}"


PROGRAM_NAMES = ("exiftool", "ffmpeg", "heif-convert")


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.TXT])
def test_every_library_finds_again_what_the_page_says_it_found(data, kind: Kind, tmp_path: Path) -> None:
    said, path = data["formats"][kind.value]["aigc"]["readers"], labelled(kind, tmp_path)
    plain = tmp_path / f"plain.{kind.value}"
    plain.write_bytes(specimen(kind))

    for name, reader in READERS.items():
        if kind in reader.kinds and not reader.is_program:
            assert finds(reader, path, kind, FIELDS) == said[name], name
            assert not finds(reader, plain, kind, FIELDS)
    if kind not in PROGRAMS:
        assert essence(path, kind) == essence(plain, kind)


@pytest.mark.parametrize("kind", sorted(SIGNED_KINDS))
def test_the_engine_trusts_again_what_the_page_says_it_trusted(kind: Kind, signer, tmp_path: Path) -> None:
    path, signed = labelled(kind, tmp_path), tmp_path / f"signed.{kind.value}"
    claim = Claim(system=("Assistant", "1"), software=("Safebelt", "1"), aigc=FIELDS)

    signed.write_bytes(Manifests("").signed(path.read_bytes(), kind, claim, signer))

    assert c2pa_state(signed, kind, pem(family().root.certificate)) == "Trusted"
    if kind in IMAGES:
        assert essence(signed, kind) == essence(path, kind)
