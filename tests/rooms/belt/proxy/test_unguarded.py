"""What passes unread over a real upstream: byte by byte, on record, saying so; and nothing that is guarded."""

import asyncio
import gzip
import hashlib
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD, POLICY, Belt, answering, in_belt, post, raw
from tests.rooms.belt.proxy.test_admission import rules

from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide import read_limits
from safebelt.rooms.belt.model import (
    Command,
    ContentMode,
    KeyTerms,
    OrderTerms,
    Policy,
    RecordMode,
    Stance,
    Unguarded,
)
from safebelt.rooms.belt.proxy.gateway import EXCHANGES
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request, head

WHY = Text(zh="测试", en="test")
ALL = ("DELETE", "GET", "PATCH", "POST", "PUT")
RERANK = Unguarded(path="/v1/rerank", methods=("POST",), why=WHY)
FILES = Unguarded(path="/v1/files/", is_under=True, methods=ALL, has_query=True, why=WHY)
OPEN = replace(POLICY, unguarded=(RERANK, FILES))
Handler = Callable[[Request, Reply], Awaitable[None]]


def ask(
    path: str = "/v1/rerank",
    body: bytes = b"",
    *,
    method: str = "POST",
    fields: str = "",
    version: str = "1.1",
    key: str = "sbk_test",
) -> bytes:
    framing = f"Content-Length: {len(body)}\r\n" if body else ""
    line = f"{method} {path} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
    return f"{line}{fields}{framing}\r\n".encode() + body


