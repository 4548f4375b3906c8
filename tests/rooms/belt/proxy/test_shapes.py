"""A body of a known shape is read as any body is, and nothing else is known."""

import json
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.belt.guarded import HAS_COMPILER, run_guarded
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD, POLICY, Belt, answering, in_belt

from safebelt.rooms.belt.model import RecordMode
from safebelt.rooms.belt.proxy import shapes
from safebelt.rooms.belt.proxy.plain import Plain, Question, Reading, object_in
from safebelt.rooms.belt.proxy.shapes import Known, Probe, Said
from safebelt.rooms.belt.records.line import encode
from safebelt.rooms.belt.scanner.engine import Scanner

pytestmark = pytest.mark.skipif(not shapes.AVAILABLE, reason="shapes need the module in C")

SCANNER = Scanner(POLICY)
NAMES = (b"content", b"text", b"id")
KEY = {"authorization": "Bearer sbk_test"}
CHARS = st.characters(codec="utf-8") | st.sampled_from('\x00\x01\x02\n"\\/é你😀\u2028')
WORDS = st.text(CHARS, min_size=1, max_size=12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.sampled_from(["content", "id"]), inner),
    max_leaves=8,
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user"]), "content": WORDS}), min_size=1, max_size=3
)
ASKED = st.fixed_dictionaries(
    {"messages": MESSAGES},
    optional={"model": st.sampled_from(["a", "b%"]), "temperature": st.floats(0, 2), "stream": st.booleans()},
)


def filled(shape: bytes, cuts: tuple[bytes, ...]) -> bytes:
    """A shape with something in its holes."""
    parts = iter(cuts)
    return b"".join(next(parts) if byte in (1, 2) else bytes([byte]) for byte in shape)


def said(text: str, *, id_: str = "chatcmpl-1", tokens: int = 7, **more: Any) -> dict[str, Any]:
    """An answer."""
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": id_,
        "created": tokens + 1_700_000_000,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **more}],
        "usage": {"total_tokens": tokens, "prompt_tokens": 3, "details": {"cached": tokens}},
    }


def asked(*texts: str, **more: Any) -> dict[str, Any]:
    """A request."""
    return {"model": "m", "messages": [{"role": "user", "content": text} for text in texts], **more}


def ended(text: str) -> str:
    """A notice, in two languages as the text is; none for a text of one letter."""
    return "" if len(text) == 1 else "\n\n由 AI 生成" if "你" in text else '\n\nMade by "AI"'


def taught(plain: Plain, *bodies: bytes) -> Plain:
    """Something that has seen the shapes of some bodies often enough to know them."""
    for body in bodies:
        for _ in range(2):
            plain.request(body)
            plain.answer(body, ended)
    return plain


all_of = attrgetter("texts", "content", "usage", "shown", "is_silent")


def slowly(monkeypatch: pytest.MonkeyPatch) -> Plain:
    """What reads without knowing any shape."""
    plain = Plain(SCANNER)
    monkeypatch.setattr(plain, "_shapes", Unknown())
    return plain


class Unknown:
    def request(self, _body: bytes) -> None:
        return None

    answer = request


def known(kind: str, plain: Plain, body: bytes) -> Any:
    """What is known of the shape of a body."""
    return getattr(plain._shapes, kind)(body)


# ---- what is taken out


@given(JSON, st.booleans(), st.booleans())
def test_what_is_taken_out_and_what_is_left_make_the_body_again(value: Any, is_ascii: bool, with_numbers: bool) -> None:
    body = json.dumps(value, ensure_ascii=is_ascii, allow_nan=False).encode()

    parted = shapes.part(body, NAMES, with_numbers)

    assert parted is not None
    shape, texts, cuts = parted
    assert filled(shape, cuts) == body
    assert [json.loads(cut) for cut in cuts if cut.startswith(b'"')] == texts
    assert all(str(int(cut)).encode() == cut and len(cut) <= 15 for cut in cuts if not cut.startswith(b'"'))


@given(st.dictionaries(st.sampled_from(["content", "id", "other"]), WORDS | st.integers(0, 10**15 - 1)))
def test_every_text_of_such_a_name_and_every_count_is_taken_out(value: dict[str, Any]) -> None:
    parted = shapes.part(json.dumps(value).encode(), NAMES, True)

    assert parted is not None
    assert parted[1] == [each for name, each in value.items() if name != "other" and isinstance(each, str)]
    assert [int(cut) for cut in parted[2] if cut.isdigit()] == [each for each in value.values() if type(each) is int]


