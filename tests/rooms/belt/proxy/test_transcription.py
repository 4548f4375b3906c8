"""Sound that is written down: asked for by the official client's form; screened in whole and in every piece."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD, POLICY, Belt, answering, in_belt
from tests.rooms.belt.proxy.test_admission import rules
from tests.rooms.belt.proxy.test_exchange import client
from tests.rooms.belt.proxy.test_media import SAMPLES

from safebelt.rooms.belt.model import Action, Command, KeyTerms, Stance
from safebelt.rooms.belt.proxy import forms, subtitles
from safebelt.rooms.belt.proxy.picked import named_model
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request

SOUND = (SAMPLES / "a.wav").read_bytes()
FIRST, SECOND = ID_CARD[:10], ID_CARD[10:]
MAIL = "zhang.san@example.com"


def verbose(*texts: str, text: str | None = None, words: tuple[str, ...] = ()) -> dict[str, Any]:
    """An answer in the form that the interface's own reference shows for `verbose_json`."""
    segment = {"seek": 0, "temperature": 0.0, "avg_logprob": -0.28, "compression_ratio": 1.23, "no_speech_prob": 0.009}
    return {
        "task": "transcribe",
        "language": "english",
        "duration": 8.470000267028809,
        "text": " ".join(one.strip() for one in texts) if text is None else text,
        "segments": [
            {"id": at, **segment, "start": 3.0 * at, "end": 3.0 * at + 3, "text": one, "tokens": [50364, 440, 7534]}
            for at, one in enumerate(texts)
        ],
        "words": [{"word": one, "start": 0.1 * at, "end": 0.1 * at + 0.1} for at, one in enumerate(words)],
        "usage": {"type": "duration", "seconds": 9},
    }


def srt(*texts: str) -> str:
    cues = (f"{at}\n00:00:0{at},000 --> 00:00:0{at + 1},500\n{text}\n" for at, text in enumerate(texts, 1))
    return "\n".join(cues) + "\n"


def vtt(*texts: str) -> str:
    return "WEBVTT\n\n" + "\n".join(f"00:0{at}.000 --> 00:0{at + 1}.500\n{text}\n" for at, text in enumerate(texts, 1))


class Ear:
    """A service that writes down what it is told to have heard."""

    def __init__(self, heard: Any = None, *, kind: str = "", status: int = 200) -> None:
        self.heard = {"text": "The beach was a popular spot."} if heard is None else heard
        self.kind = kind or ("text/plain; charset=utf-8" if isinstance(self.heard, str) else "application/json")
        self.status = status
        self.asked: list[Request] = []

    async def __call__(self, request: Request, reply: Reply) -> None:
        self.asked.append(request)
        said = self.heard if isinstance(self.heard, str) else json.dumps(self.heard, ensure_ascii=False)
        await reply.whole(self.status, ((b"content-type", self.kind.encode()),), said.encode())

    def form(self, at: int = -1) -> tuple[forms.Texts, list[forms.File]]:
        return forms.read(self.asked[at].header(b"content-type"), self.asked[at].body)


def listening(tmp_path: Path, ear: Ear, scenario: Callable[[Belt], Awaitable[None]], **options: Any) -> None:
    async def run(belt: Belt) -> None:
        belt.upstream_handler = ear
        await scenario(belt)

    in_belt(tmp_path, answering(), run, **options)


async def heard(belt: Belt, **more: Any) -> Any:
    async with client(belt) as ai:
        asked = {"file": ("wang.wav", SOUND), "model": "whisper-1", **more}
        return await ai.audio.transcriptions.create(**asked)


async def sent(belt: Belt, body: bytes, content_type: bytes, path: str = "/audio/transcriptions") -> httpx2.Response:
    headers = {"authorization": "Bearer sbk_test", "content-type": content_type.decode()}
    async with httpx2.AsyncClient() as http:
        return await http.post(belt.url + path, content=body, headers=headers)


# ---- what comes in


