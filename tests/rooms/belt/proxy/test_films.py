"""Films: asked for by the form that the official client sends, and marked when they are fetched."""

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD, Belt, answering, in_belt, json_reply
from tests.rooms.belt.proxy.test_exchange import client
from tests.rooms.belt.proxy.test_media import CODE, POINT, SAMPLES, labels

from safebelt.rooms.belt.proxy import forms, media
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request

FILM = (SAMPLES / "front.mp4").read_bytes()
JOB = {"id": "video_1", "object": "video", "status": "completed", "model": "m", "created_at": 1, "progress": 100}


class Studio:
    """A film service: takes an order, says how far it is, hands the film out."""

    def __init__(self, film: bytes = FILM, media_type: bytes = b"video/mp4", status: int = 200) -> None:
        self.film, self.media_type, self.status = film, media_type, status
        self.asked: list[Request] = []

    async def __call__(self, request: Request, reply: Reply) -> None:
        self.asked.append(request)
        if request.path.endswith("/content"):
            await reply.whole(self.status, ((b"content-type", self.media_type),), self.film)
        else:
            await json_reply(reply, {**JOB, "prompt": f"a card with {ID_CARD} on it"})

    def order(self) -> tuple[forms.Texts, list[forms.File]]:
        ordered = next(one for one in self.asked if one.method == "POST")
        return forms.read(ordered.header(b"content-type"), ordered.body)


def in_studio(tmp_path: Path, studio: Studio, scenario: Callable[[Belt], Awaitable[None]]) -> None:
    async def run(belt: Belt) -> None:
        belt.upstream_handler = studio
        await scenario(belt)

    in_belt(tmp_path, answering(), run, provider_code=CODE)


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")  # the interface outlives the service
def test_a_film_is_ordered_by_the_official_client_and_comes_out_marked_and_on_record(tmp_path: Path) -> None:
    studio = Studio()

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            job = await ai.videos.create(prompt=f"a card {ID_CARD}", model="m", input_reference=("wang.jpg", POINT))
            told = await ai.videos.retrieve(job.id)
            film = (await ai.videos.download_content(job.id)).content
        texts, files = studio.order()
        intents, outcomes = belt.records("intent"), belt.records("outcome")

        assert texts["model"] == "m" and ID_CARD not in texts["prompt"]
        assert [(one.name, one.suffix, one.data) for one in files] == [("input_reference", ".jpg", POINT)]
        assert b"wang" not in studio.asked[0].body
        assert ID_CARD not in (told.prompt or "")
        assert intents[0]["not_evaluated"] == ["input_reference (file)"]
        assert [one["endpoint"] for one in intents] == ["/v1/videos", "/v1/videos/video_1/content"]
        assert [one["ProduceID"] for one in labels(film)] == [outcomes[1]["id"]]
        assert outcomes[1]["contents"] == [
            {
                "kind": "mp4",
                "sha256": sha256(film).hexdigest(),
                "made_sha256": sha256(FILM).hexdigest(),
                "marks": ["aigc"],
            }
        ]

    in_studio(tmp_path, studio, scenario)


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_while_a_film_is_hashed_another_exchange_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began, other_is_done, was_done = threading.Event(), threading.Event(), list[bool]()

    def slowly(data: bytes) -> Any:
        if data == FILM:  # as large as one likes: this hash ends when the other exchange has
            began.set()
            was_done.append(other_is_done.wait(10.0))
        return sha256(data)

    monkeypatch.setattr(media, "sha256", slowly)

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            fetched = asyncio.create_task(ai.videos.download_content("video_1"))
            await asyncio.to_thread(began.wait, 20.0)
            job = await ai.videos.retrieve("video_1")
            is_held = not fetched.done()
            other_is_done.set()
            film = (await fetched).content

        assert was_done == [True] and is_held and job.status == "completed"
        assert {one["made_sha256"] for one in belt.records("outcome")[-1]["contents"]} == {sha256(FILM).hexdigest()}
        assert labels(film)

    in_studio(tmp_path, Studio(), scenario)


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_a_forbidden_order_never_reaches_the_service(tmp_path: Path) -> None:
    studio = Studio()

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            with pytest.raises(openai.BadRequestError) as refusal:
                await ai.videos.create(prompt=f"a {FORBIDDEN}", model="m")
        assert refusal.value.code == "content_filter"
        assert studio.asked == []

    in_studio(tmp_path, studio, scenario)