@given(st.binary(max_size=60) | st.text('{}[]",:\\u0d8 \x01contentid019', max_size=60).map(str.encode), st.booleans())
def test_whatever_the_bytes_they_are_made_again_or_let_alone(body: bytes, with_numbers: bool) -> None:
    parted = shapes.part(body, NAMES, with_numbers)

    assert parted is None or filled(parted[0], parted[2]) == body


@given(st.text('"\\ud8Dc0/nu" é', max_size=14))
def test_a_string_is_taken_out_as_json_reads_it_or_not_at_all(inner: str) -> None:
    body = b'{"content":"%b"}' % inner.encode()
    parted = shapes.part(body, NAMES, False)

    try:
        text = msgspec.json.decode(body)["content"]
        text.encode()
    except (msgspec.MsgspecError, UnicodeError, KeyError, TypeError):
        text = None
    if parted is not None and len(parted[1]) == 1 and parted[0] == b'{"content":\x01}':
        assert parted[1] == [text]
    else:
        assert text is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"content":"\xff"}',
        b'{"content":"\xed\xa0\x80"}',
        b'{"content":"\\ud83d"}',
        b'{"content":"\\ude00"}',
        b'{"content":"\\ud83d\\u0041"}',
        b'{"content":"\\x41"}',
        b'{"content":"\\u12g4"}',
        b'{"content":"a\nb"}',
        b'{"content":"a\\',
        b'{"content":"a',
        b'{"content":\x01}',
        b'\x02{"content":"a"}',
    ],
)
def test_what_is_no_string_of_json_or_could_pass_for_a_hole_is_let_alone(body: bytes) -> None:
    assert shapes.part(body, NAMES, True) is None


@pytest.mark.parametrize("number", [b"01", b"-1", b"1.5", b"1e3", b"1" * 16, b"1]", b"1x"])
def test_a_number_that_is_no_count_stays_where_it_is(number: bytes) -> None:
    body = b'{"n":%b}' % number

    assert shapes.part(body, NAMES, True) == (body, [], ())


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("{}", NAMES, True),
        (b"{}", [b"id"], True),
        (b"{}", ("id",), True),
        (b"{}", NAMES, 1),
        (b"{}", (b"a",) * 5, True),
    ],
)
def test_what_the_module_in_c_does_not_take_it_says(wrong: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError)):
        shapes.part(*wrong)


# ---- what is known


@given(ASKED, ASKED, st.booleans(), st.sampled_from([None, 1]))
def test_a_request_of_a_known_shape_is_read_as_any(
    first: dict[str, Any], other: dict[str, Any], is_ascii: bool, indent: int | None
) -> None:
    for at, message in enumerate(other["messages"][: len(first["messages"])]):
        first["messages"][at]["role"] = message["role"]
    second = {**first, "messages": other["messages"][: len(first["messages"])]}
    second["messages"] += first["messages"][len(second["messages"]) :]
    learned, body = (json.dumps(each, ensure_ascii=is_ascii, indent=indent).encode() for each in (first, second))
    plain = taught(Plain(SCANNER), learned)

    found = plain.request(body)

    assert known("request", plain, body) is not None
    assert found is not None
    assert found.texts == {f"messages[{at}].content": each["content"] for at, each in enumerate(second["messages"])}
    assert json.loads(found.passed) == second
    assert json.loads(found.content) == {"texts": found.texts}
    assert {name: found.settings[name] for name in second if name != "messages"} == {
        name: value for name, value in second.items() if name != "messages"
    }


@given(WORDS, WORDS, st.integers(0, 10**6), st.booleans())
def test_an_answer_of_a_known_shape_is_read_as_any(text: str, id_: str, tokens: int, is_ascii: bool) -> None:
    learned, body = (
        json.dumps(each, ensure_ascii=is_ascii).encode()
        for each in (said("Hello."), said(text, id_=id_, tokens=tokens))
    )
    plain = taught(Plain(SCANNER), learned)

    found = plain.answer(body, ended)

    assert known("answer", plain, body) is not None
    assert found is not None
    assert found.texts == {"choices[0].message.content": text}
    assert json.loads(found.content) == {"texts": found.texts}
    assert json.loads(found.usage) == said(text, tokens=tokens)["usage"]
    assert json.loads(found.shown) == (
        said(text + ("" if not text.strip() else ended(text)), id_=id_, tokens=tokens)
        if ended(text)
        else said(text, id_=id_, tokens=tokens)
    )