def test_the_official_clients_form_goes_on_and_the_record_has_the_sounds_digest_and_says_it_was_not_heard(
    tmp_path: Path,
) -> None:
    ear = Ear(verbose(" The beach was", " a popular spot.", words=("The", "beach", "was", "a", "popular", "spot")))

    async def scenario(belt: Belt) -> None:
        said = await heard(
            belt,
            prompt=f"a card {ID_CARD}",
            language="en",
            response_format="verbose_json",
            temperature=0,
            timestamp_granularities=["word", "segment"],
        )
        texts, files = ear.form()
        intent, outcome = belt.records("intent")[0], belt.records("outcome")[0]

        assert (
            said.text == "The beach was a popular spot." and len(said.segments) == 2 and said.words[1].word == "beach"
        )
        assert said.segments[0].tokens == [50364, 440, 7534]  # nothing was masked, so nothing is left out
        assert said.model_extra["safebelt"]["label"]["AIGC"]["ProduceID"] == outcome["id"]
        assert texts["model"] == "whisper-1" and ID_CARD not in texts["prompt"] and texts["language"] == "en"
        assert texts["timestamp_granularities[]"] == ["word", "segment"]
        assert [(one.name, one.suffix, one.data) for one in files] == [("file", ".wav", SOUND)]
        assert b"wang" not in ear.asked[0].body and ear.asked[0].path == "/v1/audio/transcriptions"
        assert (intent["model"], intent["endpoint"]) == ("whisper-1", "/v1/audio/transcriptions")
        assert intent["not_evaluated"] == ["file (audio)"]
        assert intent["sound"] == {"bytes": len(SOUND), "sha256": sha256(SOUND).hexdigest()}
        assert ID_CARD not in json.dumps(intent) and "prompt" in intent["content"]["texts"]
        assert outcome["content"]["texts"] == {"text": "The beach was a popular spot."}

    listening(tmp_path, ear, scenario)


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # one overload of it, whichever is called
def test_a_translation_is_guarded_the_same(tmp_path: Path) -> None:
    ear = Ear({"text": f"his number is {ID_CARD}"})

    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            said = await ai.audio.translations.create(file=("a.wav", SOUND), model="whisper-1")
            with pytest.raises(openai.BadRequestError):
                await ai.audio.translations.create(file=("a.wav", SOUND), model="whisper-1", prompt=FORBIDDEN)
        assert ID_CARD not in said.text and said.text.startswith("his number is")
        assert [one.path for one in ear.asked] == ["/v1/audio/translations"]

    listening(tmp_path, ear, scenario)


@pytest.mark.parametrize(
    "field",
    [{"prompt": FORBIDDEN}, {"language": FORBIDDEN}, {"extra_body": {"note": FORBIDDEN}}],
    ids=("prompt", "language", "a field of no interface"),
)
def test_a_forbidden_text_in_any_field_never_reaches_the_service(tmp_path: Path, field: dict[str, Any]) -> None:
    ear = Ear()

    async def scenario(belt: Belt) -> None:
        with pytest.raises(openai.BadRequestError) as refusal:
            await heard(belt, **field)
        assert refusal.value.code == "content_filter" and ear.asked == []
        assert belt.records("outcome")[0]["finish"] == "refused"

    listening(tmp_path, ear, scenario)


def test_a_belt_that_observes_changes_neither_prompt_nor_transcript_and_notes_both(tmp_path: Path) -> None:
    ear = Ear(verbose(f" {FIRST}", SECOND, text=f"{FIRST}{SECOND}", words=(FIRST, SECOND)))

    async def scenario(belt: Belt) -> None:
        said = await heard(belt, prompt=f"{FORBIDDEN} {ID_CARD}", response_format="verbose_json")
        intent, outcome = belt.records("intent")[0], belt.records("outcome")[0]
        assert ear.form()[0]["prompt"] == f"{FORBIDDEN} {ID_CARD}"
        assert said.text == ID_CARD and said.segments[1].text == SECOND and said.words[0].word == FIRST
        assert (intent["would"], intent["done"], outcome["would"], outcome["done"]) == (
            "refuse",
            "flag",
            "mask",
            "flag",
        )
        assert SECOND not in json.dumps(outcome)  # the record masks what stands in two pieces, too

    listening(tmp_path, ear, scenario, stance=Stance.OBSERVE)