def parts(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return status, fields, and the body without its chunks."""
    top, _, body = answer.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    if fields.get("transfer-encoding") == "chunked":
        body = unchunked(body)
    return int(lines[0].split()[1]), fields, body


def unchunked(data: bytes) -> bytes:
    found = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            assert data == b"\r\n"
            return found
        found, data = found + data[:length], data[length + 2 :]


def echoing(seen: list[Request], body: bytes = b"", kind: bytes = b"application/octet-stream") -> Handler:
    async def handler(request: Request, reply: Reply) -> None:
        seen.append(request)
        more = ((b"set-cookie", b"a=b"), (b"location", b"http://elsewhere/"), (b"x-ratelimit-left", b"3"))
        await reply.whole(200, ((b"content-type", kind), *more), body or request.body)

    return handler


def in_open(
    tmp_path: Path, handler: Handler, scenario: Callable[[Belt], Awaitable[None]], policy: Policy = OPEN, **more: Any
) -> None:
    async def with_handler(belt: Belt) -> None:
        belt.upstream_handler = handler
        await scenario(belt)

    in_belt(tmp_path, answering(), with_handler, policy=policy, **more)


# ---------------------------------------------------------------------- passing


@pytest.mark.parametrize("mode", list(RecordMode)[:2])
def test_what_a_policy_names_passes_both_ways_byte_by_byte_and_says_that_nobody_screened_it(
    tmp_path: Path, mode: RecordMode
) -> None:
    seen: list[Request] = []
    sent = f'{{ "query":"{FORBIDDEN} {ID_CARD}",  "model" : "m"}}\n'.encode()

    async def scenario(belt: Belt) -> None:
        status, fields, body = parts(
            await raw(belt, ask(body=sent, fields="Content-Type: application/json; charset=utf-8\r\n"))
        )

        assert (status, body) == (200, sent) and seen[0].body == sent
        assert fields["x-safebelt-screening"] == "off" and fields["x-safebelt-verdict"] == "not_evaluated"
        assert "x-safebelt-aigc" not in fields
        intent, outcome = belt.records("intent")[0], belt.records("outcome")[0]
        assert fields["x-safebelt-record"] == intent["id"] == outcome["id"]
        assert intent["not_evaluated"] == ["request"] and outcome["not_evaluated"] == ["answer"]
        assert intent["unguarded"] == {
            "name": "/v1/rerank", "method": "POST", "media_type": "application/json", "bytes": len(sent),
        }  # fmt: skip
        assert (intent["model"], intent["endpoint"], outcome["finish"]) == ("m", "/v1/rerank", "complete")
        assert outcome["unguarded"]["bytes"] == len(sent)

    in_open(tmp_path, echoing(seen), scenario, mode=mode)


@pytest.mark.parametrize("content", [ContentMode.MASKED, ContentMode.DIGEST])
def test_a_record_keeps_a_salted_digest_of_both_bodies_and_no_text(tmp_path: Path, content: ContentMode) -> None:
    sent, said = f"号码 {ID_CARD}".encode(), os.urandom(3000)

    async def scenario(belt: Belt) -> None:
        await raw(belt, ask(body=sent))
        intent, outcome = belt.records("intent")[0], belt.records("outcome")[0]

        for record, part, data in ((intent, "request", sent), (outcome, "answer", said)):
            salt = bytes.fromhex(record["content"]["digest_salt"])
            assert record["content"]["digests"][part]["sha256"] == hashlib.sha256(salt + data).hexdigest()
            assert len(salt) == 16 and ID_CARD not in json.dumps(record, ensure_ascii=False)
        assert intent["content"]["digests"]["request"]["chars"] == len(sent.decode())

    in_open(tmp_path, echoing([], said), scenario, content=content)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.binary(max_size=3000), said=st.binary(min_size=1, max_size=100_000), method=st.sampled_from(ALL))
def test_any_bytes_pass_as_they_are(tmp_path: Path, sent: bytes, said: bytes, method: str) -> None:
    seen: list[Request] = []

    async def scenario(belt: Belt) -> None:
        status, fields, body = parts(await raw(belt, ask("/v1/files/f-1", sent, method=method)))

        assert (status, body, seen[0].body, seen[0].method) == (200, said, sent, method)
        assert fields["x-safebelt-screening"] == "off"

    in_open(tmp_path, echoing(seen, said), scenario)


def test_a_compressed_answer_passes_as_it_is_and_fields_that_lead_elsewhere_do_not(tmp_path: Path) -> None:
    seen: list[Request] = []
    packed = gzip.compress(b"x" * 5000)

    async def scenario(belt: Belt) -> None:
        fields = "Cookie: a=b\r\nX-HTTP-Method-Override: DELETE\r\nAccept: image/png\r\n"
        _, got, body = parts(await raw(belt, ask("/v1/files/f?purpose=x&limit=2", packed, fields=fields)))

        asked = dict(seen[0].headers)
        assert body == packed and got["x-ratelimit-left"] == "3"
        assert not {"set-cookie", "location"} & got.keys()
        assert not {b"cookie", b"x-http-method-override", b"content-type"} & asked.keys()
        assert asked[b"accept"] == b"image/png" and asked[b"authorization"] == b"Bearer up-secret"
        refused = parts(await raw(belt, ask("/v1/files/f", packed, fields="Content-Encoding: gzip\r\n")))
        assert refused[0] == 415 and len(seen) == 1
        assert seen[0].target == "/v1/files/f?purpose=x&limit=2"

    in_open(tmp_path, echoing(seen, packed), scenario)


def test_events_pass_as_they_come_and_unparsed(tmp_path: Path) -> None:
    pieces = [b": \xff not utf-8\n\n", b"data: {no json\n", b"\nevent: x\ndata: 1\n\n"]
    said = asyncio.Event()

    async def handler(_request: Request, reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        await reply.write(pieces[0])
        await said.wait()
        for piece in pieces[1:]:
            await reply.write(piece)
        await reply.end()

    async def scenario(belt: Belt) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(ask())
        begun = await reader.readuntil(b"utf-8\n\n\r\n")  # the first is here before there is a second
        intents = belt.records("intent")
        said.set()
        status, fields, body = parts(begun + await reader.read())
        writer.close()

        assert len(intents) == 1
        assert (status, fields["content-type"], body) == (200, "text/event-stream", b"".join(pieces))

    in_open(tmp_path, handler, scenario)


def test_a_slow_client_holds_the_upstream_back(tmp_path: Path) -> None:
    written = [0]

    async def handler(_request: Request, reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"application/octet-stream"),))
        for _ in range(400):
            await reply.write(bytes(64 * 1024))
            written[0] += 64 * 1024
        await reply.end()

    async def scenario(belt: Belt) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port, limit=1024)
        writer.write(ask())
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)
        stalled = written[0]
        body = b"\r\n\r\n" + await reader.read(-1)
        writer.close()

        assert stalled < 16 * 1024 * 1024  # what sockets and pools hold, not the whole
        assert len(unchunked(body[4:])) == written[0] == 400 * 64 * 1024

    in_open(tmp_path, handler, scenario)


def test_an_old_client_gets_the_bytes_without_chunks(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, ask(version="1.0", body=b"x"))

        assert answer.partition(b"\r\n\r\n")[2] == b"abc" * 30_000 and b"chunked" not in answer[:500]

    in_open(tmp_path, echoing([], b"abc" * 30_000), scenario)


def test_an_answer_without_content_and_a_request_without_body_keep_their_framing(tmp_path: Path) -> None:
    seen: list[Request] = []

    async def handler(request: Request, reply: Reply) -> None:
        seen.append(request)
        await reply.as_it_is(head(204, ()))

    async def scenario(belt: Belt) -> None:
        status, fields, body = parts(await raw(belt, ask("/v1/files/x", method="POST")))

        assert (status, body) == (204, b"") and not {"content-length", "transfer-encoding"} & fields.keys()
        assert dict(seen[0].headers)[b"content-length"] == b"0"
        assert belt.records("outcome")[0]["status"] == 204 and belt.records("outcome")[0]["content"] is None

    in_open(tmp_path, handler, scenario)


def test_an_upstreams_refusal_passes_as_it_is_and_a_redirect_does_not(tmp_path: Path) -> None:
    status_said = [422]

    async def handler(_request: Request, reply: Reply) -> None:
        await reply.whole(status_said[0], ((b"location", b"http://elsewhere/"),), b"no {")

    async def scenario(belt: Belt) -> None:
        status, _, body = parts(await raw(belt, ask()))
        assert (status, body) == (422, b"no {")
        status_said[0] = 307
        status, fields, body = parts(await raw(belt, ask()))
        assert status == 502 and b"upstream_broken" in body and "location" not in fields

    in_open(tmp_path, handler, scenario)


def test_an_answer_that_is_too_large_or_breaks_off_is_never_ended_as_if_it_were_whole(tmp_path: Path) -> None:
    async def handler(request: Request, reply: Reply) -> None:
        await reply.begin(200, ())
        for _ in range(40 if request.path.endswith("large") else 1):
            await reply.write(bytes(64 * 1024))
        if not request.path.endswith("large"):
            raise ConnectionResetError
        await reply.end()

    async def scenario(belt: Belt) -> None:
        object.__setattr__(belt.tools, "max_answer_bytes", 1024 * 1024)
        for name in ("large", "broken"):
            answer = await raw(belt, ask(f"/v1/files/{name}"))
            assert answer.startswith(b"HTTP/1.1 200") and not answer.endswith(b"0\r\n\r\n")
        assert [one["finish"] for one in belt.records("outcome")] == ["upstream_error"] * 2

    in_open(tmp_path, handler, scenario)


def test_a_body_over_the_limit_is_refused_and_a_silent_upstream_is_given_up(tmp_path: Path) -> None:
    async def handler(_request: Request, _reply: Reply) -> None:
        await asyncio.sleep(10)

    async def scenario(belt: Belt) -> None:
        assert parts(await raw(belt, ask(body=bytes(2000))))[0] == 413
        status, fields, _ = parts(await raw(belt, ask()))
        assert status == 504 and fields["x-safebelt-screening"] == "off"
        assert belt.records("outcome")[0]["finish"] == "upstream_error"

    in_open(tmp_path, handler, scenario, body_bytes=1000)


# ---------------------------------------------------------------------- not passing


def test_the_negative_control_without_a_name_nothing_passes_and_nobody_is_asked(tmp_path: Path) -> None:
    seen: list[Request] = []

    async def scenario(belt: Belt) -> None:
        status, fields, body = parts(await raw(belt, ask(body=b"{}")))

        assert (status, json.loads(body)["error"]["code"]) == (404, "unguarded_endpoint")
        assert not seen and "x-safebelt-screening" not in fields

    in_open(tmp_path, echoing(seen), scenario, policy=POLICY)


@pytest.mark.parametrize(
    "path",
    ["/v1/rerank/", "/v1/Rerank", "/v1//rerank", "/v1/./rerank", "/v1/x/../rerank", "/v1/r%65rank", "/v1/rerank;x",
     "/v1/rerank?x=1", "/v1/rerank?", "/rerank", "/v1/v1/rerank", "http://x/v1/rerank", "/v1/rerank%00", "/v1/files",
     "/v1/files/", "/v1/files/../chat/completions", "/v1/files/%2e%2e/chat/completions", "/v1/files/x/completions",
     "/v1/files/x?path=/v1/chat/completions", "/v1/files/x?y=%2fv1"],
)  # fmt: skip
def test_another_spelling_of_a_name_does_not_pass(tmp_path: Path, path: str) -> None:
    seen: list[Request] = []

    async def scenario(belt: Belt) -> None:
        status, _, _ = parts(await raw(belt, ask(path, b"{}")))

        assert status in (400, 404) and not seen and not belt.records("intent")

    in_open(tmp_path, echoing(seen), scenario)


_EVERYTHING = replace(POLICY, unguarded=(Unguarded(path="/v1/", is_under=True, methods=ALL, has_query=True, why=WHY),))
_SPELT = st.tuples(
    st.sampled_from(["", "/", "/v1", "/V1", "/v1/x", "/v1/x/..", "/v1/engines/m", "/v1/%2e", "http://x"]),
    st.sampled_from(sorted({path.removeprefix("/v1") for path in EXCHANGES})),
    st.sampled_from([str, str.upper, str.title, lambda path: path.replace("/", "//"),
                     lambda path: path.replace("c", "%63"), lambda path: path.replace("/", "/./"),
                     lambda path: path.replace("/", "%2F")]),
    st.sampled_from(["", "/", "//", "?", "?x=1", "/.", "/..", "/x", ".json", ";x", "%20", "%00", "#x", "/x/.."]),
)  # fmt: skip


def test_no_spelling_of_a_guarded_endpoint_reaches_the_upstream_unscreened(tmp_path: Path) -> None:
    """Even under a policy that no file can say: one that lets everything pass."""
    seen: list[Request] = []
    loop_safe = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))

    async def scenario(belt: Belt) -> None:
        spelt: list[str] = []
        loop_safe(given(_SPELT)(lambda of: spelt.append(of[0] + of[2](of[1]) + of[3])))()
        body = json.dumps(
            {
                "model": "m",
                "input": FORBIDDEN,
                "prompt": FORBIDDEN,
                "messages": [{"role": "user", "content": FORBIDDEN}],
            }
        )
        for path in dict.fromkeys(spelt):
            answer = await raw(belt, ask(path, body.encode(), fields="Content-Type: application/json\r\n"))
            assert not answer.startswith(b"HTTP/1.1 200"), (path, answer[:200])
        control = await raw(belt, ask("/v1/rerank", body.encode()))
        assert control.startswith(b"HTTP/1.1 200") and b"x-safebelt-screening: off" in control
        assert [request.target for request in seen] == ["/v1/rerank"]

    in_open(tmp_path, echoing(seen), scenario, policy=_EVERYTHING)


def test_a_guarded_endpoint_stays_guarded_beside_a_name(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        body = {"model": "m", "messages": [{"role": "user", "content": FORBIDDEN}]}
        answer = await raw(belt, post(body))

        assert b"content_filter" in answer and b"x-safebelt-screening" not in answer

    in_belt(tmp_path, answering(), scenario, policy=OPEN)


# ---------------------------------------------------------------------- keys, quotas, admission, minors


def test_without_a_valid_key_nothing_passes(tmp_path: Path) -> None:
    seen: list[Request] = []

    async def scenario(belt: Belt) -> None:
        assert parts(await raw(belt, ask(key="sbk_other")))[0] == 401 and not seen

    in_open(tmp_path, echoing(seen), scenario)


@pytest.mark.parametrize(("scopes", "status"), [((), 200), (("unguarded",), 200), (("chat", "files"), 403)])
def test_a_key_for_some_uses_opens_it_only_where_that_is_said(
    tmp_path: Path, scopes: tuple[str, ...], status: int
) -> None:
    async def scenario(belt: Belt) -> None:
        assert parts(await raw(belt, ask("/v1/files/x", b"{}")))[0] == status

    in_open(tmp_path, echoing([]), scenario, key={"terms": KeyTerms(scopes=scopes)})


@pytest.mark.parametrize("limit", ["requests/day=2", "tokens/day=500"])
def test_quotas_count_what_passes_its_tokens_estimated_from_its_length(tmp_path: Path, limit: str) -> None:
    async def scenario(belt: Belt) -> None:
        got = [parts(await raw(belt, ask(body=b"x" * 450)))[0] for _ in range(4)]

        assert got == [200, 200, 429, 429]

    in_open(tmp_path, echoing([]), scenario, key={"terms": KeyTerms(limits=read_limits(limit))})


def test_rules_of_admission_can_forbid_it_and_a_form_names_no_model_to_them(tmp_path: Path) -> None:
    forbids = rules('when { context.scope == "unguarded" }')
    asks = rules('when { context.model == "m" }')
    form = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nother\r\n--b--\r\n'

    async def scenario(belt: Belt) -> None:
        for admission, body, code in (
            (forbids, b"{}", "not_permitted"),
            (asks, b'{"model": "m"}', "not_permitted"),
            (asks, form, "unknown_attribute"),
        ):
            belt.admission = admission
            status, _, said = parts(await raw(belt, ask(body=body)))
            assert (status, json.loads(said)["error"]["code"]) == (403, code)
        assert parts(await raw(belt, ask(body=b'{"model": "n"}')))[0] == 200

    in_open(tmp_path, echoing([]), scenario)


def test_in_minors_mode_nothing_passes_that_the_minors_policy_does_not_name(tmp_path: Path) -> None:
    minors = replace(POLICY, id="safebelt/minors", digest="1" * 64)

    async def scenario(belt: Belt) -> None:
        belt.more_policies = {minors.id: minors}
        assert parts(await raw(belt, ask(fields="X-Safebelt-Minor: true\r\n")))[0] == 404
        belt.more_policies = {minors.id: replace(minors, unguarded=(RERANK,), digest="2" * 64)}
        status, fields, _ = parts(await raw(belt, ask(fields="X-Safebelt-Minor: true\r\n", body=b"x")))
        assert (status, fields["x-safebelt-mode"]) == (200, "minors")

    in_open(tmp_path, echoing([]), scenario)


@pytest.mark.parametrize("stance", list(Stance))
def test_the_stance_makes_no_difference(tmp_path: Path, stance: Stance) -> None:
    async def scenario(belt: Belt) -> None:
        assert parts(await raw(belt, ask(body=b"x")))[1]["x-safebelt-screening"] == "off"

    in_open(tmp_path, echoing([]), scenario, stance=stance)


# ---------------------------------------------------------------------- orders


@pytest.mark.parametrize("target", ["", "sys_1", "key:key_1", "model:m"])
@pytest.mark.parametrize("command", [Command.PAUSE, Command.DRAIN, Command.CUT])
def test_a_stop_holds_for_it(tmp_path: Path, target: str, command: Command) -> None:
    seen: list[Request] = []

    async def scenario(belt: Belt) -> None:
        belt.switch.apply(command, target, "ord_9")
        status, _, body = parts(await raw(belt, ask(body=b'{"model": "m"}')))

        assert status == 503 and b"ord_9" in body and not seen

    in_open(tmp_path, echoing(seen), scenario)


@pytest.mark.parametrize("target", ["", "sys_1", "key:key_1", "model:m"])
def test_a_running_answer_is_cut(tmp_path: Path, target: str) -> None:
    async def handler(_request: Request, reply: Reply) -> None:
        await reply.begin(200, ())
        while True:
            await reply.write(b"word ")
            await asyncio.sleep(0.005)

    async def scenario(belt: Belt) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(ask(body=b'{"model": "m"}'))
        await reader.readuntil(b"word")
        applied = belt.switch.apply(Command.CUT, target, "ord_9")
        for _ in range(200):
            if belt.records("outcome"):
                break
            await asyncio.sleep(0.02)
        writer.close()

        assert len(applied.cut) == 1
        assert [(one["finish"], one["order"]) for one in belt.records("outcome")] == [("cut", "ord_9")]

    in_open(tmp_path, handler, scenario)


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("model:m", b'{"model": "other"}', 200),
        ("model:m", b"not json", 503),
        ("model:m", b"", 503),
        ("model:m", b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nother\r\n--b--\r\n', 503),
        ("tool:pay", b'{"model": "other"}', 503),
        ("sys_2", b"not json", 200),
    ],
)
def test_an_order_on_a_model_or_a_tool_that_may_be_meant_lets_nothing_pass(
    tmp_path: Path, target: str, body: bytes, status: int
) -> None:
    async def scenario(belt: Belt) -> None:
        belt.switch.apply(Command.CUT, target, "ord_9")
        got, _, said = parts(await raw(belt, ask(body=body)))
        assert got == status and (status == 200 or b"ord_9" in said)
        belt.switch.apply(Command.RUN, target, "ord_10")
        assert parts(await raw(belt, ask(body=body)))[0] == 200

    in_open(tmp_path, echoing([], b"x"), scenario)


@pytest.mark.parametrize("target", ["", "sys_1", "key:key_1", "model:m"])
def test_a_limit_counts_it(tmp_path: Path, target: str) -> None:
    async def scenario(belt: Belt) -> None:
        belt.switch.apply(Command.LIMIT, target, "ord_9", terms=OrderTerms(per_minute=2))
        got = [parts(await raw(belt, ask(body=b'{"model": "m"}')))[0] for _ in range(3)]

        assert got == [200, 200, 429]

    in_open(tmp_path, echoing([], b"x"), scenario)


def test_a_roll_back_to_an_earlier_model_that_a_body_cannot_be_made_to_name_lets_it_not_pass(tmp_path: Path) -> None:
    seen: list[Request] = []

    async def scenario(belt: Belt) -> None:
        belt.switch.apply(Command.ROLL_BACK, "sys_1", "ord_9", terms=OrderTerms(model="old"))
        assert parts(await raw(belt, ask(body=b"not json")))[0] == 503 and not seen
        status, fields, _ = parts(await raw(belt, ask(body=b'{"model": "new"}')))
        assert status == 200 and json.loads(seen[0].body) == {"model": "old"}
        assert "ord_9" in fields["x-safebelt-rolled-back"]

    in_open(tmp_path, echoing(seen, b"x"), scenario)


# ---------------------------------------------------------------------- records


def test_a_client_that_leaves_is_on_record(tmp_path: Path) -> None:
    async def handler(_request: Request, reply: Reply) -> None:
        await reply.begin(200, ())
        while True:
            await reply.write(b"word ")
            await asyncio.sleep(0.005)

    async def scenario(belt: Belt) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(ask())
        await reader.readuntil(b"word")
        writer.close()
        for _ in range(200):
            if belt.records("outcome"):
                break
            await asyncio.sleep(0.02)
        assert [one["finish"] for one in belt.records("outcome")] == ["client_gone"]

    in_open(tmp_path, handler, scenario)


def test_where_records_cannot_be_written_nothing_passes(tmp_path: Path) -> None:
    seen: list[Request] = []

    async def scenario(belt: Belt) -> None:
        await asyncio.to_thread(belt.writer.close)
        status, _, body = parts(await raw(belt, ask(body=b"x")))

        assert status == 503 and b"records_unavailable" in body and not seen

    in_open(tmp_path, echoing(seen), scenario)


def test_personal_data_in_a_path_is_masked_in_the_record(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        await raw(belt, ask(f"/v1/files/{ID_CARD}", method="GET"))

        assert ID_CARD not in json.dumps(belt.records("intent"), ensure_ascii=False)

    in_open(tmp_path, echoing([], b"x"), scenario)
