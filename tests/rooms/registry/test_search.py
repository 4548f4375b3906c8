"""Search, lists, views, tags and bulk acts, as people use them; on both databases."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.kernel.actors import OWNER, Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.registry.decide import search_paging as paging
from safebelt.rooms.registry.model import ChangeSystem, RegisterParty, RegisterSystem, Status
from safebelt.rooms.registry.model.search import (
    BulkKind,
    BulkOrder,
    Filters,
    Judged,
    Question,
    SaveView,
    Side,
    Sort,
)
from safebelt.rooms.registry.service import Registry

SOMEBODY = Actor(id="usr_somebody", door="web")


def register(registry: Registry, count: int, clock, *, first: int = 0) -> list[str]:
    """Register systems, a minute apart."""
    known = registry.parties(search="明理").items
    provider = known[0] if known else registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    ids = []
    for at in range(first, first + count):
        clock.move(minutes=1)
        command = RegisterSystem(
            provider_id=provider.id,
            name_zh=f"招聘筛选模型{at}",
            name_en=f"{chr(97 + at % 26)} recruitment model {at}",
            purpose_zh="筛选应聘材料。" if at % 2 else "回答办事问题。",
            purpose_en="Screens applications." if at % 2 else "Answers questions.",
        )
        ids.append(registry.register_system(command, by=OWNER).id)
    return ids


def ask(text: str = "", sort: Sort = Sort.BEST, **filters) -> Question:
    return Question(text=text, sort=sort, filters=Filters(**filters))


def found(registry: Registry, text: str = "", **more) -> list[str]:
    return [hit.system.id for hit in registry.search(ask(text, **more), size=200).hits]


def test_a_system_is_found_from_its_registration_on_and_by_its_new_name_only(registry, clock) -> None:
    first, second = register(registry, 2, clock)

    registry.change_system(
        second, ChangeSystem(version=1, reason="改名", name_zh="信贷评分", name_en="Credit scoring"), by=OWNER
    )

    assert found(registry, "recruitment") == [first]
    assert found(registry, "scorng") == [second]
    assert found(registry, "信贷") == [second]
    assert found(registry, "明理科技") == [second, first]
    assert found(registry, first) == [first]
    assert found(registry, first[:18]) == [second, first] or found(registry, first[:18]) == [first]
    assert found(registry, "sys_") == [second, first]


def test_every_hit_says_why_and_what_was_meant_is_told(registry, clock) -> None:
    register(registry, 2, clock)

    exact, near = (registry.search(ask(text)) for text in ("applications", "aplications"))

    assert [hit.is_near for hit in (*exact.hits, *near.hits)] == [False, True]
    assert exact.hits[0].why.en == "“applications” in the purpose or other text"
    assert "相近" in near.hits[0].why.zh
    assert (exact.meant, near.meant) == ({}, {"aplications": "applications"})


def test_a_question_that_finds_nothing_gets_others_that_do(registry, clock) -> None:
    register(registry, 2, clock)
    registry.merge_search(least=1)

    lost = registry.search(ask("recruitment zebra"))
    misspelt = registry.search(ask("rekruitmend"))

    assert (lost.total, lost.hints) == (0, ("recruitment",))
    assert misspelt.total or "recruitment" in misspelt.hints


def test_questions_nobody_expects_are_answered_with_nothing(registry, clock) -> None:
    register(registry, 1, clock)

    for text in ("\0", "\ud800", "🙂", "sys_\0", "x" * 10_000, "%", "_", "sys_zz", "。，！"):
        assert registry.search(ask(text)).hits == (), text


def test_pages_lose_and_repeat_nothing_while_systems_come_in(registry, clock) -> None:
    known = register(registry, 9, clock)
    registry.merge_search(least=1)

    for text in ("", "recruitment"):
        for sort in (Sort.BEST, Sort.OLDEST, Sort.NAME):
            before, seen, cursor = list(known), list[str](), ""
            while len(seen) < 2 * len(known):
                page = registry.search(ask(text, sort), after=cursor, size=3)
                seen += [hit.system.id for hit in page.hits]
                if len(known) < len(before) + 3:
                    known += register(registry, 1, clock, first=len(known))
                cursor = page.after
                if not cursor:
                    break
            assert len(seen) == len(set(seen))
            assert set(before) <= set(seen) <= set(known)


def test_pages_lead_back_the_way_they_came(registry, clock) -> None:
    register(registry, 7, clock)

    for text, sort in (("", Sort.NEWEST), ("", Sort.NAME), ("recruitment", Sort.BEST)):
        lead_back(registry, ask(text, sort))


def lead_back(registry: Registry, question: Question) -> None:
    first = registry.search(question, size=3)
    second = registry.search(question, after=first.after, size=3)
    third = registry.search(question, after=second.after, size=3)
    back = registry.search(question, before=third.before, size=3)
    start = registry.search(question, before=back.before, size=3)

    assert [len(page.hits) for page in (first, second, third)] == [3, 3, 1]
    assert (first.before, third.after, start.before) == ("", "", "")
    assert [h.system.id for h in back.hits] == [h.system.id for h in second.hits]
    assert [h.system.id for h in start.hits] == [h.system.id for h in first.hits]
    assert {page.total for page in (first, second, third)} == {7}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=60) | st.binary(max_size=30).map(lambda b: b.hex()))
def test_a_cursor_nobody_gave_is_told_and_never_raises_anything_else(text) -> None:
    for read in (
        lambda: paging.read_place(text),
        lambda: paging.read_edge(text, Sort.NAME),
        lambda: paging.read_edge(text, Sort.NEWEST),
    ):
        try:
            read()
        except Invalid:
            continue


def test_cursors_come_back_as_they_were_written() -> None:
    edge, place = paging.Edge(Sort.NAME, ("61", "sys_1")), paging.Place(20, 77)

    assert paging.read_edge(paging.written(edge), Sort.NAME) == edge
    assert paging.read_place(paging.written(place)) == place
    with pytest.raises(Invalid):
        paging.read_edge(paging.written(edge), Sort.NEWEST)


# --- filters ------------------------------------------------------------------------------------------------------


def test_filters_let_through_what_they_say_with_words_and_without(registry, clock) -> None:
    ids = register(registry, 4, clock)
    provider = registry.system(ids[0]).provider_id
    registry.tag_system(ids[0], add="试点", by=OWNER)
    with registry._sql.begin() as tx:
        registry.note_judged(
            tx,
            {
                ids[1]: Judged(classes={"eu/ai-act": "high_risk"}, red_lines=("eu/ai-act.x",)),
                ids[2]: Judged(classes={"eu/ai-act": "unknown"}),
            },
        )
        registry.note_source(tx, "atrs", ids[2:])
    day = clock().date()

    for text in ("", "recruitment"):
        wanted = {
            (ids[0],): {"tags": ("试点",)},
            (ids[1],): {"classes": ("eu/ai-act=high_risk",)},
            (ids[2], ids[1]): {"classes": ("eu/ai-act",)},
            (ids[3], ids[2]): {"source": "atrs"},
            (ids[3], ids[2], ids[0]): {"red_line": False},
            tuple(ids[::-1]): {
                "party": provider,
                "side": Side.PROVIDER,
                "stages": (Status.IDEA,),
                "since": day,
                "until": day,
            },
            (): {"party": provider, "side": Side.DEPLOYER},
        }
        assert {
            each: tuple(found(registry, text, sort=Sort.NEWEST, **each_filters))
            for each, each_filters in wanted.items()
        } == {each: each for each in wanted}


def test_a_new_judgment_replaces_the_last_one(registry, clock) -> None:
    (system_id,) = register(registry, 1, clock)

    for classes, red in (({"a/b": "x", "c/d": "y"}, ("r",)), ({"a/b": "z"}, ())):
        with registry._sql.begin() as tx:
            registry.note_judged(tx, {system_id: Judged(classes=classes, red_lines=red)})

    assert found(registry, classes=("a/b=z",)) == [system_id]
    assert (
        found(registry, classes=("c/d",)) == found(registry, classes=("a/b=x",)) == found(registry, red_line=True) == []
    )


def test_facets_are_counted_over_what_was_found(registry, clock) -> None:
    ids = register(registry, 3, clock)
    registry.tag_system(ids[0], add="试点", by=OWNER)

    page = registry.search(ask("recruitment"), has_facets=True, size=1)

    assert page.counted == 3
    assert [(t.value, t.count) for t in page.facets["tag"]] == [("试点", 1)]
    assert [(t.value, t.count) for t in page.facets["stage"]] == [("idea", 3)]


def test_dense_filters_are_asked_after_the_words_and_find_the_same(registry, clock, monkeypatch) -> None:
    from safebelt.rooms.registry.store import listing

    ids = register(registry, 6, clock)
    sparse = found(registry, "recruitment", stages=(Status.IDEA,))
    monkeypatch.setattr(listing, "SPARSE", 2)

    dense = found(registry, "recruitment", stages=(Status.IDEA,))

    assert set(sparse) == set(ids)
    assert dense == sparse


def test_of_many_results_enough_are_asked_for_a_dense_filter_and_the_answer_says_there_are_more(
    registry, clock, monkeypatch
) -> None:
    from safebelt.rooms.registry.service import matching
    from safebelt.rooms.registry.store import listing

    ids = register(registry, 6, clock)
    question = ask("recruitment", stages=(Status.IDEA,))
    monkeypatch.setattr(listing, "SPARSE", 2)
    whole = registry.search(question, size=2)
    monkeypatch.setattr(matching, "_AT_ONCE", 1)
    monkeypatch.setattr(matching, "EXAMINED", 3)

    first = registry.search(question, size=2)
    second = registry.search(question, size=2, after=first.after)

    assert (whole.total, whole.has_more_than_total) == (6, False)
    assert (first.total, first.has_more_than_total) == (2, True)
    assert [hit.system.id for hit in first.hits] == [hit.system.id for hit in whole.hits]
    assert not {hit.system.id for hit in first.hits} & {hit.system.id for hit in second.hits}
    assert set(registry.matching(question, 100)) == set(ids)


# --- views --------------------------------------------------------------------------------------------------------


def test_a_view_is_its_owners_until_it_is_shared_and_its_deletion_can_be_taken_back(registry, clock) -> None:
    question = ask("招聘", stages=(Status.IDEA,))
    mine = registry.save_view(SaveView(name="在招", question=question), by=SOMEBODY)
    shared = registry.save_view(SaveView(name="全体", question=question, is_shared=True), by=SOMEBODY)

    assert registry.views(by=SOMEBODY) == (shared, mine) or registry.views(by=SOMEBODY) == (mine, shared)
    assert registry.views(by=OWNER) == (shared,)
    assert registry.view(shared.id, by=OWNER).question == question
    with pytest.raises(NotFound):
        registry.view(mine.id, by=OWNER)
    with pytest.raises(Refused):
        registry.delete_view(shared.id, by=OWNER)
    registry.delete_view(shared.id, by=SOMEBODY)
    assert registry.views(by=OWNER) == ()
    assert registry.restore_view(shared.id, by=SOMEBODY) == shared
    assert registry.views(by=OWNER) == (shared,)


def test_a_view_needs_a_name(registry) -> None:
    with pytest.raises(Invalid):
        registry.save_view(SaveView(name=" "), by=OWNER)


# --- many at once -------------------------------------------------------------------------------------------------


def test_a_bulk_act_is_previewed_done_step_by_step_and_tells_what_was_refused(registry, ledger, clock) -> None:
    ids = register(registry, 3, clock)
    registry.tag_system(ids[1], add="试点", by=OWNER)
    order = BulkOrder(kind=BulkKind.ADD_TAG, value="试点", question=ask("recruitment"))

    preview = registry.preview_bulk(order)
    begun = registry.order_bulk(replace(order, expected=preview.total), by=OWNER)
    half = registry.step_bulk(begun.id, limit=2)
    registry.step_bulks()
    end = registry.bulk(begun.id)

    assert preview.total == begun.waiting == 3
    assert (half.waiting, end.waiting, end.done, end.refused_count) == (1, 0, 2, 1)
    assert end.refused[0].system_id == ids[1]
    assert "标签" in end.refused[0].says.zh
    assert {each: registry.tags_of(each) for each in ids} == dict.fromkeys(ids, ("试点",))
    for each in ids:
        assert [e.kind for e in ledger.entries(subject=each, limit=10)].count("registry.system_tagged.v1") == 1
    assert registry.step_bulks() == 0


def test_a_bulk_act_on_others_than_were_previewed_is_refused(registry, clock) -> None:
    register(registry, 2, clock)
    order = BulkOrder(kind=BulkKind.WITHDRAW, value="停止", question=ask("recruitment"), expected=2)
    register(registry, 1, clock, first=2)

    with pytest.raises(Conflict):
        registry.order_bulk(order, by=OWNER)


def test_every_kind_of_bulk_act_changes_each_system_with_one_entry(registry, ledger, clock) -> None:
    ids = register(registry, 2, clock)

    for kind in BulkKind:  # in the order in which each can follow: a tag is added, then removed
        entries = {each: len(ledger.entries(subject=each, limit=50)) for each in ids}
        begun = registry.order_bulk(BulkOrder(kind=kind, value="王敏", systems=tuple(ids)), by=OWNER)
        end = registry.step_bulk(begun.id)

        assert (end.done, end.refused) == (2, ())
        if kind is not BulkKind.PUT_TASK:  # its entry is about the task
            after = {each: len(ledger.entries(subject=each, limit=50)) for each in ids}
            assert after == {each: count + 1 for each, count in entries.items()}


def test_a_bulk_act_on_nobody_or_with_nothing_is_refused(registry) -> None:
    tag = BulkKind.ADD_TAG

    for order in (
        BulkOrder(kind=tag, value=""),
        BulkOrder(kind=tag, value="x"),
        BulkOrder(kind=tag, value="x", systems=("sys_none",)),
    ):
        with pytest.raises(Invalid):
            registry.order_bulk(order, by=OWNER)


def test_an_export_gives_every_match_once_in_order(registry, clock) -> None:
    ids = register(registry, 7, clock)
    random.Random(1).shuffle(ids)

    assert [each.id for each in registry.export(ask(), batch=3)] == sorted(ids, reverse=True)
    assert {each.id for each in registry.export(ask("recruitment"), batch=3)} == set(ids)
