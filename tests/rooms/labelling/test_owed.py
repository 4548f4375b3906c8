"""Which marks are owed follows from the law that applies to the system; what is not known is never taken for *no*."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest
from tests.rooms.certificates.test_pki_c2pa import POINT
from tests.rooms.registry.lifecycle_house import enter
from tests.rooms.rulebook.house import law

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.cli.owed import marks_of
from safebelt.rooms.labelling.decide import owed
from safebelt.rooms.labelling.model import Mark
from safebelt.rooms.labelling.model.owing import (
    BY_EVIDENCE,
    FUNCTION_OF,
    FUNCTIONS,
    METADATA_EVIDENCE,
    METADATA_MARKS,
    PLACES,
    SCHEME_CONTROL,
    Medium,
    Owing,
)
from safebelt.rooms.labelling.pages import panels
from safebelt.rooms.labelling.service import MarkFile
from safebelt.rooms.rulebook import decide as rulebook
from safebelt.web.templating import templates

ON = date(2026, 11, 22)
PUBLIC_IN_CHINA = {"market.jurisdictions": ["cn"], "offer.to_public": True, "system.functions": ["converses"]}
IN_EUROPE = {
    "system.is_ai": True,
    "market.jurisdictions": ["eu"],
    "use.purposes": ["office_productivity"],
    "use.military": "none",
    "use.only_for": [],
    "party.roles": ["provider"],
    "offer.open_source": False,
    "content.editing_assistance_only": False,
    "content.deep_fakes": False,
    "content.text_informs_public": False,
    "eu.law_enforcement.authorised": False,
    "event.placed_on_market_on": date(2026, 9, 1),
}
PICTURE_MAKER = """
safebelt: system/1
id: maker
name: {zh: 画图, en: Picture maker}
facts:
  market.jurisdictions: [cn]
  offer.to_public: true
  system.functions: [generates_images]
