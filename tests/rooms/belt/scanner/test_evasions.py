"""Words are found however they are written, and what only looks like them is not."""

import pytest
from bench._evasions import EVASIONS, IN_REQUESTS_ONLY, MORE, Change, carriers
from tests.rooms.belt.scanner.samples import policy, rule

from safebelt.rooms.belt.model import Action, Side, Stance
from safebelt.rooms.belt.scanner import Scanner, StreamScreen

TERMS = (
    "红色按钮",
    "蓝鲸计划",
    "色情",
    "识别",
    "机枪",
    "project whale",
    "sugarhill",
    "blow it up",
    "jackrabbit",
    "scope",
)
SCANNER = Scanner(policy(rule("w", Action.MASK, TERMS)))
ALL: dict[str, Change] = {**EVASIONS, **MORE}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("term", TERMS)
def test_a_word_is_found_however_it_is_written(term: str, name: str) -> None:
    before, after = carriers(term)
    written = ALL[name](term)

    hits = SCANNER.scan(before + written + after, Side.INPUT)

    assert any(
        hit.start <= len(before) + 1 and hit.end >= len(before) + len(written) - len(written) // len(term)
        for hit in hits
    )


@pytest.mark.parametrize("name", [name for name in ALL if name not in IN_REQUESTS_ONLY])
@pytest.mark.parametrize("term", TERMS[:6:2])
def test_nothing_of_it_leaves_a_stream_one_character_at_a_time(term: str, name: str) -> None:
    before, after = carriers(term)
    screen = StreamScreen(SCANNER, Stance.ENFORCE)
    whole = before + ALL[name](term) + after

    passed = "".join([*(screen.feed(char).text for char in whole), screen.close().text])

    assert passed.startswith(f"{before}⟦已遮盖 masked⟧")
    assert passed.endswith(after)


@pytest.mark.parametrize(
    "pinyin",
    ["hongse'anniu", "hóngsèànniǔ", "HongSeAnNiu", "hong se an niu", "Lanjing Jihua", "lan jing ji hua", "se qing"],
)
def test_a_chinese_term_is_found_in_pinyin(pinyin: str) -> None:
    is_claimed = pinyin not in (
        "hongse'anniu",
        "Lanjing Jihua",
    )  # parted elsewhere than at every syllable: not looked for

    assert bool(SCANNER.scan(f"请看 {pinyin} 吧", Side.INPUT)) is is_claimed


@pytest.mark.parametrize(("term", "text"), [("我们", "women and men"), ("禾餐", "he can do it"), ("长", "chang")])
def test_pinyin_that_is_english_is_not_looked_for(term: str, text: str) -> None:
    assert Scanner(policy(rule("w", Action.MASK, (term,)))).scan(text, Side.INPUT) == []


@pytest.mark.parametrize(
    "text",
    [
        "我喜欢暗色，情况却不同。",
        "颜色、情绪、识字、别离",
        "脸色\n\n情况",
        "红色，按钮",
        "In scop e and s cope",
        "a project. Whale watching",
        "the project\n\nWhale watching",
        "sugar hill, sugar-hill",
        "5c0pes 1 5 0 3",
        "blow by blow, it is up",
        "10 机 1 枪 20 支枪，机会",
        "base64 c2NvcA== and %73%63o",
    ],
)
def test_an_honest_text_is_left_alone(text: str) -> None:
    assert SCANNER.scan(text, Side.INPUT) == []


def test_what_an_encoding_hides_is_masked_whole_and_nothing_else() -> None:
    text = "见 &#32418;%E8%89%B2&#x6309;%E9%92%AE。 c2VlIHByb2plY3Qgd2hhbGUhIQ== 完"

    shown = [text[hit.start : hit.end] for hit in SCANNER.scan(text, Side.INPUT)]

    assert shown == ["&#32418;%E8%89%B2&#x6309;%E9%92%AE", "c2VlIHByb2plY3Qgd2hhbGUhIQ=="]
    assert [text[hit.start : hit.end] for hit in SCANNER.scan(text, Side.OUTPUT)] == shown[:1]
