"""A stream passes on exactly what screening the whole text would, however it is cut, and holds back a bounded little."""

import json
import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.scanner.samples import EVERYTHING, MASKED_WORDS, NEAR_MISSES, ONLY_MASKS, RED_LINE, REFUSED, VALID

from safebelt.rooms.belt.decide import PLACEHOLDERS, apply, hits_of
from safebelt.rooms.belt.model import Action, Hit, Side, Stance
from safebelt.rooms.belt.scanner import Scanner, StreamScreen
from safebelt.rooms.belt.scanner.stream import MAX_HELD, MAX_HELD_CHARS

ALL, MASKS = Scanner(EVERYTHING), Scanner(ONLY_MASKS)
OUT = Side.OUTPUT

_values = [text for texts in (*VALID.values(), *NEAR_MISSES.values()) for text in texts]
_fragments = st.one_of(
    st.sampled_from(_values),
    st.sampled_from(_values).flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut])),
    st.sampled_from(
        [*MASKED_WORDS, *RED_LINE, *REFUSED, "蓝鲸", "project wh", "越过红", "BLOW  it up", "Ｂｌｏｗ it up", "class"]
    ),
    st.sampled_from(
        [
            "你好，世界。",
            "The quick fox ",
            " ",
            "\n",
            "——",
            "\u200b",
            "\u0301",
            "ﬁ",
            "京",
            "-",
            "+",
            "(",
            "：",
            "de89 ",
            "-----BEGIN ",
        ]
    ),
    st.sampled_from(
        [r"\u84dd", r"\\u9cb8\u8ba1\u5212", r"\u53f7", r"\ud83d\ude00", r"\ud83d", r"\xe8\x93\x9d", "%u84dd"]
    ),
    st.text("\\ux0123{}%&#;ab蓝", max_size=10),
    st.text("0123456789 .-+@:()aefsk_京粤·红色按钮蓝人\u200b", max_size=12),
    st.text(max_size=5),
)
texts = st.lists(_fragments, max_size=8).map("".join)


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = draw(texts)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=30)))
    return text, [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]


def stream(
    scanner: Scanner, pieces: list[str], stance: Stance = Stance.ENFORCE, *, as_json: bool = False
) -> tuple[str, list[Hit], bool]:
    screen = StreamScreen(scanner, stance, OUT, "x", as_json=as_json)
    released = [*(screen.feed(piece) for piece in pieces), screen.close()]
    return "".join(r.text for r in released), [hit for r in released for hit in r.hits], screen.is_refused


def whole(
    scanner: Scanner, text: str, stance: Stance = Stance.ENFORCE, *, as_json: bool = False
) -> tuple[str, list[Hit], bool]:
    hits = hits_of(scanner.policy, stance, OUT, "x", scanner.scan(text, OUT, as_json=as_json))
    passed, is_refused = apply(text, hits, as_json=as_json)
    return passed, list(hits), is_refused


@settings(max_examples=500, deadline=None)
@given(cut_texts())
def test_any_cutting_passes_on_what_the_whole_text_would(cut: tuple[str, list[str]]) -> None:
    text, pieces = cut

    passed, _, is_refused = stream(ALL, pieces)

    assert (passed, is_refused) == whole(ALL, text)[::2]


@settings(max_examples=300, deadline=None)
@given(texts)
def test_one_character_at_a_time_passes_on_and_finds_what_the_whole_text_would(text: str) -> None:
    passed, hits, is_refused = stream(MASKS, list(text))

    expected, expected_hits, _ = whole(MASKS, text)
    assert (passed, is_refused) == (expected, False)
    assert sorted(hits, key=_place) == sorted(expected_hits, key=_place)


def _place(hit: Hit) -> tuple[int, int, str, str]:
    return hit.start, hit.end, hit.rule, hit.detector


@settings(max_examples=200, deadline=None)
@given(cut_texts())
def test_observing_changes_nothing_but_red_lines_and_reports_the_same(cut: tuple[str, list[str]]) -> None:
    text, pieces = cut

    passed, hits, is_refused = stream(ALL, pieces, Stance.OBSERVE)

    expected, expected_hits, expected_refused = whole(ALL, text, Stance.OBSERVE)
    assert (passed, is_refused) == (expected, expected_refused)
    if not is_refused:
        assert passed == text
        assert sorted(hits, key=_place) == sorted(expected_hits, key=_place)
        assert all(hit.done is Action.FLAG for hit in hits)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["13812345678", "alice@example.com", "蓝鲸计划", "好", '"', "\\", "\n", "é", "😀", "1.5e3"]),
        max_size=6,
    ),
    st.booleans(),
    st.data(),
)
def test_json_stays_valid_and_escapes_hide_nothing(items: list[str], ascii_only: bool, data: st.DataObject) -> None:
    value = {"text": "，".join(items), "phone": 13812345678, "list": [-13812345678, 13812345678.5, True, *items]}
    source = json.dumps(value, ensure_ascii=ascii_only)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(source)), max_size=20)))

    passed, _, _ = stream(MASKS, [source[a:b] for a, b in pairwise([0, *cuts, len(source)])], as_json=True)

    assert passed == whole(MASKS, source, as_json=True)[0]
    decoded = json.dumps(json.loads(passed), ensure_ascii=False)
    assert "13812345678" not in decoded
    assert "蓝鲸计划" not in decoded