@pytest.mark.interpreted
def test_both_ways_give_the_same_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    request, answer = (
        msgspec.json.encode(asked("Say hello.", "你好")),
        msgspec.json.encode(said('Hello, 你好 \\ " %s.')),
    )
    quick = taught(Plain(SCANNER), request, answer)

    one, other = quick.request(request), slowly(monkeypatch).request(request)
    assert known("request", quick, request) and known("answer", quick, answer)
    assert one is not None and other is not None
    assert (one.texts, one.content, one.passed) == (other.texts, other.content, other.passed)
    reading, again = quick.answer(answer, ended), slowly(monkeypatch).answer(answer, ended)
    assert all_of(reading) == all_of(again)


def test_a_shape_is_known_from_its_third_coming_on() -> None:
    plain, body = Plain(SCANNER), json.dumps(asked("x y")).encode()

    assert [known("request", plain, body) is not None for _ in range(4)] == [False, True, True, True]


def test_many_texts_stand_in_a_record_in_the_order_of_their_paths() -> None:
    body = json.dumps(asked(*(f"text {at} of 12" for at in range(12)))).encode()
    plain = taught(Plain(SCANNER), body)

    found = plain.request(body)

    assert known("request", plain, body) is not None
    assert found is not None
    assert found.content == encode({"texts": found.texts})


# ---- what is found, and what is never known


@pytest.mark.parametrize("text", [FORBIDDEN, f"my number {ID_CARD}", "绝密大象", "ｐurple elephant protocol"])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_what_is_looked_for_is_found_in_a_known_shape(text: str, is_ascii: bool) -> None:
    request, answer = (json.dumps(each, ensure_ascii=is_ascii).encode() for each in (asked(text), said(text)))
    plain = taught(
        Plain(SCANNER),
        json.dumps(asked("Hello."), ensure_ascii=is_ascii).encode(),
        json.dumps(said("Hello."), ensure_ascii=is_ascii).encode(),
    )

    assert known("request", plain, request) and known("answer", plain, answer)
    assert plain.request(request) is None
    assert plain.answer(answer, ended) is None


def test_a_word_hidden_in_escapes_is_found() -> None:
    hidden = FORBIDDEN.replace("p", "\\u0070")
    plain = taught(Plain(SCANNER), json.dumps(asked("Hello.")).encode())

    assert plain.request(json.dumps(asked("TEXT")).replace("TEXT", hidden).encode()) is None


def test_a_word_in_the_id_of_an_answer_is_found() -> None:
    plain = taught(Plain(SCANNER), json.dumps(said("Hello.")).encode())
    answer = json.dumps(said("Hello.", id_=FORBIDDEN)).encode()

    assert known("answer", plain, answer) is not None
    assert plain.answer(answer, ended) is None


NEVER: list[Callable[[str], str]] = [
    lambda body: body.replace('"model": "m"', f'"model": "{FORBIDDEN}"'),
    lambda body: body.replace('"role": "user"', f'"role": "{FORBIDDEN}"'),
    lambda body: body.replace('"content":', '"content": "other", "content":'),
    lambda body: body.replace('"content":', '"c\\u006fntent":'),
    lambda body: body.replace('"content": "Hello."', '"content": ["Hello."]'),
    lambda body: body.replace('"messages":', '"messages": [{"role": "user", "content": "twice"}], "messages":'),
    lambda body: body.replace('"model": "m"', '"unknown": {"content": "a text nobody reads"}'),
    lambda body: body.replace('"model": "m"', '"tools": []'),
    lambda body: body + "}",
    lambda body: body[:-1],
    lambda body: f"[{body}]",
    lambda body: body.replace('"model": "m"', '"model": "m" "model"'),
]


@pytest.mark.parametrize("changed", NEVER)
def test_what_is_read_otherwise_than_it_is_cut_or_is_not_clean_is_never_known(changed: Callable[[str], str]) -> None:
    body = changed(json.dumps(asked("Hello.")))
    assert body != json.dumps(asked("Hello."))
    plain = taught(Plain(SCANNER), body.encode())

    assert known("request", plain, body.encode()) is None


