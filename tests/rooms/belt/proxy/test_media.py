"""Pictures and speech leave the belt marked, or not at all; seen by the official client and by the label's readers."""

import base64
import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD, Belt, answering, in_belt, json_reply, post, raw
from tests.rooms.belt.proxy.test_exchange import client
from tests.rooms.certificates.test_pki_c2pa import POINT

from safebelt.rooms.belt.proxy import fetching
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request
from safebelt.rooms.labelling.formats.kinds import carrier_of, sniff

CODE = "001191310104MACE0YX63918020"
SAMPLES = Path(__file__).resolve().parents[3] / "data" / "labelling"
SPOKEN = {
    "wav": (b"audio/wav", SAMPLES / "a.wav"),
    "mp3": (b"audio/mpeg", SAMPLES / "bare.mp3"),
    "flac": (b"audio/flac", SAMPLES / "a.flac"),
    "opus": (b"audio/ogg", SAMPLES / "a.opus"),
}
Handler = Callable[[Request, Reply], Awaitable[None]]


def drawing(*items: dict[str, Any]) -> Handler:
    async def draw(_request: Request, reply: Reply) -> None:
        await json_reply(reply, {"created": 1, "data": list(items)})

    return draw


def speaking(media_type: bytes, sound: bytes) -> Handler:
    async def speak(_request: Request, reply: Reply) -> None:
        await reply.whole(200, ((b"content-type", media_type),), sound)

    return speak


def labels(content: bytes) -> list[dict[str, str]]:
    kind = sniff(content)
    assert kind is not None
    return [json.loads(found.value) for found in carrier_of(kind).read(content)]


def as_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def scene(tmp_path: Path, handler: Handler, scenario: Callable[[Belt], Awaitable[None]]) -> None:
    async def run(belt: Belt) -> None:
        belt.upstream_handler = handler
        await scenario(belt)

    in_belt(tmp_path, answering(), run, provider_code=CODE)