@pytest.mark.parametrize("phrase", [*REFUSED, *RED_LINE])
def test_a_forbidden_phrase_never_leaves_one_character_at_a_time_and_the_text_before_it_does(phrase: str) -> None:
    before, after = "安全的前文 safe text, ", "，后文"
    for spelling in (phrase, phrase.upper(), "\u200b".join(phrase)):
        screen, passed = StreamScreen(ALL, Stance.ENFORCE), ""
        for char in before + spelling + after:
            passed += screen.feed(char).text
            assert before.startswith(passed)
        passed += screen.close().text
        assert passed == before
        assert screen.is_refused


@pytest.mark.parametrize("text", [text for name, values in VALID.items() for text in values if name != "invisible_run"])
def test_no_character_of_personal_data_ever_leaves(text: str) -> None:
    before, passed = "我的是：", ""
    screen = StreamScreen(MASKS, Stance.ENFORCE)

    for char in before + text + "。谢谢":
        passed += screen.feed(char).text
        assert passed.startswith(before) or before.startswith(passed)
        assert passed[len(before) :][:1] in ("", "⟦")
    passed += screen.close().text

    assert passed in {before + shown + "。谢谢" for shown in PLACEHOLDERS.values()}


def test_after_a_refusal_nothing_more_leaves() -> None:
    screen = StreamScreen(ALL, Stance.ENFORCE)
    screen.feed("按下红色按钮。")

    assert screen.feed("more").text == ""
    assert screen.close().text == ""
    assert screen.done is Action.REFUSE


FLOODS = {
    "digits": "7" * 30_000,
    "letters": "a" * 30_000,
    "dotted": "a." * 15_000,
    "at signs": "a@" * 15_000,
    "dashes": "-" * 30_000,
    "groups": "4111 " * 6_000,
    "colons": "a:" * 15_000,
    "prefix of a phrase": "红色" * 15_000,
    "overlapping phrase": "人" * 30_000,
    "invisible": "红\u200b" + "\u200b" * 30_000,
    "plates": "京a" * 15_000,
    "pem": "-----begin " * 3_000,
    "jwt": "eyj" * 10_000,
    "jwt with dashes": "-eyj" * 7_500,
    "iban": "de89 " * 6_000,
    "brackets": "((((" * 7_500,
    "zalgo": "a" + "\u0301" * 30_000,
    "backslashes": "\\" * 30_000,
    "token": VALID["jwt"][0] + "x" * 30_000,
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_held_within_bounds_and_costs_linear_time(name: str) -> None:
    text = FLOODS[name][:5_000]
    screen, most = StreamScreen(MASKS, Stance.ENFORCE, as_json=name == "backslashes"), 0
    started = time.process_time()

    for char in text:
        screen.feed(char)
        most = max(most, screen.held)

    spent = time.process_time() - started
    assert most <= MAX_HELD + 64 * 64  # far below MAX_HELD_CHARS, which also allows for escapes
    assert MAX_HELD < MAX_HELD_CHARS
    assert spent / len(text) < 0.002, "seconds per character: quadratic or worse"


@pytest.mark.parametrize("name", FLOODS)
def test_scanning_a_flood_takes_linear_time(name: str) -> None:
    def seconds(text: str) -> float:
        """The best of five: a busy neighbour makes a run longer, never shorter."""
        best = float("inf")
        for _ in range(5):
            started = time.process_time()
            MASKS.scan(text, OUT)
            best = min(best, time.process_time() - started)
        return best

    small, large = FLOODS[name][:3_000], FLOODS[name][:24_000]

    assert seconds(large) < 24 * max(seconds(small), 0.004)  # 8 times the text; quadratic would be 64 times


ZH = (
    "机器学习是人工智能的一个分支，它让计算机能够从数据中学习规律，而不必为每一种情况编写明确的规则。近年来，深度神经网络"
    "在图像识别、语音识别和自然语言处理等方面取得了显著进展。不过，模型的能力越强，对安全、透明和责任的要求也就越高。北京和"
    "上海等城市在2024年开展了多项试点，参与的企业超过120家。我们应当在发展中规范，在规范中发展，让技术更好地服务于人。"
)
EN = (
    "Machine learning is a branch of artificial intelligence that lets computers learn from data instead of following rules "
    "written for every case. In recent years, deep networks have made remarkable progress in vision, speech and language. "
    "Yet the more capable a model is, the more we ask of its safety, its transparency and the people who answer for it. In 2024, "
    "some 120 companies took part in trials; the results were mixed, and that is worth saying plainly."
)


@pytest.mark.parametrize(("text", "limit"), [(ZH, 0.5), (EN, 3.5)])
def test_ordinary_prose_is_held_back_by_few_characters(text: str, limit: float) -> None:
    # Measured 0.02 and 3.2: in English it is the word being written, which may still become an e-mail address.
    draw = random.Random(7)
    held: list[int] = []
    screen, place = StreamScreen(ALL, Stance.ENFORCE), 0
    while place < len(text):
        size = draw.randint(1, 6)
        screen.feed(text[place : place + size])
        place += size
        held.append(screen.held)

    assert sum(held) / len(held) <= limit
    assert max(held) <= 20


@pytest.mark.soak
def test_many_seeded_texts_stream_as_they_scan() -> None:
    draw = random.Random(20261121)
    for _ in range(300):
        text = "".join(
            draw.choice([*_values, "，", " ", "红色", "按钮", "好", "a"]) for _ in range(draw.randint(1, 12))
        )
        pieces, place = [], 0
        while place < len(text):
            size = draw.randint(1, 9)
            pieces.append(text[place : place + size])
            place += size
        assert stream(ALL, pieces)[::2] == whole(ALL, text)[::2], text