@pytest.mark.parametrize("value", ["true", "True", "1", "on"])
def test_a_stream_is_refused_with_what_to_leave_out(tmp_path: Path, value: str) -> None:
    ear = Ear()

    async def scenario(belt: Belt) -> None:
        with pytest.raises(openai.BadRequestError) as refusal:
            await heard(belt, extra_body={"stream": value})
        assert refusal.value.code == "no_stream"
        assert "Leave out" in refusal.value.message and "请去掉" in refusal.value.message
        assert ear.asked == []
        assert (await heard(belt, extra_body={"stream": "false"})).text

    listening(tmp_path, ear, scenario)


def test_what_is_no_form_is_told_to_be_one(tmp_path: Path) -> None:
    ear = Ear()

    async def scenario(belt: Belt) -> None:
        refused = await sent(belt, b'{"model": "whisper-1"}', b"application/json")
        assert (refused.status_code, refused.json()["error"]["code"]) == (415, "form_only")
        assert "multipart/form-data" in refused.json()["error"]["message"] and ear.asked == []

    listening(tmp_path, ear, scenario)


def part(name: str, data: bytes, more: str = "", head: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n{head}\r\n'.encode() + data + b"\r\n"


FILE = part("file", b"RIFF", '; filename="a.wav"', "Content-Type: audio/wav\r\n")
MODEL, END = part("model", b"m"), b"--b--\r\n"
FORM = b"multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (b"multipart/form-data", FILE + MODEL + END),
        (FORM, FILE + MODEL),
        (FORM, FILE + MODEL + b"--b"),
        (FORM, FILE + b"".join(part(f"f{at}", b"x") for at in range(1000)) + END),
        (FORM, FILE + MODEL + part("x", part("prompt", b"y"), "", "Content-Type: multipart/mixed; boundary=b\r\n") + END),
        (FORM, FILE + MODEL + part("x", b"y", "", "Content-Type: multipart/mixed; boundary=c\r\n") + END),
        (FORM, FILE + MODEL + part("prompt", b"\xff\xfe\x00") + END),
        (FORM, FILE + MODEL + part("model", b"n") + END),
        (FORM, FILE + MODEL + part("_charset_", b"utf-7") + END),
        (FORM, FILE + FILE + MODEL + END),
        (FORM, part("file", b"RIFF", "", "") + MODEL + END),
        (FORM, MODEL + END),
        (FORM, FILE + part("model", b"m", '; filename="m.txt"') + END),
        (FORM, FILE + MODEL + part("a" * 65, b"x") + END),
        (b"multipart/form-data; boundary=c", FILE + MODEL + END),
        (FORM, b"before\r\n" + FILE + MODEL + END),
    ],
    ids=(
        "no boundary", "no end", "half an end", "1,000 parts", "nested", "nested with an end of its own", "no text",
        "two models", "a charset", "two files", "a file without a name", "no file", "a model as a file", "a long name",
        "another boundary", "something before",
    ),
)  # fmt: skip
def test_a_form_that_is_broken_or_could_be_read_in_two_ways_is_refused(
    tmp_path: Path, content_type: bytes, body: bytes
) -> None:
    ear = Ear()

    async def scenario(belt: Belt) -> None:
        refused = await sent(belt, body, content_type)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "malformed_form")
        assert ear.asked == []
        assert (await sent(belt, FILE + MODEL + END, FORM)).status_code == 200  # the same, whole

    listening(tmp_path, ear, scenario)


def test_a_number_of_somebodys_passes_in_no_media_type(tmp_path: Path) -> None:
    ear = Ear()

    async def scenario(belt: Belt) -> None:
        await heard(belt, file=("a.wav", SOUND, f"audio/{ID_CARD}"))
        await heard(belt, file=("a.wav", SOUND, "audio/wav"))
        assert [ear.form(at)[1][0].media_type for at in (0, 1)] == ["application/octet-stream", "audio/wav"]
        assert ID_CARD not in json.dumps(belt.records("intent"))

    listening(tmp_path, ear, scenario)


