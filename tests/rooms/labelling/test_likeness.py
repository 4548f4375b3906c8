"""What was marked is found again by what it looks like, after every mark is gone; and no more is said than that."""

import random
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.conftest import database_url  # noqa: F401  both databases
from tests.rooms.labelling.watermark.pictures import photographed

from safebelt.kernel.actors import OWNER
from safebelt.rooms.labelling import store
from safebelt.rooms.labelling.decide import likeness
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.model.events import Remembered
from safebelt.rooms.labelling.model.likeness import WITHIN, Fingerprint, Likeness
from safebelt.rooms.labelling.service import MarkFile
from safebelt.rooms.labelling.service.likeness import fingerprint_of, said

ANY = st.integers(min_value=0, max_value=(1 << 64) - 1)
KIND = st.sampled_from(list(Likeness))
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEXT = (
    "提供者应当在生成合成的文本、图片、音频、视频和虚拟场景等内容中添加显式标识和隐式标识，并且保存相关日志不少于六个月。"
    "用户可以申请不含显式标识的内容，提供者应当在明确用户的标识义务和使用责任之后再行提供。"
)
OTHER = "今天上午我们沿着河边散步，看见很多白鹭停在浅水里觅食，孩子们拿着望远镜数了又数，一共数到二十七只，中午回家吃了热汤面。"


