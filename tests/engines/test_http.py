"""Calls end: in an answer, or in a plain word about why not."""

import gzip
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.ports import free_port

from safebelt.engines.http import client, fetch, own_ports_tls
from safebelt.kernel.errors import Unavailable


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(0.6)
        body = {"/bomb": gzip.compress(b"0" * 100_000), "/short": b"x"}.get(self.path, "好".encode())
        self.send_response(302 if self.path == "/moved" else 200)
        if self.path == "/bomb":
            self.send_header("content-encoding", "gzip")
        if self.path == "/moved":
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", str(len(body) + (9 if self.path == "/short" else 0)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def calls():
    with client(connect_seconds=1, read_seconds=0.3) as calls:
        yield calls


def test_an_answer_arrives_whole_with_its_status(server, calls) -> None:
    answer = fetch(calls, "GET", f"{server}/ok")

    assert (answer.status_code, answer.text) == (200, "好")


def test_redirects_are_reported_not_followed(server, calls) -> None:
    assert fetch(calls, "GET", f"{server}/moved").headers["location"] == "/elsewhere"


def test_an_answer_that_unpacks_beyond_the_limit_is_cut_off(server, calls) -> None:
    assert len(fetch(calls, "GET", f"{server}/bomb").content) == 100_000
    with pytest.raises(Unavailable, match="99999"):
        fetch(calls, "GET", f"{server}/bomb", max_bytes=99_999)


def test_a_slow_answer_ends_in_a_time_out(server, calls) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        fetch(calls, "GET", f"{server}/slow")


def test_an_answer_that_breaks_off_is_no_answer(server, calls) -> None:
    with pytest.raises(Unavailable):
        fetch(calls, "GET", f"{server}/short")


def test_nobody_there_is_said_so_without_the_secrets_of_the_url(calls) -> None:
    with pytest.raises(Unavailable) as error:
        fetch(calls, "GET", f"http://me:hunter2@127.0.0.1:{free_port()}/?token=hunter3")

    assert "hunter" not in str(error.value) + error.value.in_("zh")


def test_asking_our_own_ports_believes_any_certificate_and_reads_no_authorities():
    own, everybodys = own_ports_tls(), ssl.create_default_context()

    assert own.verify_mode is ssl.CERT_NONE
    assert not own.check_hostname
    assert own.cert_store_stats()["x509_ca"] == 0
    assert everybodys.cert_store_stats()["x509_ca"] > 0, "the machine has authorities that could have been read"
