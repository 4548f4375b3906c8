"""What passes the belt carries the marks that the law asks of its system, in what is seen and heard; off means off.

A real belt, its records and all, stands before a service that hands out real files; what leaves it is checked as any
file that somebody brings.
"""

import base64
import io
import json
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from sqlalchemy.exc import OperationalError
from tests.rooms.belt.proxy.bench import Belt, answering, in_belt, json_reply
from tests.rooms.labelling.test_moving import film, speech  # noqa: F401  fixtures
from tests.rooms.labelling.watermark.pictures import photograph
from tests.rooms.registry.lifecycle_house import enter

from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import NoticeMode
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request
from safebelt.rooms.labelling import store
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Axis, Verdict
from safebelt.rooms.labelling.provenance.corners_seen import is_seen
from safebelt.rooms.labelling.provenance.manifests import Manifests
from safebelt.rooms.labelling.service import CannotMark, LetOut, letting
from safebelt.rooms.labelling.service.base import FONT
from safebelt.rooms.labelling.service.painting import Painting

MODES = (NoticeMode.END, NoticeMode.TEXT, NoticeMode.OFF)
OK, ABSENT, UNKNOWN = Verdict.OK, Verdict.ABSENT, Verdict.UNKNOWN
MAKER = """
safebelt: system/1
id: maker
name: {zh: 生成图片, en: Maker}
facts:
  system.is_ai: true
  market.jurisdictions: [%s]
  offer.to_public: true
  use.purposes: [office_productivity]
  use.military: none
  use.only_for: []
  party.roles: [provider]
  offer.open_source: false
  content.editing_assistance_only: false
  content.deep_fakes: false
  content.text_informs_public: false
  eu.law_enforcement.authorised: false
  event.placed_on_market_on: 2026-09-01
  system.functions: [generates_images, generates_speech_or_audio, generates_video]
"""
"""In China the notice is owed, in the Union the watermark."""


@pytest.fixture
def maker(registry) -> str:
    return enter(registry, MAKER % "cn, eu").id


@pytest.fixture
def drawing() -> bytes:
    out = io.BytesIO()
    Image.fromarray(photograph("china.jpg")).save(out, "JPEG", quality=92)
    return out.getvalue()


def serving(content: bytes, media_type: str) -> Callable[[Request, Reply], Awaitable[None]]:
    """A service of pictures, speech and films: every answer is this content."""

    async def serve(request: Request, reply: Reply) -> None:
        if request.path.endswith("/generations"):
            await json_reply(reply, {"created": 1, "data": [{"b64_json": base64.b64encode(content).decode()}]})
        else:
            await reply.whole(200, ((b"content-type", media_type.encode()),), content)

    return serve


class Left:
    """What left a belt, and what it said and wrote down about that."""

    def __init__(self, content: bytes, told: dict[str, Any], record: dict[str, Any]) -> None:
        self.content, self.told, self.record = content, told, record


def through(tmp_path, labelling, system_id, content: bytes, media_type: str, *, notice=NoticeMode.END) -> Left:
    """Let a content pass a belt."""
    kind = media_type.partition("/")[0]

    async def scenario(belt: Belt) -> Left:
        belt.upstream_handler = serving(content, media_type)
        async with httpx2.AsyncClient(headers={"authorization": "Bearer sbk_test"}, timeout=60) as http:
            if kind == "video":
                answer = await http.get(f"{belt.url}/videos/video_1/content")
            else:
                path = "images/generations" if kind == "image" else "audio/speech"
                answer = await http.post(f"{belt.url}/{path}", json={"model": "m", "prompt": "river", "input": "river"})
        assert answer.status_code == 200, answer.text
        record = belt.records("outcome")[0]
        if kind == "image":
            body = answer.json()
            return Left(base64.b64decode(body["data"][0]["b64_json"]), body["safebelt"]["contents"][0], record)
        return Left(answer.content, json.loads(answer.headers["x-safebelt-marks"]), record)

    home = tmp_path / f"belt-{notice.value}"
    return in_belt(home, answering(), scenario, notice=notice, labelling=labelling, system_id=system_id)