def test_a_picture_comes_out_marked_and_on_record(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            drawn = await ai.images.generate(prompt="a point", model="m", response_format="b64_json")
        picture = base64.b64decode(drawn.data[0].b64_json)
        outcome = belt.records("outcome")[0]

        assert [one["ProduceID"] for one in labels(picture)] == [outcome["id"]]
        assert labels(picture)[0]["ContentProducer"] == CODE
        assert outcome["contents"] == [
            {
                "kind": "jpg",
                "sha256": sha256(picture).hexdigest(),
                "made_sha256": sha256(POINT).hexdigest(),
                "marks": ["aigc"],
            }
        ]
        assert drawn.model_extra["safebelt"]["label"]["AIGC"]["ProduceID"] == outcome["id"]

    scene(tmp_path, drawing({"b64_json": as_text(POINT), "revised_prompt": "one point"}), scenario)


def test_of_several_pictures_each_has_a_number_of_its_own(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            drawn = await ai.images.generate(prompt="two points", model="m", n=2, response_format="b64_json")
        numbers = [labels(base64.b64decode(one.b64_json))[0]["ProduceID"] for one in drawn.data]
        record = belt.records("outcome")[0]["id"]

        assert numbers == [f"{record}-1", f"{record}-2"]

    scene(tmp_path, drawing({"b64_json": as_text(POINT)}, {"b64_json": as_text(POINT)}), scenario)


def test_a_picture_in_an_address_of_its_own_is_marked_there(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            drawn = await ai.images.generate(prompt="a point", model="m")
        head, _, body = drawn.data[0].url.partition(",")

        assert head == "data:image/jpeg;base64"
        assert len(labels(base64.b64decode(body))) == 1

    scene(tmp_path, drawing({"url": f"data:image/jpeg;base64,{as_text(POINT)}"}), scenario)


def placing(place: Callable[[Belt], str], serve: Handler) -> Callable[[Belt], Handler]:
    """An upstream that draws by address, and serves what lies there."""

    def of(belt: Belt) -> Handler:
        async def handle(request: Request, reply: Reply) -> None:
            if request.method == "GET":
                await serve(request, reply)
            else:
                await json_reply(reply, {"created": 1, "data": [{"url": place(belt)}]})

        return handle

    return of


def placed(tmp_path: Path, of: Callable[[Belt], Handler], scenario: Callable[[Belt], Awaitable[None]]) -> None:
    async def run(belt: Belt) -> None:
        belt.upstream_handler = of(belt)
        await scenario(belt)

    in_belt(tmp_path, answering(), run, provider_code=CODE)


def test_a_picture_at_the_upstreams_own_origin_is_fetched_without_our_key_and_leaves_marked(tmp_path: Path) -> None:
    asked: list[Request] = []

    async def serve(request: Request, reply: Reply) -> None:
        asked.append(request)
        await reply.whole(200, ((b"content-type", b"image/jpeg"),), POINT)

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            drawn = await ai.images.generate(prompt="a point", model="m")
        head, _, body = drawn.data[0].url.partition(",")
        outcome = belt.records("outcome")[0]

        assert head == "data:image/jpeg;base64"
        assert [one["ProduceID"] for one in labels(base64.b64decode(body))] == [outcome["id"]]
        assert outcome["contents"][0]["made_sha256"] == sha256(POINT).hexdigest()
        assert [(one.target, one.header(b"authorization")) for one in asked] == [("/pictures/1.jpg?v=2", b"")]

    placed(tmp_path, placing(lambda belt: f"{belt.up_origin}/pictures/1.jpg?v=2", serve), scenario)


async def _elsewhere(_request: Request, reply: Reply) -> None:
    await reply.whole(302, ((b"location", b"http://127.0.0.1:9/secret"),), b"")


async def _gone(_request: Request, reply: Reply) -> None:
    await reply.whole(404, (), b"")


async def _endless(_request: Request, reply: Reply) -> None:
    await reply.whole(200, (), b"\xff" * (fetching.MAX_BYTES + 1))


async def _no_picture(_request: Request, reply: Reply) -> None:
    await reply.whole(200, (), b"<html>sign in</html>")


@pytest.mark.parametrize("serve", [_elsewhere, _gone, _endless, _no_picture])
def test_what_lies_at_an_address_and_is_no_picture_does_not_leave(
    tmp_path: Path, serve: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 1 << 16)

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            with pytest.raises(openai.APIStatusError) as refused:
                await ai.images.generate(prompt="a point", model="m")
        assert refused.value.status_code == 502
        assert belt.records("outcome")[0]["finish"] == "upstream_error"

    placed(tmp_path, placing(lambda belt: f"{belt.up_origin}/p.jpg", serve), scenario)


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1:8000@elsewhere.example/p",
        "http://10.0.0.1:8000\\@elsewhere.example/p",
        "http://elsewhere.example\\@10.0.0.1:8000/p",
        "http://10.0.0.1:8000/p HTTP/1.1\r\nx: y",
        "http://10.0.0.1:8000/\u56fe",
        "HTTP://10.0.0.1:8000/p",
        "//10.0.0.1:8000/p",
        "http://10.0.0.1:99999/p",
        "file:///etc/passwd",
        "http://",
    ],
)
def test_an_address_that_could_be_read_in_two_ways_has_no_origin(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        fetching.origin_of(address)


def test_an_origin_is_scheme_host_and_port_and_nothing_less() -> None:
    assert fetching.origin_of("http://10.0.0.1:8000/v1") == fetching.origin_of("http://10.0.0.1:8000")
    assert fetching.origin_of("https://a.example/p?q=1#f") == "https://a.example:443"
    assert fetching.origin_of("http://[::1]/p") == "http://[::1]:80"
    different = {
        "http://a.example",
        "https://a.example",
        "http://a.example:81",
        "http://b.example",
        "http://a.example.",
    }
    assert len({fetching.origin_of(one) for one in different}) == len(different)


@pytest.mark.parametrize(
    "item",
    [
        {"url": "https://elsewhere.example/p.png"},
        {"url": "http://127.0.0.1/p.png"},
        {"b64_json": "@@@"},
        {"b64_json": as_text(b"no picture at all")},
        {"b64_json": as_text(POINT[:40])},
        "not even an object",
    ],
)
def test_what_cannot_be_marked_does_not_leave(tmp_path: Path, item: Any) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            with pytest.raises(openai.APIStatusError) as refused:
                await ai.images.generate(prompt="a point", model="m")
        assert refused.value.status_code == 502
        assert refused.value.body["code"] == "unmarked_content"
        assert belt.records("outcome")[0]["finish"] == "upstream_error"

    scene(tmp_path, drawing(item), scenario)


def test_a_forbidden_prompt_never_reaches_the_model_and_words_beside_a_picture_are_screened(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def draw(request: Request, reply: Reply) -> None:
        asked.append(request.body)
        item = {"b64_json": as_text(POINT), "revised_prompt": f"a card with {ID_CARD} on it"}
        await json_reply(reply, {"created": 1, "data": [item]})

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            with pytest.raises(openai.BadRequestError):
                await ai.images.generate(prompt=f"a {FORBIDDEN}", model="m")
            assert asked == []
            drawn = await ai.images.generate(prompt="a card", model="m")
        assert ID_CARD not in drawn.data[0].revised_prompt
        assert labels(base64.b64decode(drawn.data[0].b64_json))

    scene(tmp_path, draw, scenario)


def test_forbidden_words_beside_a_picture_keep_it_back(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "prompt": "x"}, path="/v1/images/generations"))
        body = json.loads(answer.partition(b"\r\n\r\n")[2])

        assert body["data"] == [] and body["safebelt"]["verdict"] == "refuse"

    scene(tmp_path, drawing({"b64_json": as_text(POINT), "revised_prompt": FORBIDDEN}), scenario)


@pytest.mark.parametrize("name", SPOKEN)
def test_speech_comes_out_marked_in_its_own_format(tmp_path: Path, name: str) -> None:
    media_type, path = SPOKEN[name]

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            said = await ai.audio.speech.with_raw_response.create(input="hello", model="m", voice="alloy")
        outcome = belt.records("outcome")[0]

        assert said.headers["content-type"] == media_type.decode()
        assert [one["ProduceID"] for one in labels(said.content)] == [outcome["id"]]
        assert json.loads(said.headers["x-safebelt-aigc"])["AIGC"]["ProduceID"] == outcome["id"]
        assert outcome["contents"][0]["sha256"] == sha256(said.content).hexdigest()

    scene(tmp_path, speaking(media_type, path.read_bytes()), scenario)


@pytest.mark.parametrize("media_type", [b"audio/pcm", b"audio/wav", b"application/octet-stream"])
def test_bare_samples_carry_no_mark_and_do_not_leave(tmp_path: Path, media_type: bytes) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            with pytest.raises(openai.APIStatusError) as refused:
                await ai.audio.speech.create(input="hello", model="m", voice="alloy", response_format="pcm")
        assert refused.value.body["code"] == "unmarked_content"

    scene(tmp_path, speaking(media_type, b"\x01\x00\x02\x00" * 500), scenario)


@pytest.mark.parametrize("path", ["/v1/images/generations", "/v1/audio/speech"])
def test_a_stream_of_contents_does_not_leave(tmp_path: Path, path: str) -> None:
    async def stream(_request: Request, reply: Reply) -> None:
        await reply.whole(200, ((b"content-type", b"text/event-stream"),), b"data: {}\n\ndata: [DONE]\n\n")

    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "prompt": "x", "input": "x", "stream": True}, path=path))

        assert answer.startswith(b"HTTP/1.1 502") and b"unmarked_content" in answer

    scene(tmp_path, stream, scenario)


def test_an_upstreams_refusal_is_passed_on_as_one(tmp_path: Path) -> None:
    async def refuse(_request: Request, reply: Reply) -> None:
        await json_reply(reply, {"error": {"message": "no such voice", "code": "voice"}}, 400)

    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "input": "x", "voice": "y"}, path="/v1/audio/speech"))

        assert answer.startswith(b"HTTP/1.1 400") and b"no such voice" in answer
        assert b"x-safebelt-aigc" not in answer

    scene(tmp_path, refuse, scenario)