def test_what_stands_behind_a_form_is_not_passed_on(tmp_path: Path) -> None:
    ear = Ear()

    async def scenario(belt: Belt) -> None:
        assert (await sent(belt, FILE + MODEL + END + part("model", b"n") + END, FORM)).status_code == 200
        assert ear.form()[0] == {"model": "m"} and ear.asked[0].body.count(b'name="model"') == 1

    listening(tmp_path, ear, scenario)


# ---- who may ask


def test_an_order_for_the_model_that_the_form_names_stops_it_and_no_other(tmp_path: Path) -> None:
    ear = Ear()

    async def scenario(belt: Belt) -> None:
        belt.switch.apply(Command.PAUSE, "model:whisper-1", "ord_9")
        with pytest.raises(openai.InternalServerError) as stopped:
            await heard(belt)
        assert stopped.value.code == "stopped_by_human" and ear.asked == []
        assert (await heard(belt, model="other")).text

    listening(tmp_path, ear, scenario)


def test_a_rule_on_models_reads_the_forms(tmp_path: Path) -> None:
    ear = Ear()

    async def scenario(belt: Belt) -> None:
        with pytest.raises(openai.PermissionDeniedError) as barred:
            await heard(belt, model="big")
        assert barred.value.code == "not_permitted" and ear.asked == []
        assert (await heard(belt, model="small")).text

    listening(tmp_path, ear, scenario, admission=rules('when { context.model == "big" }'))


@pytest.mark.parametrize(("scope", "is_let_in"), [("audio", True), ("chat", False)])
def test_the_scope_is_sound(tmp_path: Path, scope: str, is_let_in: bool) -> None:
    ear = Ear()

    async def scenario(belt: Belt) -> None:
        assert ((await sent(belt, FILE + MODEL + END, FORM)).status_code == 200) is is_let_in
        assert bool(ear.asked) is is_let_in

    listening(tmp_path, ear, scenario, key={"terms": KeyTerms(scopes=(scope,))})


@given(st.binary(max_size=80), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_the_model_that_rules_are_asked_about_is_the_one_that_is_asked(noise: bytes, model: str) -> None:
    kind, body = forms.written({"prompt": "x", "model": model}, [])
    assert named_model(body) == forms.read(kind, body)[0]["model"] == model
    assert named_model(noise + body) is None or not noise
    assert named_model(b"--" + noise) is None


# ---- what goes out


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("json", {"text": f"my card is {ID_CARD}."}),
        ("text", f"my card is {ID_CARD}.\n"),
        ("srt", srt("hello", f"my card is {ID_CARD}.")),
        ("vtt", vtt("hello", f"my card is {ID_CARD}.")),
        ("verbose_json", verbose(" hello", f" my card is {ID_CARD}.", words=("hello", "my", "card", "is", ID_CARD))),
        ("verbose_json", verbose(" hello", f" my card is {ID_CARD}.", text="hello")),
        ("verbose_json", verbose(" hello", text="hello", words=("hello", ID_CARD))),
        ("verbose_json", verbose(" hello", text="hello", words=("hello", FIRST, SECOND))),
    ],
    ids=("json", "text", "srt", "vtt", "all", "a segment only", "a word only", "two words only"),
)
def test_what_a_rule_masks_leaves_in_no_form(tmp_path: Path, asked: Any, answer: Any) -> None:
    async def scenario(belt: Belt) -> None:
        async with client(belt) as ai:
            said = await ai.audio.transcriptions.with_raw_response.create(
                file=("a.wav", SOUND), model="m", response_format=asked
            )
        shown = said.http_response.text
        assert FIRST not in shown and SECOND not in shown and ("hello" in shown or "my card is" in shown)
        assert said.headers["x-safebelt-verdict"] == "mask" and said.headers["x-safebelt-aigc"]
        if asked == "verbose_json":
            told = json.loads(shown)
            assert told["words"] == [] and told["segments"][0]["tokens"] == []  # they would spell it out
            assert told["segments"][0]["text"] == " hello"
        outcome = belt.records("outcome")[0]
        assert outcome["done"] == "mask" and SECOND not in json.dumps(outcome)

    listening(tmp_path, Ear(answer), scenario)


