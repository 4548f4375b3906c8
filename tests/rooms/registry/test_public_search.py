"""The public finds published systems as the house finds all: by words, mistyped too; and nothing that is not shown."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from safebelt.kernel.actors import OWNER
from safebelt.rooms.registry.decide import search as judge
from safebelt.rooms.registry.model import ChangeSystem, RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.public import Wanted
from safebelt.rooms.registry.model.publication import EndPublication, Publish, PublishMany, Visibility
from safebelt.rooms.registry.model.search import Question
from safebelt.rooms.registry.service import finding
from safebelt.rooms.registry.store import published
from safebelt.rooms.registry.store.search import posting
from safebelt.rooms.registry.store.segments import HOUSE, PUBLIC

ROOT = Path(__file__).parents[3]
CLEAR = Publish(reason="面向公众的服务", contact="help@service.example", cleared="普通公共服务")
NAMES = ("Falcon recruitment", "Heron recruitment", "Falcon fraud detection", "Crane scheduling")
WHEN_MERGED = pytest.mark.parametrize("is_merged", [False, True], ids=["fresh", "merged"])


@pytest.fixture
def enter(registry):
    """Registers systems of one provider by their English names."""
    provider = registry.register_party(RegisterParty(name="明理科技有限公司", contact="13800138000"), by=OWNER)

    def enter(name: str):
        texts = {"name_zh": "招聘筛选助手", "purpose_zh": "回答办事问题。", "purpose_en": "Answers questions."}
        return registry.register_system(RegisterSystem(name_en=name, provider_id=provider.id, **texts), by=OWNER)

    return enter


@pytest.fixture
def shown(registry, enter):
    systems = [enter(name) for name in NAMES]
    registry.publish_many(PublishMany(decision=CLEAR, ids=tuple(one.id for one in systems)), by=OWNER)
    return systems


def found(registry, search: str) -> list[str]:
    return [one.name.en for one in registry.public_systems(Wanted(search=search), size=100).items]


def rename(registry, system, name: str) -> None:
    registry.change_system(system.id, ChangeSystem(version=system.version, reason="x", name_en=name), by=OWNER)


@WHEN_MERGED
def test_published_systems_are_found_by_words_and_mistypes_in_both_languages(registry, shown, is_merged) -> None:
    assert not is_merged or registry.merge_search(least=1) == len(NAMES)

    assert sorted(found(registry, "recrutment")) == sorted(NAMES[:2])
    assert sorted(found(registry, "falcn falcon")) == sorted((NAMES[0], NAMES[2]))
    assert sorted(found(registry, "筛选")) == sorted(NAMES)
    assert found(registry, "fraud falcon") == [NAMES[2]]
    assert found(registry, shown[3].id) == [NAMES[3]]
    assert found(registry, "sparrow") == found(registry, "...") == []


@WHEN_MERGED
def test_words_that_only_the_house_reads_find_nothing_in_public(registry, shown, enter, is_merged) -> None:
    hidden = enter("Kestrel surveillance")
    rename(registry, shown[0], "Osprey recruitment")
    assert not is_merged or registry.merge_search(least=1)

    house = [registry.search(Question(text=text)) for text in ("kestrel", "osprey")]

    assert [[hit.system.id for hit in page.hits] for page in house] == [[hidden.id], [shown[0].id]]
    assert found(registry, "kestrel") == found(registry, "kestral") == found(registry, "osprey") == []
    assert NAMES[0] in found(registry, "falcon")  # what was published is what it is found by


def test_no_word_of_the_house_is_taken_for_a_mistyped_one_in_public(registry, shown, enter, sql) -> None:
    enter("Kestrel surveillance")
    registry.merge_search(least=1)
    asked = [*judge.asked("kestral").parts, *judge.asked("falcoon").parts]

    with sql.read() as tx:
        meant = {on: [b"".join(each.text) for each in finding.meant(tx, asked, on)] for on in (HOUSE, PUBLIC)}

    assert [b"kestrel" in terms for terms in meant[HOUSE]] == [True, False]
    assert [b"kestrel" in terms for terms in meant[PUBLIC]] == [False, False]
    assert [b"falcon" in terms for terms in meant[PUBLIC]] == [False, True]


@WHEN_MERGED
def test_what_is_taken_back_is_found_no_longer_and_what_is_renamed_by_its_new_name(registry, shown, is_merged) -> None:
    assert not is_merged or registry.merge_search(least=1)
    registry.unpublish(shown[0].id, EndPublication(reason="An error."), by=OWNER)
    rename(registry, shown[2], "Osprey fraud detection")
    registry.publish(shown[2].id, CLEAR, by=OWNER)

    before = found(registry, "falcon"), found(registry, "osprey")
    assert not is_merged or registry.merge_search(least=1)
    after = found(registry, "falcon"), found(registry, "osprey")

    assert before == after == ([], ["Osprey fraud detection"])


@WHEN_MERGED
def test_an_embargoed_system_is_found_and_counted_from_its_day_on(registry, clock, enter, is_merged) -> None:
    until = clock().date() + timedelta(days=2)
    wish = replace(CLEAR, visibility=Visibility.EMBARGOED, until=until, basis="eu/ai-act#art_71")
    registry.publish(enter("Kestrel surveillance").id, wish, by=OWNER)
    assert not is_merged or registry.merge_search(least=1)

    clock.move(days=1)
    before = registry.public_systems(Wanted(search="kestrel"))
    clock.move(days=1)
    after = registry.public_systems(Wanted(search="kestrel"))

    assert (before.items, before.total, before.next) == ((), 0, "")
    assert ([one.name.en for one in after.items], after.total) == (["Kestrel surveillance"], 1)


def test_pages_in_words_follow_each_other_and_a_cursor_nobody_gave_begins_anew(registry, shown) -> None:
    wanted = Wanted(search="招聘")
    first = registry.public_systems(wanted, size=3)
    later = registry.public_systems(wanted, size=3, cursor=first.next)
    second = registry.public_systems(wanted, size=3, page=2)
    beyond = registry.public_systems(wanted, size=3, page=9)

    assert len(first.items) == 3
    assert len({one.id for one in (*first.items, *later.items)}) == len(shown)
    assert later.items == second.items == beyond.items
    assert (first.total, first.pages, later.next, second.next) == (4, 2, "", "")
    for cursor in ("sys_1", "1", "-1-2", "1-2-3", "９-９"):
        assert registry.public_systems(wanted, size=3, cursor=cursor) == first


def test_words_are_narrowed_by_stage_whether_few_or_many_have_it(registry, shown, monkeypatch) -> None:
    from safebelt.rooms.registry.store import public

    wanted = Wanted(search="recruitment", stage=shown[0].status)
    other = replace(wanted, stage=next(one for one in type(shown[0].status) if one != shown[0].status))
    few = registry.public_systems(wanted), registry.public_systems(other)
    monkeypatch.setattr(public, "SPARSE", 0)

    many = registry.public_systems(wanted), registry.public_systems(other)

    assert [page.total for page in few] == [2, 0]
    assert many == few


def test_an_index_of_an_older_version_is_read_through_until_it_is_entered_anew(registry, shown, sql) -> None:
    registry.merge_search(least=1)
    with sql.begin() as tx:  # as the version before left it: no public shelves, and no word of how far they are
        for shelf in (*(shelf for pair in PUBLIC.words for shelf in pair), b"v"):
            tx.execute(posting.delete().where(posting.c.term >= shelf, posting.c.term < shelf + b"\xff"))
    with sql.read() as tx:
        assert not published.is_ready(tx)
    read_through = found(registry, "falcon"), found(registry, "falcoon")

    steps = [registry.index_published(limit=3) for _ in range(4)]
    registry.merge_search(least=1)

    assert steps == [3, 1, 0, 0]
    assert read_through == ([NAMES[2], NAMES[0]], [])
    assert sorted(found(registry, "falcoon")) == sorted((NAMES[0], NAMES[2]))


def test_a_narrowed_list_is_counted_no_further_than_it_says_and_leads_on(registry, shown, monkeypatch) -> None:
    from safebelt.rooms.registry.store import public

    wanted = Wanted(stage=shown[0].status)
    monkeypatch.setattr(public, "COUNTED_WITHIN", 2)

    page = registry.public_systems(wanted, size=2)
    rest = registry.public_systems(wanted, size=9, cursor=page.next)

    assert (page.total, page.is_more, len(page.items)) == (2, True, 2)
    assert [one.id for one in (*page.items, *rest.items)] == sorted((one.id for one in shown), reverse=True)
    assert registry.public_systems(Wanted()).total == len(shown)


def test_that_a_list_is_long_is_remembered_for_minutes_and_what_is_counted_to_the_end_never_is(
    registry, shown, monkeypatch, clock
) -> None:
    from safebelt.rooms.registry.store import public

    wanted, asked, count = Wanted(stage=shown[0].status), [], public.count

    def counting(tx, *rest):
        asked.append(rest)
        return count(tx, *rest)

    monkeypatch.setattr(public, "count", counting)
    whole = [registry.public_systems(wanted).total for _ in range(2)]
    monkeypatch.setattr(public, "COUNTED_WITHIN", 2)
    long = [registry.public_systems(wanted, size=2) for _ in range(3)]
    clock.move(minutes=6)
    later = registry.public_systems(wanted, size=2)

    assert whole == [len(shown)] * 2
    assert [(one.total, one.is_more) for one in (*long, later)] == [(2, True)] * 4
    assert len(asked) == 2 + 1 + 1


def test_numbers_leave_out_what_is_under_embargo_with_its_marks(registry, clock, shown, enter) -> None:
    facts = (ROOT / "law" / "systems" / "uk-dvla-chatbot.yaml").read_text("utf-8")
    hidden = enter("Kestrel surveillance")
    registry.describe(hidden.id, facts, by=OWNER)
    until = clock().date() + timedelta(days=2)
    wish = replace(CLEAR, visibility=Visibility.EMBARGOED, until=until, basis="eu/ai-act#art_71")
    registry.publish(hidden.id, wish, by=OWNER)

    before = registry.public_numbers()
    clock.move(days=2)
    after = registry.public_numbers()

    assert (before.total, before.not_evaluated, before.marks) == (len(shown), len(shown), {})
    assert (after.total, after.not_evaluated) == (len(shown) + 1, len(shown))
    assert after.marks[("place", "gb")] == 1