@given(ANY, KIND, st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_is_near_enough_shares_a_slot(bits, of, data):
    flipped = data.draw(st.sets(st.integers(0, 63), max_size=WITHIN[of]))
    other = Fingerprint(of=of, bits=bits ^ sum(1 << one for one in flipped))

    assert set(likeness.slots(other)) & set(likeness.slots_near(Fingerprint(of=of, bits=bits)))
    assert likeness.distance(bits, other.bits) == len(flipped)


def test_pictures_and_texts_are_never_compared():
    asked = {of: set(likeness.slots_near(Fingerprint(of=of, bits=0))) for of in Likeness}

    assert not asked[Likeness.PICTURE] & asked[Likeness.TEXT]
    assert {of: len(slots) for of, slots in asked.items()} == {Likeness.PICTURE: 188, Likeness.TEXT: 428}


def test_the_chance_of_a_match_is_that_of_drawing_few_differing_bits():
    assert 1 / likeness.chance(Likeness.PICTURE) == pytest.approx(3.6e9, rel=0.02)
    assert 1 / likeness.chance(Likeness.TEXT) == pytest.approx(1.00e8, rel=0.02)


def remember(tx, number, fingerprint, at=AT):
    one = Remembered(id=f"mrk_{number}", system_id="sys_1", sha256=f"{number:064d}", at=at, entry_id="ent_1")
    store.insert(tx, one)
    store.insert_likeness(tx, one.id, fingerprint.bits, likeness.slots(fingerprint))


@pytest.mark.parametrize("of", list(Likeness))
def test_the_nearest_is_found_among_many_and_what_is_farther_is_not(sql, of):
    chance = random.Random(1)
    asked = Fingerprint(of=of, bits=chance.getrandbits(64))
    near = Fingerprint(of=of, bits=asked.bits ^ 0b1011)
    edge = Fingerprint(of=of, bits=asked.bits ^ sum(1 << (6 * i) for i in range(WITHIN[of])))
    beyond = Fingerprint(of=of, bits=asked.bits ^ sum(1 << (5 * i) for i in range(WITHIN[of] + 1)))
    with sql.begin() as tx:
        for number, one in enumerate([edge, near, beyond]):
            remember(tx, number, one)
        for number in range(3, 400):
            remember(tx, number, Fingerprint(of=of, bits=chance.getrandbits(64)))

    with sql.read() as tx:
        found = {
            mark_id: likeness.distance(bits, asked.bits)
            for bits, mark_id in store.in_slots(tx, likeness.slots_near(asked), 1000)
        }

    assert found["mrk_1"] == 3
    assert found["mrk_0"] == WITHIN[of]
    assert found.get("mrk_2", 64) > WITHIN[of]


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "china.jpg"
    Image.fromarray(photographed("china.jpg")).save(path, quality=90)
    return path


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_screenshot_of_a_marked_picture_looks_like_it_and_that_is_all_that_is_said(
    labelling, served, photograph, tmp_path
):
    made = labelling.mark(
        photograph, tmp_path / "m.jpg", MarkFile(system_id=served.id, marks=frozenset({Mark.AIGC})), by=OWNER
    )
    copy, other = tmp_path / "copy.png", tmp_path / "other.png"
    with Image.open(tmp_path / "m.jpg") as picture:
        Image.fromarray(np.asarray(picture.resize((320, 214)))).save(copy)
    Image.fromarray(photographed("flower.jpg")).save(other)

    found, none = labelling.verify(copy), labelling.verify(other)

    axis = found.axes[Axis.FINGERPRINT]
    assert Mark.AIGC in made.put
    assert axis.verdict is Verdict.OK
    assert "neither who made it" in axis.reason.says.en and "不说明它由谁制作" in axis.reason.says.zh
    assert not found.is_marked and not found.is_bad
    assert "does not mean that a human made it" in found.sentence.en and "looks like" in found.sentence.en
    assert none.axes[Axis.FINGERPRINT].verdict is Verdict.ABSENT
    assert "looks like" not in none.sentence.en


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_marked_text_is_found_again_without_its_notice_and_reworded(labelling, certificates, tmp_path):
    source, again, other, short = (tmp_path / f"{name}.txt" for name in ("a", "b", "c", "d"))
    source.write_text(TEXT, "utf-8")
    again.write_bytes(TEXT.replace("保存相关日志", "留存有关日志").encode("gb18030"))
    other.write_text(OTHER, "utf-8")
    short.write_text("好的。", "utf-8")
    labelling.mark(source, tmp_path / "m.md", MarkFile(), by=OWNER)

    verdicts = [labelling.verify(one).axes[Axis.FINGERPRINT].verdict for one in (again, other, short)]

    assert verdicts == [Verdict.OK, Verdict.ABSENT, Verdict.UNKNOWN]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_where_more_come_near_than_are_compared_it_is_not_said_that_none_matches(
    labelling, sql, certificates, monkeypatch
):
    monkeypatch.setattr("safebelt.rooms.labelling.service.base._MOST_COMPARED", 3)
    asked = Fingerprint(of=Likeness.PICTURE, bits=0)
    with sql.begin() as tx:
        for number in range(4):  # near in one piece, far in the others
            remember(tx, number, Fingerprint(of=Likeness.PICTURE, bits=(1 << 60) - (1 << 20 + number)))

    assert labelling.desk.alike(asked) == (None, True)
    assert labelling.desk.alike(None) == (None, False)


def test_what_a_page_says_is_read_without_its_markup():
    page = b"<html><head><title>T</title><SCRIPT>var a = '<p>hidden</p>';</SCRIPT></head><body>One &amp; two<br>three"

    assert said(Kind.HTML, page).split() == ["T", "One", "&", "two", "three"]


@pytest.mark.parametrize(
    "page", [b"<", b"<script", b"<script>" * 50_000, b"<!--" * 50_000, b"<p" * 200_000, b"\xff<\xfe>"]
)
def test_a_page_made_to_hold_a_reader_up_does_not(page):
    assert fingerprint_of(Kind.HTML, page) is None


def test_a_picture_that_shows_nothing_has_no_fingerprint(tmp_path):
    for name, grey in (("white", 255), ("grey", 90)):
        Image.new("RGB", (200, 120), (grey, grey, grey)).save(tmp_path / f"{name}.png")

        assert fingerprint_of(Kind.PNG, (tmp_path / f"{name}.png").read_bytes()) is None
    assert fingerprint_of(Kind.PNG, b"\x89PNG\r\n\x1a\n") is None
