"""The first hour: one command, a real model, the official client, a first look round, bad days included."""

import datetime
import ipaddress
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.journeys.home import PLAIN, Home, scripted_upstream, wait_for

if TYPE_CHECKING:
    import openai

ID_CARD = "11010519491231002X"


@pytest.fixture(scope="module")
def with_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """`safebelt up` with the real small model."""
    home = Home(tmp_path_factory.mktemp("model") / "home")
    with home.up() as process:
        wait_for(f"http://127.0.0.1:{home.model_port}/health", process)
        yield home


def _client(home: Home) -> "openai.OpenAI":
    import openai  # a second of a core: every one of pytest's workers reads this file, one runs it

    return openai.OpenAI(base_url=f"{home.belt}/v1", api_key=home.key, max_retries=0)


@pytest.mark.model
def test_the_official_client_chats_with_the_real_model_plain_and_streaming(with_model: Home) -> None:
    messages = [{"role": "user", "content": "Name one colour. Answer with one word."}]
    with _client(with_model) as ai:
        model = ai.models.list().data[0].id
        plain = ai.chat.completions.create(model=model, messages=messages, max_tokens=24)
        chunks = list(ai.chat.completions.create(model=model, messages=messages, max_tokens=24, stream=True))

    assert plain.choices[0].message.content.strip()
    assert plain.model_extra["safebelt"]["record"].startswith("rec_")
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices).strip()
    assert chunks[-1].model_extra["safebelt"]["label"]["AIGC"]["Label"] == "1"


@pytest.mark.model
def test_completions_and_embeddings_of_the_real_model_pass_the_belt(with_model: Home) -> None:
    with _client(with_model) as ai:
        done = ai.completions.create(model="m", prompt="Once upon a time", max_tokens=8)
        vectors = ai.embeddings.create(model="m", input=["one", "two"], encoding_format="float")

    assert done.choices[0].text and len(vectors.data) == 2 and len(vectors.data[0].embedding) > 100


@pytest.mark.model
def test_an_id_card_number_is_masked_before_the_real_model_sees_it(with_model: Home) -> None:
    with _client(with_model) as ai:
        messages = [{"role": "user", "content": f"Repeat this exactly: {ID_CARD}"}]
        answer = ai.chat.completions.create(model="m", messages=messages, max_tokens=60)
    record = answer.model_extra["safebelt"]["record"]
    shown = with_model.run("belt", "exchanges", "show", record, "--format", "json")

    assert answer.model_extra["safebelt"]["verdict"] == "mask"
    assert ID_CARD not in answer.choices[0].message.content
    assert shown.returncode == 0 and ID_CARD not in shown.stdout and "personal" in shown.stdout


@pytest.mark.model
def test_records_and_ledger_verify_and_a_stranger_checks_a_proof(with_model: Home, tmp_path: Path) -> None:
    entry = with_model.json("ledger", "list")
    newest = (entry["items"] if isinstance(entry, dict) else entry)[0]["id"]
    proof, key = tmp_path / "p.tlog-proof", with_model.run("ledger", "key").stdout.strip()
    assert with_model.run("ledger", "prove", newest, "-o", str(proof)).returncode == 0
    stranger = Home(tmp_path / "stranger")

    assert with_model.run("ledger", "verify").returncode == 0
    assert with_model.run("belt", "verify").returncode in {0, 3}
    assert stranger.run("ledger", "check", str(proof), "--key", key).returncode == 0
    proof.write_bytes(proof.read_bytes().replace(b"index ", b"index 1", 1))
    assert stranger.run("ledger", "check", str(proof), "--key", key).returncode in {1, 2}
    assert not stranger.folder.exists() or not (stranger.folder / "safebelt.db").exists()