@pytest.mark.parametrize(
    ("asked", "clean"),
    [
        ("srt", srt("hello", "12")),
        ("vtt", vtt("hello", "12")),
        ("text", "hello\n"),
        ("srt", srt("x").replace("\n", "\r\n")),
        ("srt", srt("1,", "3,", "8,", "12,", "34,", "56,", "78.")),
        ("vtt", vtt("in 1380,", "in 1234,", "and in 567 BC.")),
        ("srt", srt("第13,", "81,", "23,", "45,", "67,", "8题。")),
    ],
    ids=("srt", "vtt", "text", "crlf", "counting", "years", "tasks"),
)
def test_what_is_clean_comes_as_it_was_written(tmp_path: Path, asked: str, clean: str) -> None:
    async def scenario(belt: Belt) -> None:
        assert await heard(belt, response_format=asked) == clean.replace("\r\n", "\n")

    listening(tmp_path, Ear(clean), scenario)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("verbose_json", verbose(f" my card is {FIRST}", SECOND, text=f"my card is {ID_CARD}")),
        ("verbose_json", verbose(f" my card is {FIRST}", SECOND, text="")),
        ("verbose_json", verbose(" room 7", FIRST, SECOND, "9 o'clock", text="")),
        ("verbose_json", verbose(" zhang.san@", "example.com", text=MAIL)),
        ("verbose_json", verbose(" zhang san", " at example", text=MAIL)),
        ("srt", srt(f"my card is {FIRST}", SECOND)),
        ("srt", srt(f"my card is {FIRST}\n{SECOND}")),
        ("vtt", vtt(f"my card is {FIRST}", SECOND)),
        ("vtt", vtt("zhang.san@", "example.com")),
        ("vtt", vtt("110105", "194912", "31002X")),  # no numbers of cues
        ("srt", srt("我的证件号是 110105，", "19491231，", "002X，谢谢")),
        ("vtt", vtt("call 138,", "1234,", "5678.")),
        ("verbose_json", verbose(" 1381234,", "5678.", text="")),
    ],
    ids=(
        "digits",
        "pieces alone",
        "between other numbers",
        "a mail",
        "only the text",
        "srt",
        "two lines",
        "vtt",
        "vtt mail",
        "lines of digits",
        "three lines with commas",
        "a telephone in groups",
        "two with a comma",
    ),
)
def test_what_stands_over_two_pieces_cannot_be_masked_there_and_does_not_leave(
    tmp_path: Path, asked: str, answer: Any
) -> None:
    async def scenario(belt: Belt) -> None:
        with pytest.raises(openai.BadRequestError) as refusal:
            await heard(belt, response_format=asked)
        outcome = belt.records("outcome")[0]
        assert refusal.value.code == "unplaced_finding" and "response_format" in refusal.value.message
        assert FIRST not in refusal.value.message and "zhang" not in refusal.value.message
        assert (outcome["finish"], outcome["done"], outcome["status"]) == ("refused", "refuse", 400)
        assert "label" not in outcome and "x-safebelt-aigc" not in refusal.value.response.headers
        assert SECOND not in json.dumps(outcome) and MAIL not in json.dumps(outcome)

    listening(tmp_path, Ear(answer), scenario)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("json", {"text": f"a {FORBIDDEN} b"}),
        ("text", f"a {FORBIDDEN} b"),
        ("verbose_json", verbose(" hello", f" {FORBIDDEN}", " and how to do it", text="hello")),
        ("verbose_json", verbose(" purple elephant", " protocol", " and how to do it", text="hello")),
        ("verbose_json", verbose(" hello", text="hello", words=("purple", "elephant", "protocol"))),
        ("srt", srt("hello", f"{FORBIDDEN}", "and how to do it")),
        ("vtt", vtt("绝密", "大象")),
    ],
    ids=("json", "text", "a segment", "two segments", "words", "srt", "vtt"),
)
def test_where_a_rule_refuses_nothing_of_a_transcript_leaves(tmp_path: Path, asked: str, answer: Any) -> None:
    async def scenario(belt: Belt) -> None:
        with pytest.raises(openai.BadRequestError) as refusal:
            await heard(belt, response_format=asked)
        assert refusal.value.code == "content_filter" and "how to do it" not in refusal.value.message
        assert "test rule" in refusal.value.message and "Write to the operator" in refusal.value.message
        outcome = belt.records("outcome")[0]
        assert (outcome["finish"], outcome["rules"]) == ("refused", ["words"])

    listening(tmp_path, Ear(answer), scenario)