"""


def text_on(day=ON):
    return rulebook.text_on(law().rulebook, day)


def judged(known, medium, regimes=(), *, on=ON, is_short=False):
    text = text_on(on)
    judgment = rulebook.judge(text, owed.facts_for(known, medium, regimes), on, owed.instruments(text))
    return owed.owed(judgment, text, medium, regimes=regimes, is_short=is_short)


def verdicts(found):
    return {mark: one.owing for mark, one in found.items()}


def test_the_words_used_here_are_words_of_the_law():
    text = text_on()
    schemes = {
        control.fields["scheme"]
        for norm in text.norms.values()
        for control in norm.controls
        if control.kind == SCHEME_CONTROL
    }

    assert SCHEME_CONTROL in text.controls
    assert {*BY_EVIDENCE, METADATA_EVIDENCE} <= set(text.evidence)
    assert set(METADATA_MARKS) <= schemes
    assert PLACES in text.facts
    assert set(FUNCTION_OF.values()) <= {option.id for option in text.facts[FUNCTIONS].options}


@pytest.mark.parametrize("medium", list(Medium))
def test_what_the_public_in_china_is_given_needs_a_notice_and_a_label_and_no_watermark(medium):
    found = judged(PUBLIC_IN_CHINA, medium, ("cn",))

    assert verdicts(found) == {
        Mark.EXPLICIT: Owing.OWED,
        Mark.AIGC: Owing.OWED,
        Mark.C2PA: Owing.NOT_OWED,
        Mark.WATERMARK: Owing.NOT_OWED,
    }
    assert found[Mark.AIGC].reason.holds is Truth.TRUE
    assert "cn/labelling#art_5__para_1" in found[Mark.AIGC].reason.cites
    assert "cn.labelling.art_5__para_1" in found[Mark.AIGC].norms


def test_what_a_firm_uses_itself_needs_no_label_in_china():
    known = {**PUBLIC_IN_CHINA, "offer.to_public": False, "party.roles": ["deployer"]}

    found = judged(known, Medium.TEXT, ("cn",))

    assert found[Mark.AIGC].owing is Owing.NOT_OWED
    assert found[Mark.AIGC].reason.holds is Truth.FALSE


def test_europe_asks_for_signed_provenance_and_a_watermark():
    found = judged(IN_EUROPE, Medium.IMAGE)

    assert verdicts(found) == {
        Mark.EXPLICIT: Owing.NOT_OWED,
        Mark.AIGC: Owing.NOT_OWED,
        Mark.C2PA: Owing.OWED,
        Mark.WATERMARK: Owing.OWED,
    }
    assert "eu/ai-act#art_50__para_2" in found[Mark.WATERMARK].reason.cites


def test_a_deep_fake_is_to_be_disclosed_as_well():
    known = {**IN_EUROPE, "content.deep_fakes": True, "content.artistic_or_satirical": False}

    assert judged(known, Medium.VIDEO)[Mark.EXPLICIT].owing is Owing.OWED


def test_before_the_law_is_in_force_nothing_is_owed_by_it_and_the_reason_says_from_when():
    found = judged(IN_EUROPE, Medium.IMAGE, on=date(2026, 8, 1))

    assert found[Mark.WATERMARK].owing is Owing.NOT_OWED
    assert "2026-08-02" in found[Mark.WATERMARK].reason.as_text("en")


def test_when_a_system_came_onto_the_market_decides_whether_it_has_time_left_and_is_asked_for():
    known = {name: value for name, value in IN_EUROPE.items() if name != "event.placed_on_market_on"}

    found = judged(known, Medium.IMAGE)[Mark.WATERMARK]

    assert found.owing is Owing.NOT_EVALUATED
    assert "not known:" in found.reason.as_text("en")


def test_missing_facts_are_named_and_are_not_taken_for_no():
    found = judged({}, Medium.AUDIO, ("cn", "eu"))

    assert set(verdicts(found).values()) == {Owing.NOT_EVALUATED}
    assert "not known:" in found[Mark.AIGC].reason.as_text("en")
    assert found[Mark.AIGC].reason.holds is Truth.UNKNOWN


def test_a_text_of_few_bytes_is_surely_short_and_one_byte_more_is_not():
    known = IN_EUROPE

    assert judged(known, Medium.TEXT, is_short=owed.short(200))[Mark.WATERMARK].owing is Owing.NOT_OWED
    assert judged(known, Medium.TEXT, is_short=owed.short(201))[Mark.WATERMARK].owing is Owing.OWED
    assert judged(known, Medium.IMAGE, is_short=True)[Mark.WATERMARK].owing is Owing.OWED


def test_what_may_be_owed_is_put_except_a_watermark():
    asked = judged({}, Medium.IMAGE, ("eu",))

    assert owed.wished(asked, is_narrowed=True) == {Mark.EXPLICIT, Mark.C2PA}
    assert owed.wished(judged(IN_EUROPE, Medium.IMAGE), is_narrowed=False) == {Mark.AIGC, Mark.C2PA, Mark.WATERMARK}


def test_naming_notice_or_watermark_decides_about_both():
    asked = judged(IN_EUROPE, Medium.IMAGE)

    assert marks_of(asked, "", explicit=False, watermark=None) == {Mark.AIGC, Mark.C2PA}
    assert marks_of(asked, "", explicit=None, watermark=True) == {Mark.AIGC, Mark.C2PA, Mark.EXPLICIT, Mark.WATERMARK}
    assert marks_of(asked, "", explicit=None, watermark=None) == {Mark.AIGC, Mark.C2PA, Mark.WATERMARK}


def test_the_facts_on_record_decide_about_a_file(labelling, registry, tmp_path):
    picture = tmp_path / "point.jpg"
    picture.write_bytes(POINT)
    maker = enter(registry, PICTURE_MAKER)

    found = labelling.owed(picture, maker.id)

    assert found.medium is Medium.IMAGE
    assert found.marks[Mark.EXPLICIT].owing is Owing.OWED
    assert found.marks[Mark.AIGC].owing is Owing.OWED
    assert verdicts(labelling.owed(picture, "").marks) == dict.fromkeys(Mark, Owing.NOT_EVALUATED)
    with pytest.raises(NotFound):
        labelling.owed(picture, "sys_none")
    with pytest.raises(NotFound):
        labelling.owed(tmp_path / "none.jpg", "")
    with pytest.raises(Invalid, match="regime"):
        labelling.owed(picture, "", regimes=("us",))


def test_the_dossier_shows_what_is_owed_on_what_the_system_makes_and_how_much_was_marked(labelling, registry, tmp_path):
    picture, maker, plain = tmp_path / "p.jpg", enter(registry, PICTURE_MAKER), enter(registry)
    picture.write_bytes(POINT)
    nothing = labelling.standing(maker.id)
    for name in ("a", "b"):
        wish = MarkFile(system_id=maker.id, marks=frozenset({Mark.AIGC}))
        labelling.mark(picture, tmp_path / f"{name}.jpg", wish, by=OWNER)

    found = labelling.standing(maker.id)

    assert list(found.marks) == [Medium.IMAGE]
    assert found.marks[Medium.IMAGE][Mark.EXPLICIT].owing is Owing.OWED
    assert (nothing.count, nothing.first) == (0, None)
    assert found.count == 2 and found.first <= found.last
    assert labelling.standing(plain.id).marks == {}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_panel_says_it_in_both_languages_with_and_without_facts(labelling, registry, lang):
    (panel,) = panels(labelling)
    shown = [rendered(panel, system.id, lang) for system in (enter(registry, PICTURE_MAKER), enter(registry))]

    assert {"zh": "应当加注", "en": "owed"}[lang] in shown[0]
    assert {"zh": "标识办法", "en": "CN Labelling Measures"}[lang] in shown[0]
    assert {"zh": "尚未", "en": "no file"}[lang] in shown[0]
    assert "<table" in shown[0] and "<table" not in shown[1]
    assert {"zh": "登记系统功能后", "en": "Once they say what it does"}[lang] in shown[1]


def rendered(panel, system_id, lang):
    engine = templates(["labelling"]).engine_instance.engine
    ui = SimpleNamespace(empty=lambda said: said)
    template = engine.get_template(panel.template)
    said = Text(zh="", en="")
    return template.render(
        lang=lang,
        t=lambda zh, en: replace(said, zh=zh, en=en).in_(lang),
        ui=ui,
        may=lambda _action: True,
        panel=panel,
        panel_data=panel.context(system_id, lang),
    )


def test_a_finished_text_is_told_where_its_watermark_would_come_from(labelling, certificates, tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("天气很好。", "utf-8")

    made = labelling.mark(text, tmp_path / "b.txt", MarkFile(marks=frozenset({Mark.WATERMARK})), by=OWNER)

    assert "text-watermark" in made.left_out[Mark.WATERMARK].en
    assert "text-watermark" in made.left_out[Mark.WATERMARK].zh