@pytest.mark.parametrize(
    "more",
    [
        {"logprobs": {"content": [{"token": "a"}]}},
        {"delta": {"content": "a text in the wrong place"}},
        {"note": {"content": "a text nobody said"}},
        {"note": {"id": FORBIDDEN}},
        {"note": FORBIDDEN},
        {FORBIDDEN: 1},
    ],
)
def test_an_answer_that_says_more_than_is_read_plainly_is_never_known(more: dict[str, Any]) -> None:
    body = json.dumps(said("Hello.", **more)).encode()

    assert known("answer", taught(Plain(SCANNER), body), body) is None


def test_of_a_name_that_stands_twice_what_is_judged_is_what_is_sent_on() -> None:
    body = b'{"model":"one","model":"two","messages":[{"role":"user","content":"Hello."}]}'
    plain = taught(Plain(SCANNER), body)

    found = plain.request(body)

    assert known("request", plain, body) is not None
    assert found is not None
    assert found.settings["model"] == "two"
    assert json.loads(found.passed)["model"] == "two"
    assert b"one" not in found.passed


def test_a_body_cannot_say_the_words_of_a_probe() -> None:
    probes = {Probe(b'{"content":\x01,"n":\x02}').body for _ in range(100)}

    assert len(probes) == 100


@pytest.mark.interpreted
def test_a_probe_that_comes_out_twice_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "_word", lambda: "foreseen")
    body = json.dumps({**asked("Hello."), "stream_options": {"foreseen a foreseen": 1}}).encode()
    plain = taught(Plain(SCANNER), body)

    assert known("request", plain, body) is None


def test_what_is_remembered_is_bounded() -> None:
    learned: Known[str] = Known(lambda _: "known")
    for at in range(3_000):
        for _ in range(2):
            learned[b"%d" % at]
    assert learned[b"x" * 5_000] is None

    assert len(learned) <= 256
    assert len(learned._seen) <= 256


def test_a_shape_of_one_scanner_is_not_known_to_another() -> None:
    body = json.dumps(asked("Hello.")).encode()
    taught(Plain(SCANNER), body)

    assert known("request", Plain(SCANNER), body) is None


def test_without_a_compiler_all_is_read_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "AVAILABLE", False)
    body, plain = json.dumps(asked("Hello.")).encode(), Plain(SCANNER)
    taught(plain, body)

    assert known("request", plain, body) is None
    assert isinstance(plain.request(body), Question)
    assert isinstance(plain.answer(json.dumps(said("Hello.")).encode(), ended), Reading)


def test_an_object_is_told_from_all_else() -> None:
    assert object_in(b'{"a":1}') == {"a": 1}
    assert [object_in(raw) for raw in (b"[]", b"1", b"{", b"\xff", b"[" * 100_000)] == [None] * 5


# ---- through the belt


@pytest.mark.interpreted
@pytest.mark.parametrize("mode", [RecordMode.PROMPT, RecordMode.STRICT])
def test_through_a_belt_a_known_shape_is_sent_on_shown_and_recorded_as_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: RecordMode
) -> None:
    shown: list[int] = []
    show = Said.show
    monkeypatch.setattr(Said, "show", lambda self, *args: shown.append(1) or show(self, *args))
    texts = [f'Say hello to {at}, 你好 \\"%s\\n' for at in range(8)]

    async def scenario(belt: Belt) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            answers = [(await calls.post(f"{belt.url}/chat/completions", json=asked(text))).json() for text in texts]
            refused = await calls.post(f"{belt.url}/chat/completions", json=asked(FORBIDDEN))
        assert refused.status_code >= 400
        return answers, belt.seen, belt.records("intent")

    answers, seen, intents = in_belt(tmp_path, answering("Hello."), scenario, mode=mode)

    assert sum(shown) >= 4, "the shape is known from the third on that went the quick way"
    assert [each["messages"][0]["content"] for each in seen] == texts
    assert {json.dumps({**each, "messages": []}) for each in seen} == {json.dumps({**asked(), "messages": []})}
    assert len({json.dumps({**each, "safebelt": None}) for each in answers}) == 1
    assert [each["content"]["texts"]["messages[0].content"] for each in intents[:8]] == texts
    assert len({each["model"] for each in intents[:8]}) == 1


@pytest.mark.soak
@pytest.mark.skipif(not HAS_COMPILER, reason="no compiler")
def test_no_body_and_nothing_in_its_place_makes_it_read_or_write_astray(tmp_path: Path) -> None:
    assert run_guarded(Path(__file__).with_name("spoiling.py"), tmp_path, 120) > 1_000