def test_the_same_transcripts_pass_where_no_rule_is_against_them(tmp_path: Path) -> None:
    open_rules = tuple(one if one.is_red_line else replace(one, action=Action.ALLOW) for one in POLICY.rules)
    ear = Ear(verbose(f" {FORBIDDEN} {FIRST}", SECOND, words=(FIRST, SECOND)))

    async def scenario(belt: Belt) -> None:
        said = await heard(belt, response_format="verbose_json")
        assert said.segments[1].text == SECOND and FORBIDDEN in said.text and said.words[0].word == FIRST

    listening(tmp_path, ear, scenario, policy=replace(POLICY, rules=open_rules, digest="1" * 64))


def test_words_that_run_together_are_not_other_words(tmp_path: Path) -> None:
    ear = Ear(verbose(" the crim", "son line", words=("the", "crim", "son", "line")))

    async def scenario(belt: Belt) -> None:
        assert len((await heard(belt, response_format="verbose_json")).words) == 4

    listening(tmp_path, ear, scenario)


@pytest.mark.parametrize(
    ("asked", "ear"),
    [
        ("json", Ear("no JSON at all")),
        ("text", Ear("<html>sign in</html>", kind="text/html")),
        ("text", Ear("moved", status=302)),
        ("text", Ear("data: {}\n\n", kind="text/event-stream")),
    ],
    ids=("a text as JSON", "a page", "a redirect", "a stream"),
)
def test_what_is_no_transcript_does_not_leave_as_one(tmp_path: Path, asked: str, ear: Ear) -> None:
    async def scenario(belt: Belt) -> None:
        with pytest.raises(openai.APIStatusError) as broken:
            await heard(belt, response_format=asked)
        assert broken.value.code == "upstream_broken"
        assert belt.records("outcome")[0]["finish"] == "upstream_error"

    listening(tmp_path, ear, scenario)


def test_escapes_hide_nothing_in_json_that_is_called_plain_text(tmp_path: Path) -> None:
    ear = Ear('{"text": "' + "".join(f"\\u{ord(char):04x}" for char in ID_CARD) + '"}')

    async def scenario(belt: Belt) -> None:
        assert ID_CARD not in (await heard(belt)).text and ID_CARD not in str(await heard(belt))

    listening(tmp_path, ear, scenario)


def test_a_services_own_error_comes_through_masked(tmp_path: Path) -> None:
    ear = Ear({"error": {"message": f"no such card {ID_CARD}", "code": "bad"}}, status=400)

    async def scenario(belt: Belt) -> None:
        with pytest.raises(openai.BadRequestError) as error:
            await heard(belt, response_format="text")
        assert "no such card" in error.value.message and ID_CARD not in error.value.message

    listening(tmp_path, ear, scenario)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200))
def test_of_subtitles_no_line_is_lost_and_what_is_no_time_is_a_text(text: str) -> None:
    read = subtitles.read(text)
    assert read.written(read.texts) == text
    left = "".join(read.written([""] * len(read.texts)).split())
    assert not set(left) - set("0123456789:.,->") and ("-->" in text or not left)