def seen(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def checked(labelling, tmp_path: Path, left: Left, name: str, *axes: Axis) -> list[Verdict]:
    path = tmp_path / name
    path.write_bytes(left.content)
    found = labelling.verify(path)
    return [found.axes[axis].verdict for axis in axes or (Axis.EXPLICIT, Axis.WATERMARK, Axis.AIGC)]


def test_a_picture_leaves_with_the_notice_and_a_watermark_that_leads_to_its_record_and_off_means_off(
    tmp_path, labelling, maker, drawing
) -> None:
    left, text, off = (through(tmp_path, labelling, maker, drawing, "image/jpeg", notice=one) for one in MODES)
    facts = left.record["contents"][0]

    assert checked(labelling, tmp_path, left, "p.jpg") == [OK, OK, OK]
    assert checked(labelling, tmp_path, text, "t.jpg") == [UNKNOWN, OK, OK]
    assert checked(labelling, tmp_path, off, "off.jpg") == [UNKNOWN, ABSENT, OK]
    assert (seen(off.content) == seen(drawing)).all()
    assert facts["marks"] == left.told["marks"] == ["aigc", "explicit", "watermark"] and "left_out" not in facts
    remembered = labelling.desk.watermarked(int(facts["watermark"], 16))
    assert remembered is not None and remembered.id == left.record["id"]
    assert labelling.marks().items == () and labelling.standing(maker).count == 0  # files' marks alone are listed


def test_a_system_with_a_hand_signs_over_the_notice(tmp_path, labelling, served, drawing) -> None:
    labelling.desk.hand(served.id)
    left = through(tmp_path, labelling, served.id, drawing, "image/jpeg")
    (path := tmp_path / "p.jpg").write_bytes(left.content)
    manifest = Manifests(labelling.desk.roots()).read(path, Kind.JPEG, left.content)

    assert left.told["marks"] == ["aigc", "c2pa", "explicit", "time_stamp"]  # whether it owes a watermark, is open
    assert manifest is not None and manifest.is_bound and manifest.is_signed and manifest.is_stamped
    assert checked(labelling, tmp_path, left, "s.jpg", Axis.TIME, Axis.CHAIN, Axis.REVOCATION) == [OK, OK, OK]
    assert is_seen(seen(left.content), labelling.desk.folder / FONT)


def test_speech_leaves_with_the_rhythm_and_off_means_off(tmp_path, labelling, maker, speech) -> None:  # noqa: F811
    left, off = (
        through(tmp_path, labelling, maker, speech.read_bytes(), "audio/wav", notice=one)
        for one in (NoticeMode.END, NoticeMode.OFF)
    )

    assert checked(labelling, tmp_path, left, "s.wav") == [OK, OK, OK]
    assert left.told["marks"] == ["aigc", "explicit", "watermark"]
    assert checked(labelling, tmp_path, off, "off.wav") == [UNKNOWN, ABSENT, OK] and off.told["marks"] == ["aigc"]


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_film_opens_with_the_notice_and_off_means_off(tmp_path, labelling, registry, film) -> None:  # noqa: F811
    maker = enter(registry, MAKER % "cn").id
    left, off = (
        through(tmp_path, labelling, maker, film.read_bytes(), "video/mp4", notice=one)
        for one in (NoticeMode.END, NoticeMode.OFF)
    )

    assert left.told["marks"] == ["aigc", "explicit"]
    assert checked(labelling, tmp_path, left, "f.mp4", Axis.EXPLICIT, Axis.AIGC) == [OK, OK]
    assert checked(labelling, tmp_path, off, "off.mp4", Axis.EXPLICIT, Axis.AIGC) == [UNKNOWN, OK]


def test_what_takes_no_notice_leaves_with_the_other_marks_and_says_so(tmp_path, labelling, maker) -> None:
    out = io.BytesIO()
    Image.new("RGB", (60, 40)).save(out, "PNG")
    left = through(tmp_path, labelling, maker, out.getvalue(), "image/png")

    assert left.told["marks"] == ["aigc"] and set(left.told["left_out"]) == {"explicit", "watermark"}
    assert left.record["contents"][0]["left_out"] == left.told["left_out"]


def test_the_notice_speaks_chinese_where_chinese_law_applies_and_else_as_was_asked() -> None:
    in_china, in_europe, nowhere = (
        letting._Due(marks=frozenset(), places=frozenset(one)) for one in ({"cn", "eu"}, {"eu"}, ())
    )
    zh = [letting._lang(*one) for one in ((in_china, "a river"), (in_europe, "一条河"), (nowhere, ""))]
    en = [letting._lang(*one) for one in ((in_europe, "a river"), (in_europe, ""), (nowhere, "a river"))]

    assert zh == ["zh"] * 3 and en == ["en"] * 3


def test_while_the_records_do_not_answer_the_notice_is_put_and_no_watermark(
    labelling, maker, drawing, monkeypatch
) -> None:
    said = Text(zh="无法查询", en="no answer")

    def silent(*_: object, **__: object) -> None:
        raise Unavailable(what=said, hint=said)

    monkeypatch.setattr(labelling, "owed_of", silent)
    made = labelling.let_out([("rec_1", drawing)], LetOut(system_id=maker, may_show=True, may_hide=True))

    assert made[0].put == {"aigc", "explicit"}


def test_a_watermark_is_put_though_nothing_can_be_remembered_and_its_number_is_told(
    labelling, maker, drawing, monkeypatch
) -> None:
    def broken(*_: object) -> None:
        raise OperationalError("insert", {}, Exception("the disk is full"))

    monkeypatch.setattr(store, "insert", broken)
    made = labelling.let_out([("rec_1", drawing)], LetOut(system_id=maker, may_show=True, may_hide=True))

    assert made[0].ident is not None and labelling.desk.watermarked(made[0].ident) is None


@pytest.mark.parametrize(
    ("painting", "why"),
    [(Painting(seconds=0.05), "within the time"), (Painting(memory_bytes=40 << 20), "unexpectedly|memory")],
)
def test_work_that_comes_to_no_end_leaves_the_content_as_it_was(labelling, maker, drawing, painting, why) -> None:
    labelling.__dict__["_painting"] = painting
    made = labelling.let_out([("rec_1", drawing)], LetOut(system_id=maker, may_show=True))[0]

    assert made.put == {"aigc"} and re.search(why, made.left_out["explicit"].en)
    assert not painting._running


def test_a_torn_picture_does_not_leave(labelling, maker, drawing) -> None:
    with pytest.raises(CannotMark):
        labelling.let_out([("rec_1", drawing[: len(drawing) // 3])], LetOut(system_id=maker, may_show=True))
