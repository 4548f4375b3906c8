"""A key in a token signs whatever a key from a file signs, and nothing falls back where token, PIN or key are missing.

The token is SoftHSM's (`apt-get install softhsm2`, `pip install python-pkcs11`), or whatever `SAFEBELT_TEST_TOKEN` names:
module, label and PIN of a token in which keys may be made, with semicolons between them.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.certificates.house import csr
from tests.rooms.certificates.pki_house import CLAIMS, DAY, NOW, PLACES, curve, family, subject

from safebelt.engines.clock import real_chance
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, Problem, Refused, Unavailable
from safebelt.rooms.certificates.model import Axis, Found, Issue, Role, Why
from safebelt.rooms.certificates.pki import crl, hardware, hierarchy, keys, leaves, token_sessions, token_uri
from safebelt.rooms.certificates.pki.path import Purpose, RevocationSource, examine
from safebelt.rooms.certificates.pki.reading import read_certificate
from safebelt.rooms.certificates.service import pem_of
from safebelt.rooms.registry.model.lifecycle import Issuer

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
KINDS: tuple[keys.KeyType, ...] = ("p-384", "rsa-3072", "p-256")
GOOD = "pkcs11:token=house;object=issuing?module-path=/usr/lib/libtoken.so&pin-source=/etc/house/pin"


@dataclass(frozen=True, kw_only=True)
class Token:
    module: str
    label: str
    pin: str
    folder: Path

    def uri(self, **changes: str) -> str:
        words = {"token": self.label, "module": self.module, "pin": str(self.folder / "pin")} | changes
        return f"pkcs11:token={quote(words['token'])}?module-path={words['module']}&pin-source={words['pin']}"


@pytest.fixture(scope="module")
def token(tmp_path_factory) -> Token:
    """A real token; a folder of its own holds its PIN."""
    pytest.importorskip("pkcs11", reason="no python-pkcs11")
    folder = tmp_path_factory.mktemp("token")
    folder.chmod(0o700)
    module, label, pin = (os.environ.get("SAFEBELT_TEST_TOKEN") or f"{SOFTHSM};safebelt test;12345678").split(";")
    if not Path(module).exists():
        pytest.skip("no token: apt-get install softhsm2")
    if Path(module) == SOFTHSM:
        (folder / "softhsm.conf").write_text(f"directories.tokendir = {folder}\nobjectstore.backend = file\n")
        os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm.conf")  # read once, when the module is loaded
        words = ["--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", pin]
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
    (folder / "pin").write_text(f"{pin}\n")
    (folder / "pin").chmod(0o600)
    return Token(module=module, label=label, pin=pin, folder=folder)


@pytest.fixture(scope="module")
def made(token) -> dict[str, hardware.TokenKey]:
    """One key of each kind, made in the token."""
    make = hardware.maker(token.uri(), chance=real_chance, label="test")
    return {kind: make(kind) for kind in KINDS}


# --- in the token ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_made_in_a_token_is_found_again_by_its_name_and_signs(made, kind) -> None:
    again = hardware.load(made[kind].uri.as_text())

    signature = keys.sign(again, b"message")

    public = again.public_key()
    assert keys.public_bytes(public) == keys.public_bytes(made[kind].public_key())
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, b"message", ec.ECDSA(keys.hash_for(again)))
    else:
        public.verify(signature, b"message", padding.PKCS1v15(), keys.hash_for(again))


@pytest.mark.parametrize("kind", ["p-384", "rsa-3072"])
def test_an_authority_in_a_token_issues_and_lists_like_any_other(made, kind) -> None:
    issuing = hierarchy.make_issuing(family().root, subject("令牌机构"), on=NOW, places=PLACES, key=made[kind])
    leaf = leaves.issue(issuing, curve("leaf").public_key(), CLAIMS, subject=subject(), serial=5, on=NOW, places=PLACES)
    listed = crl.make_crl(issuing, [], number=1, on=NOW, next_update=NOW + DAY)

    examined = examine(
        leaf,
        [issuing.certificate],
        [family().root.certificate],
        on=NOW,
        purpose=Purpose.CLAIM_SIGNING,
        revocation=RevocationSource(crls=(listed, family().root_list)),
        max_age=DAY,
    )

    assert examined.is_ok


def test_the_file_of_such_a_key_holds_its_name_and_neither_key_nor_pin(token, made, tmp_path) -> None:
    path = tmp_path / "keys" / "issuing.key"

    keys.save_key(path, made["p-384"])

    assert path.read_text().startswith("pkcs11:token=") and token.pin not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    loaded = keys.load_key(path)
    assert isinstance(loaded, hardware.CurveKey) and loaded.uri == made["p-384"].uri
    path.chmod(0o644)
    with pytest.raises(Refused):
        keys.load_key(path)


def test_a_key_in_a_token_never_leaves_it(made) -> None:
    for key in made.values():
        with pytest.raises(Conflict, match="never leaves"):
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(Conflict, match="never leaves"):
            key.private_numbers()
    library = token_sessions.library(made["p-384"].uri)
    wanted = {library.Attribute.CLASS: library.ObjectClass.PRIVATE_KEY, library.Attribute.ID: made["p-384"].uri.key_id}

    (inside,) = token_sessions.ask(made["p-384"].uri, lambda session: list(session.get_objects(wanted)))

    assert inside[library.Attribute.SENSITIVE] and not inside[library.Attribute.EXTRACTABLE]


def test_a_pool_of_processes_is_refused_for_it_would_need_the_key(made) -> None:
    issuing = hierarchy.make_issuing(family().root, subject("令牌机构"), on=NOW, places=PLACES, key=made["p-384"])
    order = leaves.Order(public_key=curve("leaf").public_key(), claims=CLAIMS, subject=subject(), serial=1)

    with ThreadPoolExecutor(1) as pool, pytest.raises(Conflict, match="never leaves"):
        leaves.issue_many(issuing, [order], on=NOW, places=PLACES, executor=pool)


def test_other_algorithms_than_ours_are_not_signed_with(made) -> None:
    with pytest.raises(TypeError):
        made["p-384"].sign(b"m", ec.ECDSA(hashes.SHA1()))
    with pytest.raises(TypeError):
        made["rsa-3072"].sign(b"m", padding.PKCS1v15(), hashes.SHA1())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the package, about the lost one
def test_a_session_that_was_lost_is_opened_again(made) -> None:
    assert keys.sign(made["p-384"], b"before")
    for desk in token_sessions._desks.values():
        if desk._session is not None:
            desk._session.close()

    assert keys.sign(made["p-384"], b"after")


def test_several_threads_sign_at_once(made) -> None:
    with ThreadPoolExecutor(4) as pool:
        signed = list(pool.map(lambda n: keys.sign(made["p-256"], bytes([n])), range(20)))

    for number, signature in enumerate(signed):
        made["p-256"].public_key().verify(signature, bytes([number]), ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"token": "another token"}, "such a token is not there"),
        ({"module": "/nowhere/libtoken.so"}, "cannot be loaded"),
        ({"module": "/etc/passwd"}, "cannot be loaded"),
        ({"pin": "/nowhere/pin"}, "PIN's file"),
    ],
)
def test_what_is_missing_is_named(token, changes, why) -> None:
    with pytest.raises(Unavailable, match=why):
        hardware.load(token.uri(**changes))


def test_a_key_that_is_not_there_or_not_alone_of_its_name_is_not_used(token, made) -> None:
    with pytest.raises(Unavailable, match="holds 0 such"):
        hardware.load(made["p-384"].uri.of_key("nobody", b"").as_text())
    hardware.maker(token.uri(), chance=real_chance, label="test")("p-384")
    with pytest.raises(Unavailable, match="holds 2 such"):
        hardware.load(made["p-384"].uri.of_key("test-p-384", b"").as_text())
    assert hardware.load(made["p-384"].uri.as_text())


def test_a_pin_that_others_may_read_is_not_used(token, tmp_path) -> None:
    (tmp_path / "pin").write_text(token.pin)
    (tmp_path / "pin").chmod(0o644)

    with pytest.raises(Refused, match="open to other users"):
        hardware.load(token.uri(pin=str(tmp_path / "pin")))


def test_a_wrong_pin_is_refused_and_not_tried_again(token, made, tmp_path) -> None:
    """In a process of its own: a program logs in once for all of its sessions."""
    (tmp_path / "pin").write_text("00000000")
    (tmp_path / "pin").chmod(0o600)
    uri = made["p-384"].uri.as_text().replace(str(token.folder / "pin"), str(tmp_path / "pin"))
    told = (
        "import sys\n"
        "from safebelt.kernel.errors import Refused\n"
        "from safebelt.rooms.certificates.pki import hardware\n"
        "try:\n    hardware.load(sys.argv[1])\n"
        "except Refused as refused:\n    print(refused.what.en)\n"
    )

    done = subprocess.run([sys.executable, "-c", told, uri], check=True, capture_output=True, text=True)

    assert "does not accept the PIN" in done.stdout


def test_a_house_whose_authorities_are_in_a_token_works_like_any_other(token, bare, served, tmp_path) -> None:
    found = Found(organization="明理认证 Mingli", country="CN", issuer=Issuer.ASSOCIATION)
    bare.found(found, by=OWNER, token=token.uri())

    issued = bare.issue(Issue(system_id=served.id, request=csr()), by=OWNER)
    before = bare.check(pem_of(issued.der).encode())
    bare.revoke(issued.serial, Why.SUPERSEDED, reason="replaced", by=OWNER)

    assert all(reason.holds is Truth.TRUE for reason in before.axes.values())
    assert bare.check(pem_of(issued.der).encode()).axes[Axis.REVOCATION].holds is Truth.FALSE
    in_token = {
        path.name.partition("-")[0]
        for path in (tmp_path / "keys" / "certificates").glob("*.key")
        if path.read_bytes().startswith(b"pkcs11:")
    }
    assert in_token == {"issuing", "stamping"}
    assert read_certificate(bare.part(Role.ISSUING)).public_key().curve.name == "secp384r1"


# --- names of keys -----------------------------------------------------------------------------------------------


def test_a_name_is_read_as_it_was_meant() -> None:
    uri = token_uri.read(
        "pkcs11:token=My%20token;serial=12;object=a%3Bb;id=%00%FFz;type=private"
        "?pin-source=file:///etc/pin&module-path=/usr/lib/m.so"
    )

    assert (uri.token, uri.serial, uri.label, uri.key_id) == ("My token", "12", "a;b", b"\x00\xffz")
    assert (str(uri.module), str(uri.pin_source), uri.pin) == ("/usr/lib/m.so", "/etc/pin", None)
    assert token_uri.read(GOOD.replace("pin-source=/etc/house/pin", "pin-value=1%2634")).pin == "1&34"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begin with pkcs11:"),
        ("file:/etc/key", "begin with pkcs11:"),
        (GOOD + "x" * 2048, "begin with pkcs11:"),
        (GOOD.replace("token=house;", ""), "name the token"),
        (GOOD.replace("module-path=/usr", "module-path=usr"), "absolute module-path"),
        (GOOD.replace("module-path=/usr/lib/libtoken.so&", ""), "absolute module-path"),
        (GOOD.replace("object", "slot-id"), "'slot-id' is not known"),
        (GOOD + "&module-name=x", "'module-name' is not known"),
        (GOOD.replace("object=issuing", "object=issuing;object=b"), "twice"),
        (GOOD.replace("issuing", "iss%zz"), "malformed"),
        (GOOD.replace("issuing", "iss uing"), "malformed"),
        (GOOD.replace("issuing", ""), "malformed"),
        (GOOD.replace("issuing", "%FF"), "not UTF-8"),
        (GOOD.replace("issuing", "a%0Ab"), "invisible character"),
        (GOOD.replace("object=issuing", "type=public"), "must be private"),
        (GOOD.replace("pin-source=/etc/house/pin", "pin-source=|cat%20/etc/pin"), "malformed"),
        (GOOD.replace("pin-source=/etc/house/pin", "pin-source=https://pins/1"), "absolute path of a file"),
        (GOOD + "&pin-value=1", "not both"),
    ],
)
def test_a_name_that_is_none_or_asks_for_what_is_not_known_here_is_refused(text, why) -> None:
    with pytest.raises(Invalid, match=why):
        token_uri.read(text)


words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)


@given(token=words, label=words, key_id=st.binary(min_size=1, max_size=20), pin=words)
def test_a_name_that_was_written_is_read_back(token, label, key_id, pin) -> None:
    uri = token_uri.TokenUri(module=Path("/a b/ü.so"), token=token, label=label, key_id=key_id, pin=pin)

    assert token_uri.read(uri.as_text()) == uri


@given(text=st.text(max_size=60))
def test_no_name_at_all_breaks_the_reader(text) -> None:
    for each in (text, f"pkcs11:{text}", GOOD + text):
        try:
            token_uri.read(each)
        except Invalid as refused:
            assert refused.what.zh and refused.what.en


def test_a_pin_in_a_name_is_not_shown_by_accident() -> None:
    assert "hidden" not in repr(token_uri.read(GOOD.replace("pin-source=/etc/house/pin", "pin-value=hidden")))


def test_without_the_package_the_problem_says_so(monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    path = tmp_path / "issuing.key"
    path.write_text(GOOD)
    path.chmod(0o600)

    with pytest.raises(Unavailable, match="python-pkcs11 is not installed") as refused:
        keys.load_key(path)
    assert isinstance(refused.value, Problem) and "python-pkcs11" in refused.value.what.zh