@pytest.mark.parametrize(
    "studio",
    [
        Studio(b"<html>sign in</html>", b"text/html"),
        Studio(b"<html>sign in</html>", b"video/mp4"),
        Studio(FILM[:100]),
        Studio(POINT),
        Studio(b'{"error": {"message": "not there"}}', b"application/json", 404),
    ],
)
def test_what_is_no_film_does_not_leave_as_one(tmp_path: Path, studio: Studio) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            with pytest.raises(openai.APIStatusError):
                await ai.with_options(timeout=5).get("/videos/video_1/content", cast_to=object)
        assert belt.records("outcome")[0]["finish"] == "upstream_error"

    in_studio(tmp_path, studio, scenario)


def _twice() -> tuple[bytes, bytes]:
    kind, one = forms.written({"prompt": "a point"}, [])
    boundary = kind.rpartition(b"=")[2]
    part = one.removesuffix(b"--" + boundary + b"--\r\n")
    return kind, part + part.replace(b"a point", b"another") + b"--" + boundary + b"--\r\n"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        _twice(),
        forms.written({}, [forms.File(name="elsewhere", suffix="", media_type="image/png", data=b"x")]),
        (b"multipart/form-data; boundary=b", b"no form at all"),
        (b"multipart/form-data", b"--b--\r\n"),
        (
            b"multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n\xff\r\n--b--\r\n',
        ),
        (
            b"multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="a b"\r\n\r\nx\r\n--b--\r\n',
        ),
    ],
    ids=("twice", "a file by another name", "no form", "no boundary", "no text", "no name"),  # a boundary is by chance
)
def test_a_form_that_could_be_read_in_two_ways_is_refused_with_what_to_do(
    tmp_path: Path, content_type: bytes, body: bytes
) -> None:
    studio = Studio()

    async def scenario(belt: Belt) -> None:
        import httpx2

        headers = {"authorization": "Bearer sbk_test", "content-type": content_type.decode()}
        async with httpx2.AsyncClient() as http:
            refused = await http.post(f"{belt.url}/videos", content=body, headers=headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "malformed_form")
        assert studio.asked == []

    in_studio(tmp_path, studio, scenario)


def test_addresses_of_films_lead_nowhere_else_and_take_no_other_method(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        import httpx2

        async with httpx2.AsyncClient(headers={"authorization": "Bearer sbk_test"}) as http:
            asked = {
                path: (await http.request(method, f"{belt.url}{path}")).json()["error"]["code"]
                for method, path in (
                    ("GET", "/videos"),
                    ("DELETE", "/videos/video_1"),
                    ("POST", "/videos/video_1/remix"),
                    ("GET", "/videos/video_1/content?variant=thumbnail"),
                    ("GET", "/videos/%2e%2e/content"),
                )
            }
        assert list(asked.values()) == [
            "method_not_allowed", "method_not_allowed", "unguarded_endpoint", "unsupported_query", "unguarded_endpoint",
        ]  # fmt: skip

    in_studio(tmp_path, Studio(), scenario)


_NAMES = st.from_regex(re.compile(r"[A-Za-z_][\w.-]{0,20}", re.ASCII), fullmatch=True)
_FILES = st.builds(
    forms.File,
    name=_NAMES,
    suffix=st.sampled_from(["", ".png", ".MP4"]),
    media_type=st.just("image/png"),
    data=st.binary(max_size=300),
)


@given(
    st.dictionaries(_NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=5),
    st.none() | _FILES,
)
def test_a_form_comes_back_as_it_was_written(texts: dict[str, str], file: forms.File | None) -> None:
    files = [file] if file and file.name not in texts else []
    assert forms.read(*forms.written(texts, files)) == (texts, files)


@given(st.binary(max_size=400), st.sampled_from([b"multipart/form-data; boundary=b", b"multipart/form-data", b"x"]))
def test_no_bytes_whatever_break_the_reading_of_forms(body: bytes, content_type: bytes) -> None:
    try:
        texts, files = forms.read(content_type, body)
    except forms.Malformed:
        return
    assert all(name for name in texts) and all(one.name for one in files)
