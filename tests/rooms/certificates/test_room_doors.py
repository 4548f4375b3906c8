"""The doors of the certificates: pages in both languages, JSON, X.509 as other people's software asks, the shell."""

import base64
import json
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from litestar.testing import TestClient
from tests.rooms.certificates.house import csr

from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates.cli import checking, commands
from safebelt.rooms.certificates.model import Issue, Role
from safebelt.rooms.certificates.pki import ocsp as ours
from safebelt.rooms.certificates.service import pem_of
from safebelt.rooms.registry.model.publication import Publish

CLEAR = Publish(
    reason="open to all", contact="help@example.org", cleared="ordinary", not_for_zh="无", not_for_en="Nothing"
)
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What the two databases could do differently is tested beneath the doors."""


def run(certificates, *args: str):
    command, bound, _ = commands(certificates).parse_args(list(args), print_error=False, exit_on_error=False)
    return command(*bound.args, **bound.kwargs)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_list_show_take_back_and_check(client: TestClient, issued, lang) -> None:
    listed = client.get(f"/{lang}/certificates")
    one = client.get(f"/{lang}/certificates/{issued.serial}")

    assert issued.serial[:16] in listed.text and "明理认证" in listed.text
    assert issued.fingerprint in one.text and ("不表示任何批准" if lang == "zh" else "not an approval") in one.text

    refused = client.post(f"/{lang}/certificates/{issued.serial}/suspend", data={"reason": " "})
    assert refused.status_code == 422 and ("理由" if lang == "zh" else "reason") in refused.text.lower()
    done = client.post(f"/{lang}/certificates/{issued.serial}/suspend", data={"reason": "投诉 complaint"})
    assert "投诉 complaint" in done.text

    checked = client.post(f"/{lang}/certificates/check", data={"certificate": pem_of(issued.der)}, files={"file": b""})
    words = ("签名链", "吊销状态", "不成立") if lang == "zh" else ("Chain", "Revocation", "does not hold")
    assert all(word in checked.text for word in words)

    client.post(f"/{lang}/certificates/{issued.serial}/revoke", data={"reason": "x", "why": "key-compromise"})
    gone = client.get(f"/{lang}/certificates/{issued.serial}")
    assert ("密钥泄露" if lang == "zh" else "no longer secret") in gone.text and "/revoke" not in gone.text


def test_the_list_shows_what_should_have_been_renewed_until_it_is(
    client: TestClient, certificates, served, clock
) -> None:
    made = certificates.issue(Issue(system_id=served.id, request=csr()), by=OWNER)
    assert "to be renewed" not in client.get("/en/certificates").text

    clock.move(days=61)
    assert client.get("/en/certificates").text.count("to be renewed") == 1
    assert "应换发" in client.get("/zh/certificates").text

    certificates.issue(Issue(system_id=served.id, request=csr()), by=OWNER)
    assert "to be renewed" not in client.get("/en/certificates").text  # it has a successor
    assert made.serial in client.get("/en/certificates").text


def test_a_check_links_to_the_public_register_only_where_the_system_is_in_it(
    client: TestClient, certificates, issued, registry
) -> None:
    asked = {"certificate": pem_of(issued.der)}
    hidden = client.post("/en/certificates/check", data=asked, files={"file": b""})
    assert issued.system_id in hidden.text and f"/en/register/{issued.system_id}" not in hidden.text
    assert client.post("/api/certificates/check", json=asked).json()["is_public"] is False

    registry.publish(issued.system_id, CLEAR, by=OWNER)

    shown = client.post("/en/certificates/check", data=asked, files={"file": b""})
    assert f'href="/en/register/{issued.system_id}"' in shown.text and "by an association" in shown.text
    said = client.post("/api/certificates/check", json=asked).json()
    assert (said["is_public"], said["issuer"], said["provisional"]) == (True, "association", True)


def test_a_strangers_page_may_read_why_a_service_proves_nothing(client: TestClient, certificates) -> None:
    for query in ({"nonce": "a" * 22}, {"nonce": "short"}, {}):
        refused = client.get("/.well-known/safebelt/identity", params=query)
        assert refused.status_code in (400, 404, 422) and refused.headers["access-control-allow-origin"] == "*"
        assert refused.json()["en"]["detail"] and refused.headers["cache-control"] == "no-store"


def test_a_form_comes_back_with_what_was_typed_and_what_is_wrong(client: TestClient, served) -> None:
    typed = {"system_id": served.id, "days": "ninety", "request": "rubbish"}
    refused = client.post("/en/certificates/issue", data=typed, files={"file": b""})
    assert refused.status_code == 422 and "rubbish" in refused.text

    made = client.post("/en/certificates/issue", data={**typed, "days": "30"}, files={"file": csr()})
    assert made.status_code == 200 and "is issued" in made.text


@pytest.mark.parametrize(
    "rubbish", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_rubbish_is_met_with_an_error_that_says_what_to_do(client: TestClient, rubbish) -> None:
    page = client.post("/zh/certificates/check", data={"certificate": rubbish}, files={"file": b""})
    api = client.post("/api/certificates/check", json={"certificate": rubbish})

    assert (page.status_code, api.status_code) == (422, 422)
    assert "PEM" in page.text and "PEM" in api.text


def test_programs_issue_read_take_back_and_check(client: TestClient, served) -> None:
    made = client.post("/api/certificates", json={"system_id": served.id, "request": csr().decode(), "days": 7}).json()
    path = f"/api/certificates/{made['serial']}"

    assert client.get("/api/certificates", params={"system": served.id}).json()["total"] == 1
    checked = client.post("/api/certificates/check", json={"certificate": made["pem"]}).json()
    assert {axis: found["verdict"] for axis, found in checked["axes"].items()} == dict.fromkeys(
        ("chain", "validity", "purpose", "revocation", "registration", "log"), "ok"
    )
    assert client.post(f"{path}/suspend", json={"reason": "why not"}).json()["standing"] == "suspended"
    assert client.post(f"{path}/resume", json={"reason": "because"}).json()["standing"] == "good"
    assert client.post(f"{path}/revoke", json={"reason": "x", "why": "superseded"}).json()["why"] == "superseded"
    assert client.post(f"{path}/suspend", json={"reason": "x"}).status_code == 409
    assert client.get("/api/certificates/12ab").status_code == 404


def test_other_peoples_software_reads_lists_answers_and_certificates(
    client: TestClient, certificates, issued, tmp_path: Path
) -> None:
    leaf, issuing = (
        x509.load_der_x509_certificate(issued.der),
        x509.load_der_x509_certificate(certificates.part(Role.ISSUING)),
    )
    query = ours.query(leaf, issuing, b"n" * 16)

    posted = client.post("/pki/ocsp/", content=query, headers={"content-type": "application/ocsp-request"})
    got = client.get(f"/pki/ocsp/{quote(base64.b64encode(ours.query(leaf, issuing)).decode(), safe='')}")
    wrong = client.post("/pki/ocsp", content=b"rubbish")

    assert posted.headers["content-type"] == "application/ocsp-response"
    assert [ocsp.load_der_ocsp_response(one.content).certificate_status for one in (posted, got)] == [
        ocsp.OCSPCertStatus.GOOD
    ] * 2
    assert ocsp.load_der_ocsp_response(wrong.content).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    assert client.post("/pki/ocsp", content=b"x" * 100_000).status_code == 413
    for name in ("root", "issuing", "stamping"):
        (tmp_path / f"{name}.cer").write_bytes(client.get(f"/pki/{name}.cer").content)
        x509.load_der_x509_crl(client.get(f"/pki/{name}.crl").content)
    assert client.get("/pki/responder.cer").status_code == 404

    (tmp_path / "leaf.pem").write_text(pem_of(issued.der))
    for name in ("root", "issuing"):
        subprocess.run(
            ["openssl", "x509", "-inform", "der", "-in", f"{name}.cer", "-out", f"{name}.pem"], cwd=tmp_path, check=True
        )
    verify = [
        "openssl",
        "verify",
        "-attime",
        "1795262400",
        "-CAfile",
        "root.pem",
        "-untrusted",
        "issuing.pem",
        "leaf.pem",
    ]
    assert "leaf.pem: OK" in subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True, check=True).stdout


def test_a_time_stamp_is_given_over_http(client: TestClient) -> None:
    from hashlib import sha256

    from safebelt.rooms.certificates.pki import stamps

    reply = client.post("/pki/tsa", content=stamps.make_query(sha256(b"a file").digest(), nonce=7))

    assert reply.headers["content-type"] == "application/timestamp-reply" and len(reply.content) > 1000


def test_the_house_says_where_everything_is_and_who_a_service_is(client: TestClient, certificates, served) -> None:
    house = client.get("/.well-known/safebelt")
    assert house.json()["authority"]["crl"] == "http://ai.example.org/pki/issuing.crl"
    assert house.json()["keys"] and house.headers["access-control-allow-origin"] == "*"

    assert client.get("/.well-known/safebelt/identity", params={"nonce": "a" * 22}).status_code == 404
    run(certificates, "keep", served.id)
    assert client.get("/.well-known/safebelt/identity", params={"nonce": "a"}).status_code == 422
    assert (
        f"system {served.id}\n"
        in client.get("/.well-known/safebelt/identity", params={"nonce": "a" * 22}).json()["text"]
    )


def test_the_shell_issues_checks_with_an_exit_code_and_takes_back(
    certificates, served, tmp_path: Path, clock, monkeypatch
) -> None:
    monkeypatch.setattr(checking, "wall_clock", clock)  # a stranger's check asks no house, not even for the time
    (tmp_path / "s.csr").write_bytes(csr())
    made = run(certificates, "issue", served.id, "--csr", str(tmp_path / "s.csr"), "-o", str(tmp_path / "s.pem"))
    serial = made.data["serial"]

    checked = run(certificates, "check", str(tmp_path / "s.pem"))
    assert checked.exit_code == 0 and set(checked.data["axes"]) == {
        "chain",
        "validity",
        "purpose",
        "revocation",
        "registration",
        "log",
    }
    json.dumps(checked.data)

    (tmp_path / "root.cer").write_bytes(certificates.part(Role.ROOT))
    (tmp_path / "chain.pem").write_text((tmp_path / "s.pem").read_text() + pem_of(certificates.part(Role.ISSUING)))
    (tmp_path / "i.crl").write_bytes(certificates.revocation_list())
    offline = ["check", str(tmp_path / "chain.pem"), "--root", str(tmp_path / "root.cer")]
    assert run(certificates, *offline).exit_code == 3
    assert (
        run(certificates, *offline, "--crl", str(tmp_path / "i.crl")).data["axes"]["revocation"]["verdict"] == "unknown"
    )  # the root's list is missing

    assert run(certificates, "revoke", serial, "--reason", "lost", "--why", "key-compromise").exit_code == 0
    assert run(certificates, "status", serial).exit_code == 1
    assert run(certificates, "check", str(tmp_path / "s.pem")).exit_code == 1
    assert "已吊销" in run(certificates, "list").says.zh
    assert "move" in run(certificates, "authority").says.en
