"""Facts on record: the dossier lists duties, and a red line bars a system from service."""

from datetime import timedelta

import pytest
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app
from tests.rooms.registry.lifecycle_house import DESCRIBED, into_service, move

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.registry.model import (
    Awaited,
    Duties,
    NamePerson,
    PersonRole,
    RegisterParty,
    RegisterSystem,
    Standing,
    Status,
)

HIRING = """
safebelt: system/1
id: hiring
name: {zh: 简历筛选, en: CV screening}
facts:
  system.is_ai: true
  market.jurisdictions: [eu]
  use.military: none
  use.only_for: []
  use.practices: []
  use.purposes: [recruitment_selection]
  profiling.natural_persons: true
"""
MILITARY = HIRING.replace("use.military: none", "use.military: also")


@pytest.fixture
def system(registry, clock):
    clock.now += timedelta(days=10)  # the house's own red lines hold from the day they were written
    party = registry.register_party(RegisterParty(name="Provider"), by=OWNER)
    command = RegisterSystem(provider_id=party.id, name_en="Screening", purpose_en="Sorts applications")
    return registry.register_system(command, by=OWNER)


def test_without_facts_duties_are_not_evaluated(registry, system):
    dossier = registry.dossier(system.id)

    assert isinstance(dossier.duties, Awaited)
    assert dossier.standing is not Standing.EVALUATED


def test_with_facts_the_dossier_says_class_duties_and_who_answers(registry, system):
    registry.name_person(system.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="王芳"), by=OWNER)
    record = registry.describe(system.id, HIRING, by=OWNER)

    duties = registry.dossier(system.id).duties

    assert isinstance(duties, Duties)
    assert duties.facts_version == record.version == 1
    assert duties.classes["eu/ai-act"]["strictest"] == "high_risk"
    owed = {one["norm"]: one for one in duties.owed}
    assert owed["eu.ai-act.art_26__para_2"]["persons"] == ["王芳"]
    assert owed["eu.ai-act.art_26__para_2"]["why"]["cites"]
    assert duties.open > 0
    assert duties.barred_by == ()


def test_a_system_that_meets_a_red_line_is_recorded_and_kept_out_of_service(registry, system):
    registry.describe(system.id, MILITARY, by=OWNER)

    with pytest.raises(Conflict, match="red line"):
        into_service(registry, system.id)
    assert registry.system(system.id).status is Status.IDEA
    assert registry.barred_by(system.id) == ("house.red-lines.line_1",)


def test_facts_that_meet_no_red_line_let_it_start(registry, system):
    registry.describe(system.id, DESCRIBED, by=OWNER)

    assert into_service(registry, system.id).status is Status.IN_SERVICE


def test_a_system_in_service_is_suspended_by_the_facts_that_bar_it(registry, system):
    registry.describe(system.id, DESCRIBED, by=OWNER)
    into_service(registry, system.id)
    registry.describe(system.id, MILITARY, by=OWNER)

    assert registry.system(system.id).status is Status.SUSPENDED
    kinds = [act.kind for act in registry.dossier(system.id).acts]
    assert [kind for kind in kinds if not kind.startswith("registry.change")][:2] == [
        "registry.system_moved.v1",
        "rulebook.system_described.v1",
    ]


def test_new_facts_lift_the_bar_and_every_version_is_kept(registry, system, clock):
    registry.describe(system.id, MILITARY, by=OWNER)
    clock.now += timedelta(days=1)
    registry.describe(system.id, DESCRIBED, by=OWNER)

    assert into_service(registry, system.id).status is Status.IN_SERVICE
    assert [one.version for one in registry.descriptions(system.id)] == [2, 1]


def test_the_same_facts_twice_are_refused_and_a_retired_system_takes_none(registry, system):
    registry.describe(system.id, HIRING, by=OWNER)
    with pytest.raises(Conflict, match="on record already"):
        registry.describe(system.id, HIRING, by=OWNER)
    move(registry, system.id, Status.RETIRED, "over")
    with pytest.raises(Conflict):
        registry.describe(system.id, MILITARY, by=OWNER)


def test_a_bad_descriptor_leaves_nothing_behind(registry, system):
    with pytest.raises(Invalid) as refused:
        registry.describe(system.id, HIRING.replace("recruitment_selection", "recruitment_selecton"), by=OWNER)
    assert "recruitment_selection" in str(refused.value)
    assert registry.descriptions(system.id) == []
    with pytest.raises(NotFound):
        registry.describe("sys_nobody", HIRING, by=OWNER)


def test_facts_come_in_by_page_and_api_alike(registry, system):
    with TestClient(build_app(registry)) as client:
        page = f"/en/registry/systems/{system.id}/facts"
        refused = client.post(page, data={"descriptor": "nonsense"})
        assert refused.status_code == 422
        assert "nonsense" in refused.text
        put = client.put(f"/api/registry/systems/{system.id}/facts", json={"descriptor": MILITARY})
        assert put.json()["barred_by"] == ["house.red-lines.line_1"]
        posted = client.post(page, data={"descriptor": HIRING}, follow_redirects=False)
        assert posted.status_code == 303
        for lang, word in (("zh", "高风险"), ("en", "high-risk")):
            assert word in client.get(f"/{lang}/registry/systems/{system.id}").text
        assert client.get(f"/api/registry/systems/{system.id}/dossier").json()["duties"]["facts_version"] == 2
