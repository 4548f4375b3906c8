"""Citations read as people write them; what is no citation stays as it is."""

import pytest

from safebelt.kernel.text import Text
from safebelt.web.citing import cite_label, cited

OWN = "per_" + "0" * 26
EVIDENCE = "evd_" + "0" * 26


@pytest.mark.parametrize(
    ("cite", "zh", "en"),
    [
        ("eu/ai-act#art_12__para_1", "eu/ai-act 第12条第1款", "eu/ai-act, Art. 12, para. 1"),
        (
            "eu/ai-act#annex_viii__sec_a__point_5",
            "eu/ai-act 附件VIII A节第5项",
            "eu/ai-act, Annex VIII, Section A, point 5",
        ),
        ("cn/gb-t-45654-2025#annex_a_4", "cn/gb-t-45654-2025 附件A.4", "cn/gb-t-45654-2025, Annex A.4"),
        ("cn/genai#transition", "cn/genai transition", "cn/genai, transition"),
        ("house rule", "house rule", "house rule"),
    ],
)
def test_a_provision_is_told_by_its_place(cite: str, zh: str, en: str) -> None:
    assert cite_label(cite, "zh") == zh
    assert cite_label(cite, "en") == en


def test_an_instrument_goes_by_its_name_where_it_is_known() -> None:
    names = {"eu/ai-act": Text(zh="欧盟人工智能法", en="EU AI Act")}

    assert cite_label("eu/ai-act#art_4", "zh", names) == "欧盟人工智能法 第4条"
    assert cite_label("cn/genai#art_4", "en", names) == "cn/genai, Art. 4"


def test_ids_of_the_house_are_left_out_evidence_has_a_page_and_the_rest_leads_to_the_rulebook() -> None:
    told = cited((OWN, EVIDENCE, "eu/ai-act#art_4", "eu.ai-act.art_4", "injection.override"), "en")

    assert told == [
        ("this evidence", f"registry/evidence/{EVIDENCE}"),
        ("eu/ai-act, Art. 4", "rulebook/instruments/eu/ai-act#art_4"),
        ("eu.ai-act.art_4", "rulebook/norms/eu.ai-act.art_4"),
        ("injection.override", ""),
    ]
