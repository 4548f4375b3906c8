"""Fingerprints: like content is near, unlike content is far, and what is too short has none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.labelling.watermark.pictures import ATTACKS, landscape, photograph

from safebelt.rooms.labelling.watermark import fingerprints as prints

ZH = (
    "提供者应当在生成合成的文本、图片、音频、视频和虚拟场景等内容中添加显式标识和隐式标识，并且保存相关日志不少于六个月。"
    "用户可以申请不含显式标识的内容，提供者应当在明确用户的标识义务和使用责任之后再行提供。"
)
EN = (
    "Providers shall ensure that the outputs of the system are marked in a machine-readable format and detectable as "
    "artificially generated or manipulated, and that their technical solutions are effective, interoperable, robust."
)
OTHER_ZH = "今天上午我们沿着河边散步，看见很多白鹭停在浅水里觅食，孩子们拿着望远镜数了又数，一共数到二十七只，中午回家吃了热汤面。"


@pytest.mark.parametrize("attack", [one for one in ATTACKS if not one.startswith(("crop", "rotation"))])
@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_a_picture_is_found_again_after(name, attack):
    plain = photograph(name)

    far = prints.distance(prints.of_picture(plain), prints.of_picture(ATTACKS[attack](plain)))

    assert far <= prints.SAME_PICTURE


def test_other_pictures_do_not_match():
    found = [prints.of_picture(landscape(200, 300, seed=i)) for i in range(12)]
    found += [prints.of_picture(photograph(name)) for name in ("china.jpg", "flower.jpg")]

    nearest = min(prints.distance(one, two) for i, one in enumerate(found) for two in found[:i])

    assert nearest > prints.SAME_PICTURE


@pytest.mark.parametrize("text", [ZH, EN])
def test_a_text_is_found_again_after_spacing_case_width_and_hidden_characters(text):
    changed = "\u200b".join(text.upper().replace("，", " ， ").replace(", ", " ,\n"))

    one, two = prints.of_text(text), prints.of_text(changed)

    assert one is not None
    assert two is not None
    assert prints.distance(one, two) <= 2


@pytest.mark.parametrize(("text", "old", "new"), [(ZH, "保存相关日志", "保存有关日志"), (EN, "robust", "reliable")])
def test_a_text_with_a_few_words_changed_is_found_again(text, old, new):
    one, two = prints.of_text(text), prints.of_text(text.replace(old, new))

    assert one is not None
    assert two is not None
    assert 0 < prints.distance(one, two) <= prints.SAME_TEXT


def test_other_texts_do_not_match():
    found = [prints.of_text(text) for text in (ZH, EN, OTHER_ZH)]

    assert None not in found
    assert min(prints.distance(one, two) for i, one in enumerate(found) for two in found[:i]) > prints.SAME_TEXT


@pytest.mark.parametrize("short", ["", "好的", "Yes, of course.", "哈" * 500, "no " * 500])
def test_what_says_too_little_has_no_fingerprint(short):
    assert prints.of_text(short) is None


@given(st.text(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_fingerprint_or_none(text):
    found = prints.of_text(text)

    assert found is None or 0 <= found < 1 << 64
    assert found == prints.of_text(text)


def test_what_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="8-bit"):
        prints.of_picture(np.zeros((4, 4), np.uint8))
    assert prints.of_picture(np.zeros((1, 1, 3), np.uint8)) == 0