@pytest.mark.model
def test_a_stranger_checks_the_proof_of_one_exchange(with_model: Home, tmp_path: Path) -> None:
    with _client(with_model) as ai:
        messages = [{"role": "user", "content": "Say hi."}]
        answer = ai.chat.completions.create(model="m", messages=messages, max_tokens=8)
    record = answer.model_extra["safebelt"]["record"]
    proof, key = tmp_path / "r.tlog-proof", with_model.run("ledger", "key").stdout.strip()
    time.sleep(1.5)  # a head signs the record within a second
    made = with_model.run("belt", "prove", record, "-o", str(proof))
    stranger = Home(tmp_path / "stranger")
    checked = stranger.run("ledger", "check", str(proof), "--key", key)
    spoilt = bytearray(proof.read_bytes())
    spoilt[len(spoilt) // 3] ^= 1
    proof.write_bytes(spoilt)

    assert made.returncode == 0, made.stderr
    assert checked.returncode == 0 and record in checked.stdout
    assert stranger.run("ledger", "check", str(proof), "--key", key).returncode in {1, 2}


def test_nothing_to_verify_is_never_called_intact(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    for room in ("ledger", "belt"):
        said = home.run(room, "verify")
        assert said.returncode == 3, said.stdout + said.stderr
        assert "nothing to verify" in said.stdout.lower()


def test_an_operators_own_upstream_is_observed_until_they_enforce(tmp_path: Path) -> None:
    with scripted_upstream() as (upstream, seen):
        home = Home(tmp_path / "home", upstream=upstream)
        with home.up(), _client(home) as ai:
            messages = [{"role": "user", "content": f"SAY my number is {ID_CARD}"}]
            observed = ai.chat.completions.create(model="m", messages=messages)
            systems = home.json("belt", "systems", "list")
            system = systems[0]["system_id"]
            home.json("belt", "systems", "enforce", system)
            time.sleep(1.2)
            enforced = ai.chat.completions.create(model="m", messages=messages)

    assert ID_CARD in observed.choices[0].message.content and ID_CARD in json.dumps(seen[0])
    assert observed.model_extra["safebelt"]["would"] == "mask"
    assert ID_CARD not in enforced.choices[0].message.content and ID_CARD not in json.dumps(seen[-1])


def test_both_ports_speak_tls_by_settings(tmp_path: Path, prepared: Callable[[Path], Path]) -> None:
    cert, key = _self_signed(tmp_path)
    with scripted_upstream() as (upstream, _):
        home = Home(prepared(tmp_path / "home"), upstream=upstream, tls_cert=str(cert), tls_key=str(key))
        process = home.start("up")
        try:
            trust = ssl.create_default_context(cafile=str(cert))
            for port in (home.console_port, home.belt_port):
                _wait_for_tls(f"https://127.0.0.1:{port}/health", trust, process)
            headers = {"authorization": f"Bearer {home.key}"}
            body = {"messages": [{"role": "user", "content": "SAY hi"}]}
            url = f"https://127.0.0.1:{home.belt_port}/v1/chat/completions"
            answer = httpx2.post(url, json=body, headers=headers, verify=trust)
            with pytest.raises(httpx2.HTTPError):
                httpx2.get(f"http://127.0.0.1:{home.belt_port}/health", timeout=3)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)

    assert answer.status_code == 200


def test_a_full_disk_refuses_loses_nothing_and_heals(tmp_path: Path, prepared: Callable[[Path], Path]) -> None:
    with scripted_upstream() as (upstream, _):
        home = Home(prepared(tmp_path / "home"), upstream=upstream)
        process = home.start("serve", "belt")
        try:
            wait_for(f"{home.belt}/health", process)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
            answers = [_ask(home) for _ in range(60)]
            refused = [answer for answer in answers if answer.status_code == 503]
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            healed = _until_ok(home)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        verdict = home.run("belt", "verify")
        listed = home.json("belt", "exchanges", "list")

    good = {a.headers["x-safebelt-record"] for a in [*answers, healed] if a.status_code == 200}
    assert refused and all(answer.json()["error"]["code"] == "records_unavailable" for answer in refused)
    assert good and verdict.returncode == 0, verdict.stdout
    assert listed


def test_what_would_keep_it_from_starting_is_said_at_once(tmp_path: Path) -> None:
    with scripted_upstream() as (upstream, _), socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        on_taken_port = Home(tmp_path / "a", upstream=upstream)
        on_taken_port.env["SAFEBELT_BELT_PORT"] = port
        bad_code = Home(tmp_path / "b", upstream=upstream, provider_code="with a blank")
        bad_tls = Home(tmp_path / "c", upstream=upstream, tls_cert=str(tmp_path / "nowhere.pem"))

        said = {home: home.run("up", timeout=120) for home in (on_taken_port, bad_code, bad_tls)}

    assert "SAFEBELT_BELT_PORT" in said[on_taken_port].stderr and port in said[on_taken_port].stderr
    assert "ContentProducer" in said[bad_code].stderr
    assert "SAFEBELT_TLS_CERT" in said[bad_tls].stderr
    assert [done.returncode for done in said.values()] == [1, 2, 3]


def test_sigterm_ends_all_children_and_down_ends_a_running_house(
    tmp_path: Path, prepared: Callable[[Path], Path]
) -> None:
    with scripted_upstream() as (upstream, _):
        home = Home(prepared(tmp_path / "home"), upstream=upstream)
        with home.up() as process:
            second = home.run("up")
            pids = _children(process.pid)
            assert home.run("down").returncode == 0
            process.wait(30)

    assert second.returncode == 1 and "make down" in second.stderr
    assert len(pids) >= 3 and not any(_is_alive(pid) for pid in pids)


def _ask(home: Home) -> httpx2.Response:
    headers = {"authorization": f"Bearer {home.key}"}
    body = {"messages": [{"role": "user", "content": "SAY " + "padding " * 100}]}
    return httpx2.post(f"{home.belt}/v1/chat/completions", json=body, headers=headers, timeout=120, verify=PLAIN)


def _until_ok(home: Home) -> httpx2.Response:
    for _ in range(60):
        answer = _ask(home)
        if answer.status_code == 200:
            return answer
        time.sleep(0.25)
    raise AssertionError("the belt did not recover when there was space again")


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found] + [grand for child in found for grand in _children(int(child))]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _wait_for_tls(url: str, trust: ssl.SSLContext, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx2.get(url, verify=trust, timeout=2).status_code == 200:
                return
        except httpx2.HTTPError:
            assert process.poll() is None
            time.sleep(0.1)
    raise AssertionError(url)


def _self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    (folder / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "k.pem").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return folder / "c.pem", folder / "k.pem"
