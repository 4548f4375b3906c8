"""An exchange through the belt, seen by the official client and by raw bytes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.rooms.belt.proxy.bench import (
    FORBIDDEN,
    ID_CARD,
    Belt,
    answering,
    choice,
    event,
    in_belt,
    json_reply,
    post,
    raw,
)

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Command, NoticeMode, RecordMode, Stance
from safebelt.rooms.belt.proxy.reply import Reply

HI = [{"role": "user", "content": "hi"}]


def client(belt: Belt, key: str = "sbk_test") -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=belt.url, api_key=key, max_retries=0)


async def streamed(belt: Belt, **more: Any) -> tuple[str, list[Any]]:
    async with client(belt) as ai:
        chunks = [c async for c in await ai.chat.completions.create(model="m", messages=HI, stream=True, **more)]
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices), chunks


def test_a_plain_chat_is_answered_labelled_and_recorded(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            answer = await ai.chat.completions.with_raw_response.create(model="m", messages=HI)
        said = answer.parse()
        field = said.model_extra["safebelt"]
        header = json.loads(answer.headers["x-safebelt-aigc"])
        intent, outcome = belt.records("intent"), belt.records("outcome")

        assert said.choices[0].message.content == "Hello."
        assert field["record"] == answer.headers["x-safebelt-record"] == intent[0]["id"] == outcome[0]["id"]
        assert header["AIGC"]["ProduceID"] == field["record"] and header["status"] == "incomplete"
        assert answer.headers["x-safebelt-verdict"] == "allow"
        assert (outcome[0]["finish"], outcome[0]["status"]) == ("complete", 200)
        assert intent[0]["content"]["texts"] == {"messages[0].content": "hi"}

    in_belt(tmp_path, answering(), scenario)


def test_a_streamed_chat_arrives_whole_and_its_last_chunk_carries_the_label(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        text, chunks = await streamed(belt)

        assert text == "Hello, 世界! How are you?"
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert chunks[-1].model_extra["safebelt"]["verdict"] == "allow"
        assert [r["finish"] for r in belt.records("outcome")] == ["complete"]

    in_belt(tmp_path, answering("Hello, 世界! How are you?"), scenario)


def test_usage_that_comes_after_the_end_is_kept(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        text, chunks = await streamed(belt, stream_options={"include_usage": True})

        assert text == "Hello." and chunks[-1].usage.total_tokens == 7
        assert "safebelt" in chunks[-1].model_extra

    in_belt(tmp_path, answering(), scenario)


def test_an_id_card_number_reaches_the_model_masked(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            messages = [{"role": "user", "content": f"我的身份证号是{ID_CARD}，请记住"}]
            answer = await ai.chat.completions.create(model="m", messages=messages)

        sent = belt.seen[0]["messages"][0]["content"]
        assert ID_CARD not in sent and sent.startswith("我的身份证号是") and sent.endswith("，请记住")
        assert answer.model_extra["safebelt"]["verdict"] == "mask"
        assert ID_CARD not in json.dumps(belt.records("intent"), ensure_ascii=False)

    in_belt(tmp_path, answering(), scenario)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("phrase", [FORBIDDEN, "绝密大象"])
def test_a_forbidden_phrase_never_leaves_and_the_text_before_it_does(tmp_path: Path, stream: bool, phrase: str) -> None:
    before = "All of this is fine: "

    async def scenario(belt: Belt) -> None:
        data = await raw(belt, post({"model": "m", "messages": HI, "stream": stream}))
        body = data.partition(b"\r\n\r\n")[2].decode()
        if stream:
            events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]
            text = "".join(e["choices"][0]["delta"].get("content", "") for e in events if e["choices"])
            last = events[-1]
        else:
            last = json.loads(body)
            text = last["choices"][0]["message"]["content"]

        assert text == before
        assert phrase[:2] not in text[len(before) :] and phrase not in body
        assert last["choices"][0]["finish_reason"] == "content_filter"
        assert last["safebelt"]["verdict"] == "refuse"
        assert belt.records("outcome")[0]["finish"] == "refused"

    in_belt(tmp_path, answering(f"{before}{phrase} and more"), scenario)


@pytest.mark.parametrize("stream", [False, True])
def test_personal_data_in_the_answer_is_masked_in_place(tmp_path: Path, stream: bool) -> None:
    async def scenario(belt: Belt) -> None:
        if stream:
            text, _ = await streamed(belt)
        else:
            async with client(belt) as ai:
                text = (await ai.chat.completions.create(model="m", messages=HI)).choices[0].message.content

        assert ID_CARD not in text and text.startswith("号码") and text.endswith("完")

    in_belt(tmp_path, answering(f"号码{ID_CARD}完"), scenario)


def test_observing_changes_nothing_and_records_what_would_have_been_done(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        text, chunks = await streamed(belt)

        assert text == f"x {FORBIDDEN} y {ID_CARD}"
        assert chunks[-1].model_extra["safebelt"]["would"] == "refuse"
        outcome = belt.records("outcome")[0]
        assert (outcome["would"], outcome["done"], outcome["finish"]) == ("refuse", "flag", "complete")
        assert {hit["rule"] for hit in outcome["hits"]} == {"words", "personal"}

    in_belt(tmp_path, answering(f"x {FORBIDDEN} y {ID_CARD}"), scenario, stance=Stance.OBSERVE)


def test_a_red_line_acts_even_while_observing(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        text, _ = await streamed(belt)

        assert text == "over the "

    in_belt(tmp_path, answering("over the crimson line now"), scenario, stance=Stance.OBSERVE)


def test_a_refusal_and_an_answer_name_the_page_where_anybody_complains_about_this_system(tmp_path: Path) -> None:
    def page(system_id: str) -> Text:
        return Text(zh=f"https://a.example/zh/complaints?system={system_id}", en=f"https://a.example/en/{system_id}")

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            with pytest.raises(openai.BadRequestError) as refusal:
                await ai.chat.completions.create(model="m", messages=[{"role": "user", "content": FORBIDDEN}])
            answered = await ai.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])

        assert "https://a.example/zh/complaints?system=sys_1" in refusal.value.body["message"]
        assert "https://a.example/en/sys_1" in refusal.value.body["hint"]
        assert answered.model_extra["safebelt"]["complain"] == "https://a.example/en/sys_1"

    in_belt(tmp_path, answering(), scenario, complain_at=page)


def test_a_refused_input_never_reaches_the_model_and_says_how_to_appeal(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            with pytest.raises(openai.BadRequestError) as refusal:
                await ai.chat.completions.create(model="m", messages=[{"role": "user", "content": FORBIDDEN}])

        assert refusal.value.code == "content_filter" and "Write to the operator." in str(refusal.value)
        assert refusal.value.response.headers["x-safebelt-verdict"] == "refuse"
        assert belt.seen == [] and belt.records("outcome")[0]["finish"] == "refused"

    in_belt(tmp_path, answering(), scenario)


def test_every_role_part_and_tool_argument_of_the_input_is_screened(tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": f"sys {ID_CARD}"},
        {"role": "user", "content": [{"type": "text", "text": f"part {ID_CARD}"}], "name": "bob"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": f'{{"id": "{ID_CARD}"}}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": f"result {ID_CARD}"},
    ]

    async def scenario(belt: Belt) -> None:
        await raw(belt, post({"model": "m", "messages": messages}))
        sent = belt.seen[0]["messages"]

        assert ID_CARD not in json.dumps(sent, ensure_ascii=False)
        assert isinstance(json.loads(sent[2]["tool_calls"][0]["function"]["arguments"]), dict)

    in_belt(tmp_path, answering(), scenario)


def test_duplicate_keys_cannot_hide_a_message_from_the_screen(tmp_path: Path) -> None:
    """What is screened is what is sent: the body goes on as it was understood, not as it was written."""
    body = (
        b'{"model":"m","messages":[{"role":"user","content":"'
        + ID_CARD.encode()
        + b'"}],"messages":[{"role":"user","content":"ok"}]}'
    )

    async def scenario(belt: Belt) -> None:
        await raw(belt, post(body))

        assert ID_CARD not in json.dumps(belt.seen) and len(belt.seen) == 1

    in_belt(tmp_path, answering(), scenario)


def test_tool_arguments_are_screened_as_they_stream_and_stay_json(tmp_path: Path) -> None:
    arguments = json.dumps({"who": ID_CARD, "note": "ok"})

    async def calling(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        head = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
        await event(reply, {"id": "1", "choices": [choice({"role": "assistant", "tool_calls": [head]})]})
        for char in arguments:
            piece = {"tool_calls": [{"index": 0, "function": {"arguments": char}}]}
            await event(reply, {"id": "1", "choices": [choice(piece)]})
        await event(reply, {"id": "1", "choices": [choice({}, "tool_calls")]})
        await reply.end(b"data: [DONE]\n\n")

    async def scenario(belt: Belt) -> None:
        _, chunks = await streamed(belt)
        calls = [t for c in chunks for ch in c.choices for t in (ch.delta.tool_calls or [])]
        said = json.loads("".join(t.function.arguments or "" for t in calls))

        assert said["note"] == "ok" and ID_CARD not in said["who"]
        assert "".join(t.function.name or "" for t in calls) == "f"

    in_belt(tmp_path, calling, scenario, notice=NoticeMode.END)


def test_log_probabilities_do_not_spell_what_was_taken_out(tmp_path: Path) -> None:
    async def telling(_body: dict[str, Any], reply: Reply) -> None:
        tokens = [{"token": ID_CARD[:9], "logprob": -1.0}, {"token": ID_CARD[9:], "logprob": -1.0}]
        message = {"role": "assistant", "content": ID_CARD}
        one = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": {"content": tokens}}
        await json_reply(reply, {"id": "1", "object": "chat.completion", "choices": [one]})

    async def scenario(belt: Belt) -> None:
        data = await raw(belt, post({"model": "m", "messages": HI, "logprobs": True}))

        assert ID_CARD[9:].encode() not in data

    in_belt(tmp_path, telling, scenario)


def test_plain_text_ends_with_the_notice_and_structured_output_is_never_touched(tmp_path: Path) -> None:
    structured = '{"answer": 42}'

    async def scenario(belt: Belt) -> None:
        belt.script = answering("A plain sentence.")
        plain, _ = await streamed(belt)
        async with client(belt) as ai:
            whole = await ai.chat.completions.create(model="m", messages=HI)
            belt.script = answering(structured)
            json_mode = await ai.chat.completions.create(
                model="m", messages=HI, response_format={"type": "json_object"}
            )
        streamed_json, _ = await streamed(belt)

        assert plain.startswith("A plain sentence.\n\n") and "AI" in plain
        assert whole.choices[0].message.content == plain
        assert json_mode.choices[0].message.content == streamed_json == structured

    in_belt(tmp_path, answering(), scenario, notice=NoticeMode.END)


def test_an_untouched_chunk_passes_with_all_its_fields(tmp_path: Path) -> None:
    odd = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi there. "},"x_unknown":[1, 2]}],"extra":  true}\n\n'

    async def oddly(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        await reply.write(odd)
        await event(reply, {"id": "1", "choices": [choice({}, "stop")]})
        await reply.end(b"data: [DONE]\n\n")

    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "messages": HI, "stream": True}))
        events = [line[6:] for line in answer.splitlines() if line.startswith(b"data: {")]

        assert json.loads(events[0]) == json.loads(odd[6:])

    in_belt(tmp_path, oddly, scenario)


def test_completions_embeddings_and_models_pass_guarded(tmp_path: Path) -> None:
    async def script(body: dict[str, Any], reply: Reply) -> None:
        if "input" in body:
            vectors = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
            await json_reply(reply, {"object": "list", "data": vectors, "model": "m", "usage": {}})
        else:
            one = {"index": 0, "text": f"say {FORBIDDEN}", "finish_reason": "stop"}
            await json_reply(reply, {"id": "1", "object": "text_completion", "choices": [one]})

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            done = await ai.completions.create(model="m", prompt="tell")
            await ai.embeddings.create(model="m", input=[f"card {ID_CARD}"], encoding_format="float")
            models = await ai.models.list()

        assert done.choices[0].text == "say " and done.choices[0].finish_reason == "content_filter"
        assert ID_CARD not in json.dumps(belt.seen)
        assert models.data[0].id == "fake"
        assert [r["endpoint"] for r in belt.records("intent")] == ["/v1/completions", "/v1/embeddings"]

    in_belt(tmp_path, script, scenario)


def test_several_choices_are_screened_apart(tmp_path: Path) -> None:
    async def two(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        for char in "purple elephants":
            await event(reply, {"id": "1", "choices": [choice({"content": char}, index=0)]})
            await event(reply, {"id": "1", "choices": [choice({"content": char.upper()}, index=1)]})
        for index in (0, 1):
            await event(reply, {"id": "1", "choices": [choice({}, "stop", index)]})
        await reply.end(b"data: [DONE]\n\n")

    async def scenario(belt: Belt) -> None:
        _, chunks = await streamed(belt, n=2)
        texts = {0: "", 1: ""}
        for chunk in chunks:
            for each in chunk.choices:
                texts[each.index] += each.delta.content or ""

        assert texts == {0: "purple elephants", 1: "PURPLE ELEPHANTS"}

    in_belt(tmp_path, two, scenario)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (post(b"{not json"), 400, "malformed_json"),
        (post(b"[1]"), 400, "malformed_json"),
        (post(b'"\xff"'), 400, "malformed_json"),
        (post(b"[" * 100_000), 400, "nested_too_deeply"),
        (post({}, key="wrong"), 401, "invalid_api_key"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 401, "invalid_api_key"),
        (post({}, path="/v1/images/edits"), 404, "unguarded_endpoint"),
        (post({"input": [1, 2, 3]}, path="/v1/embeddings"), 400, "unreadable_input"),
        (post(b"x" * 20_000_000), 413, "body_too_large"),
    ],
)  # fmt: skip
def test_bad_input_gets_the_upstreams_error_shape_and_a_hint(
    tmp_path: Path, data: bytes, status: int, code: str
) -> None:
    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, data)
        body = json.loads(answer.partition(b"\r\n\r\n")[2])

        assert answer.startswith(b"HTTP/1.1 %d" % status)
        assert body["error"]["code"] == code and body["error"]["hint"] and body["error"]["message"]

    in_belt(tmp_path, answering(), scenario)


def test_an_upstream_that_is_down_is_said_and_recorded(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "messages": HI}))

        assert answer.startswith(b"HTTP/1.1 502") and b"SAFEBELT_UPSTREAM" in answer
        assert belt.records("outcome")[0]["finish"] == "upstream_error"

    in_belt(tmp_path, answering(), scenario, upstream_url="http://127.0.0.1:9/v1")


def test_an_upstream_that_is_silent_is_given_up(tmp_path: Path) -> None:
    async def silent(_body: dict[str, Any], _reply: Reply) -> None:
        await asyncio.sleep(10)

    async def scenario(belt: Belt) -> None:
        assert (await raw(belt, post({"model": "m", "messages": HI}))).startswith(b"HTTP/1.1 504")

    in_belt(tmp_path, silent, scenario)


@pytest.mark.parametrize("garbage", [b"data: {broken\n\n", b'data: {"error": {"message": "x"}}\n\n', b"data: 7\n\n"])
def test_a_stream_that_cannot_be_screened_does_not_pass(tmp_path: Path, garbage: bytes) -> None:
    async def broken(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        await event(reply, {"id": "1", "choices": [choice({"content": "Good. "})]})
        await reply.end(garbage)

    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "messages": HI, "stream": True}))

        assert b"Good. " in answer and garbage not in answer and b"upstream_broken" in answer
        assert belt.records("outcome")[0]["finish"] == "upstream_error"

    in_belt(tmp_path, broken, scenario)


def test_an_upstreams_own_error_passes_with_its_status_and_personal_data_masked(tmp_path: Path) -> None:
    async def angry(_body: dict[str, Any], reply: Reply) -> None:
        await json_reply(reply, {"error": {"message": f"bad {ID_CARD}", "type": "x", "code": "c"}}, 429)

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            with pytest.raises(openai.RateLimitError) as error:
                await ai.chat.completions.create(model="m", messages=HI)

        assert ID_CARD not in str(error.value) and "bad" in str(error.value)
        assert "x-safebelt-aigc" not in error.value.response.headers, "nothing was generated"
        assert "label" not in belt.records("outcome")[0]

    in_belt(tmp_path, angry, scenario)


def test_a_client_that_leaves_ends_the_upstream_call_and_is_recorded(tmp_path: Path) -> None:
    async def endless(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        while True:
            await event(reply, {"id": "1", "choices": [choice({"content": "word "})]})
            await asyncio.sleep(0.005)

    async def scenario(belt: Belt) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(post({"model": "m", "messages": HI, "stream": True}))
        await reader.readuntil(b"word")
        writer.close()
        for _ in range(100):
            if belt.records("outcome"):
                break
            await asyncio.sleep(0.02)

        assert belt.records("outcome")[0]["finish"] == "client_gone"
        assert belt.switch.running() == 0 and not belt.connections - {None}

    in_belt(tmp_path, endless, scenario)


def test_a_cut_is_recorded_with_its_order(tmp_path: Path) -> None:
    async def endless(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        while True:
            await event(reply, {"id": "1", "choices": [choice({"content": "word "})]})
            await asyncio.sleep(0.005)

    async def scenario(belt: Belt) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(post({"model": "m", "messages": HI, "stream": True}))
        await reader.readuntil(b"word")
        belt.switch.apply(Command.CUT, "sys_1", "ord_9")
        for _ in range(100):
            if belt.records("outcome"):
                break
            await asyncio.sleep(0.02)
        refusal = await raw(belt, post({"model": "m", "messages": HI}))
        writer.close()

        outcome = belt.records("outcome")[0]
        assert (outcome["finish"], outcome["order"]) == ("cut", "ord_9")
        assert refusal.startswith(b"HTTP/1.1 503") and b"stopped_by_human" in refusal

    in_belt(tmp_path, endless, scenario)


def test_without_durable_records_nothing_passes(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        await asyncio.to_thread(belt.writer.close)
        answer = await raw(belt, post({"model": "m", "messages": HI}))

        assert answer.startswith(b"HTTP/1.1 503") and b"records_unavailable" in answer and belt.seen == []

    in_belt(tmp_path, answering(), scenario)


def test_the_record_mode_prompt_still_has_the_intent_on_disk_first(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        await raw(belt, post({"model": "m", "messages": HI}))

        assert len(belt.records("intent")) == 1

    in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT)


def test_a_provider_code_makes_the_label_whole(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "messages": HI}))
        label = next(line for line in answer.split(b"\r\n") if line.lower().startswith(b"x-safebelt-aigc"))

        assert json.loads(label.partition(b": ")[2])["AIGC"]["ContentProducer"] == "Example-Co"

    in_belt(tmp_path, answering(), scenario, provider_code="Example-Co")
