"""The belt says on its own port who the guarded system is; the upstream is never asked."""

import base64
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.rooms.belt.proxy.bench import Belt, answering, in_belt, raw

from safebelt.kernel.errors import Problem
from safebelt.rooms.belt.proxy.identity import PATH
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request
from safebelt.rooms.certificates.model import Identity
from safebelt.rooms.certificates.pki.keys import make_key
from safebelt.rooms.certificates.service.proving import Prover
from safebelt.web.problems import problem_body

NONCE = "n" * 32
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROVER = Prover(
    system_id="sys_1",
    place="https://api.example",
    chain="PEM",
    not_after=NOW + timedelta(days=1),
    key=make_key("p-256"),
)


def prove(_system_id: str, nonce: str) -> Identity:
    return PROVER.prove(nonce, NOW)


def get(target: str, *more: str, method: str = "GET") -> bytes:
    fields = "".join(f"{line}\r\n" for line in more)
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\n{fields}Connection: close\r\n\r\n".encode()


def read(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in lines), body


def test_whoever_asks_gets_a_proof_over_their_own_nonce_from_any_site_and_nobody_keeps_it(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        status, fields, body = read(await raw(belt, get(f"{PATH}?nonce={NONCE}")))
        said = json.loads(body)

        assert status == 200
        assert (fields["access-control-allow-origin"], fields["cache-control"]) == ("*", "no-store")
        assert said["text"].splitlines()[1:4] == ["system sys_1", "place https://api.example", f"nonce {NONCE}"]
        PROVER.key.public_key().verify(
            base64.b64decode(said["signature"]), said["text"].encode(), ec.ECDSA(hashes.SHA256())
        )

    in_belt(tmp_path, answering(), scenario, prove=prove)


def test_an_upstream_with_such_a_path_of_its_own_is_never_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    async def liar(request: Request, reply: Reply) -> None:
        asked.append(request.target)
        await reply.whole(200, (), b'{"text": "safebelt identity v1"}')

    async def scenario(belt: Belt) -> None:
        belt.upstream_handler = liar
        for target in (f"{PATH}?nonce={NONCE}", PATH, f"{PATH}/?nonce={NONCE}", f"/v1/..{PATH}", PATH.upper()):
            await raw(belt, get(target, "Authorization: Bearer sbk_test"))
        assert asked == []
        await raw(belt, get("/v1/models", "Authorization: Bearer sbk_test"))
        assert asked == ["/v1/models"]  # the control: what may pass does reach it

    in_belt(tmp_path, answering(), scenario, prove=prove)


@pytest.mark.parametrize("query", ["", "?nonce=short", "?nonce=" + "a" * 87, "?nonce=%ff" * 3, "?" + "a=1&" * 20])
def test_no_nonce_or_an_odd_one_is_met_as_at_the_console(tmp_path: Path, query: str) -> None:
    with pytest.raises(Problem) as met:
        prove("", "")

    async def scenario(belt: Belt) -> None:
        status, fields, body = read(await raw(belt, get(PATH + query, "Accept-Language: en")))

        assert (status, fields["content-type"]) == (422, "application/problem+json")
        assert fields["access-control-allow-origin"] == "*"
        assert json.loads(body) == msgspec.to_builtins(asdict(problem_body(met.value, "en")))

    in_belt(tmp_path, answering(), scenario, prove=prove)


def test_a_belt_without_an_identity_says_so_and_other_methods_are_told_which_are_taken(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        status, _, body = read(await raw(belt, get(f"{PATH}?nonce={NONCE}&system=sys_9", "Accept-Language: en")))
        assert status == 404 and "SAFEBELT_IDENTITY_SYSTEM" in json.loads(body)["hint"]

        status, fields, _ = read(await raw(belt, get(f"{PATH}?nonce={NONCE}", method="DELETE")))
        assert (status, fields["allow"]) == (405, "get, head")
        status, _, body = read(await raw(belt, get(f"{PATH}?nonce={NONCE}", method="HEAD")))
        assert (status, body) == (404, b"")

    in_belt(tmp_path, answering(), scenario)


def test_a_certificate_that_is_over_proves_nothing_any_more(tmp_path: Path) -> None:
    def late(_system_id: str, nonce: str) -> Identity:
        return PROVER.prove(nonce, NOW + timedelta(days=2))

    async def scenario(belt: Belt) -> None:
        status, _, body = read(await raw(belt, get(f"{PATH}?nonce={NONCE}", "Accept-Language: en")))
        assert status == 409 and "is over" in json.loads(body)["detail"] and b"signature" not in body

    in_belt(tmp_path, answering(), scenario, prove=late)


def test_proofs_and_exchanges_share_a_connection(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{belt.port}", verify=False) as calls:
            body: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
            key = {"authorization": "Bearer sbk_test"}
            said = [
                (await calls.get(PATH, params={"nonce": NONCE})).status_code,
                (await calls.post("/v1/chat/completions", json=body, headers=key)).status_code,
                (await calls.get(PATH, params={"nonce": "x"})).status_code,
                (await calls.get("/health")).status_code,
            ]
        assert said == [200, 200, 422, 200]

    in_belt(tmp_path, answering(), scenario, prove=prove)
