"""The index finds what reading every document would find: on both databases, however and whenever it is merged."""

import random

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.engines.clock import wall_clock
from safebelt.engines.sql import Sql
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import search as judge
from safebelt.rooms.registry.model.search_terms import clean, words
from safebelt.rooms.registry.service import finding
from safebelt.rooms.registry.store import segments, shelves
from safebelt.rooms.registry.store.register import party, system

NAMES_ZH = [
    "招聘筛选模型",
    "人脸识别门禁",
    "政务问答助手",
    "信贷评分系统",
    "医疗影像辅助诊断",
    "智能客服",
    "算法推荐平台",
    "深度合成检测",
]
NAMES_EN = [
    "Recruitment screening",
    "Face recognition gate",
    "Public service helper",
    "Credit scoring",
    "Fraud detection",
    "Chatbot",
]
PURPOSES = [
    "Ranks applicants and screens their documents before an interview.",
    "在办事大厅核验来访人员身份，开放闸机。",
    "Answers questions about benefits and permits; hands over to a person.",
    "为贷款申请计算信用评分，并说明理由。",
    "Detects fraudulent claims; an officer decides. GPT-4o, v2.1",
    "识别影像中的病灶，由医师确认。",
    "Naïve transport forecasting for the Straße network ＦＵＬＬ ｗｉｄｔｈ",
]  # fmt: skip
QUERIES = [
    "recruitment", "recrutment", "recruitmnet", "rec", "re", "fraud", "fruad", "detection", "sport", "transport scoring", "识别", "人脸", "人",
    "人脸识别", "人险识别", "信用评分", "chatbt", "gpt-4o", "4o", "strasse", "full width", "naïve", "person decides", "zzz", "screening 筛选",
    "医师确认", "sceening aplicants", "recognitoin gate", "的", "officer. decides!",
]  # fmt: skip


def populate(sql: Sql, count: int, seed: int) -> list[tuple[str, str, str]]:
    """Register systems; return id, names and the rest as they are compared."""
    chance = random.Random(seed)
    rows, documents = [], []
    for at in range(count):
        zh, en = f"{chance.choice(NAMES_ZH)}{at}号", f"{chance.choice(NAMES_EN)} {at}"
        purpose = " ".join(chance.sample(PURPOSES, 2))
        base = {"id": f"sys_{at:026d}", "name_zh": zh, "name_en": en, "purpose_zh": purpose, "purpose_en": purpose}
        rows.append(
            base | {"provider_id": "pty_1", "status": "idea", "version": 1, "search": "", "registered_at": wall_clock()}
        )
        documents.append((base["id"], "\n".join((base["id"], zh, en, purpose, "明理科技"))))
    if "provisional" in system.c:
        rows = [row | {"provisional": False} for row in rows]
    with sql.begin() as tx:
        roles = {
            "name": "p",
            "kind": "organisation",
            "roles": [],
            "contact": "",
            "search": "",
            "registered_at": wall_clock(),
        }
        known = {column.name for column in party.c}
        filler = {name: "" for name in known - {"id", *roles} if not party.c[name].nullable}
        tx.execute(sa.insert(party).values(id="pty_1", **roles, **filler))
        tx.execute(sa.insert(system), rows)
    return documents


def enter(sql: Sql, documents: list[tuple[str, str]]) -> None:
    with sql.begin() as tx:
        store.search.enter(tx, documents)


def merge(sql: Sql, limit: int = 65_536) -> int:
    with sql.begin() as tx:
        return shelves.merge(tx, limit)


def found(sql: Sql, query: str) -> list[tuple[str, int]]:
    """Ids with scores, best first."""
    parts = judge.asked(query).parts
    with sql.read() as tx:
        answer = finding.answer(tx, parts, limit=10_000)
        ids = shelves.systems_numbered(tx, answer.numbers)
    assert answer.total == len(answer.numbers) == len(ids)
    return [(ids[number], score) for number, score in zip(answer.numbers, answer.scores, strict=True)]


def reference(documents: dict[str, str], query: str) -> list[tuple[str, int]]:
    """What reading every document finds; documents in the order in which they were entered."""
    parts = judge.asked(query).parts
    scored = []
    for place, (system_id, text) in enumerate(documents.items()):
        _, zh, en, *rest = text.split("\n")
        value = judge.score(parts, clean(f"{zh}\n{en}"), clean("\n".join(rest)))
        if value:
            scored.append((value, place, system_id))
    return [(system_id, value) for value, _, system_id in sorted(scored, reverse=True)]


def test_the_index_answers_as_reading_every_document_does_whenever_it_is_merged(sql: Sql) -> None:
    documents = populate(sql, 120, seed=1)
    enter(sql, documents[:50])
    merge(sql, 30)  # twenty stay fresh
    enter(sql, documents[50:])
    merge(sql, 60)
    again = documents[10:20] + documents[110:]  # entered again, from the shelves and from the fresh
    enter(sql, again)
    order = dict(documents)
    for system_id, text in again:
        del order[system_id]
        order[system_id] = text

    before = {query: found(sql, query) for query in QUERIES}
    merged = merge(sql)
    after = {query: found(sql, query) for query in QUERIES}

    wanted = {query: reference(order, query) for query in QUERIES}
    assert merged
    assert before == wanted
    assert after == wanted
    assert {query for query in QUERIES if not wanted[query]} == {"zzz"}


def test_every_document_is_found_by_its_words_its_pairs_and_with_a_mistake(sql: Sql) -> None:
    documents = populate(sql, 40, seed=2)
    enter(sql, documents)
    merge(sql, 25)
    chance = random.Random(3)

    for system_id, text in chance.sample(documents, 3):
        cleaned = clean(text.partition("\n")[2])
        asked = [*words(cleaned), *[w[: chance.randint(2, len(w))] for w in words(cleaned) if len(w) > 1]]
        asked += [mistyped(chance, word) for word in words(cleaned) if len(word) >= 5 and word.isalpha()]
        asked += [
            cleaned[at : at + 2]
            for at in range(len(cleaned) - 1)
            if all("\u4e00" <= c <= "\u9fff" for c in cleaned[at : at + 2])
        ]
        for query in dict.fromkeys(asked):
            assert system_id in {each for each, _ in found(sql, query)}, query


def mistyped(chance: random.Random, word: str) -> str:
    """A word with one mistake; five letters stay at least, for in shorter ones a mistake is not forgiven."""
    at, letter = chance.randrange(len(word)), chance.choice("aeioxz")
    swapped = word[: max(at - 1, 0)] + word[max(at - 1, 0) : at + 1][::-1] + word[at + 1 :]
    kinds = [word[:at] + letter + word[at + 1 :], word[:at] + letter + word[at:], swapped]
    return chance.choice([*kinds, word[:at] + word[at + 1 :]] if len(word) > 5 else kinds)


def test_what_left_is_found_no_longer_before_and_after_a_merge(sql: Sql) -> None:
    documents = populate(sql, 12, seed=4)
    enter(sql, documents)
    merge(sql, 8)
    gone = [documents[1][0], documents[10][0]]  # one from the shelves, one fresh

    with sql.begin() as tx:
        store.search.leave(tx, gone)
    before = {each for each, _ in found(sql, "明理科技")}
    merge(sql)
    after = {each for each, _ in found(sql, "明理科技")}

    assert before == after == {each for each, _ in documents} - set(gone)


def test_a_merge_that_fails_leaves_everything_as_it_was(sql: Sql) -> None:
    documents = populate(sql, 10, seed=5)
    enter(sql, documents)
    before = found(sql, "明理")

    with pytest.raises(RuntimeError), sql.begin() as tx:
        shelves.merge(tx, 10)
        raise RuntimeError("the power is cut")

    assert found(sql, "明理") == before
    assert merge(sql) == 10
    assert found(sql, "明理") == before


ODD = [
    "\0",
    "\ud800",
    "🙂",
    "a" * 10_000,
    "人" * 10_000,
    "%_\\'\"",
    "\u202e\u200b",
    " ".join(f"word{n}" for n in range(500)),
]


def test_any_question_is_answered(sql: Sql) -> None:
    enter(sql, populate(sql, 3, seed=6))
    merge(sql, 2)

    for query in ODD:
        parts = judge.asked(query).parts
        assert len(parts) <= judge.MOST_PARTS
        assert not parts or found(sql, query) == []


def test_a_document_of_anything_is_entered(sql: Sql) -> None:
    documents = populate(sql, 1, seed=7)
    system_id = documents[0][0]

    enter(sql, [(system_id, "\0\ud800🙂 needle " + "x" * 30_000)])
    fresh = found(sql, "needle")
    merge(sql)

    assert [each for each, _ in fresh] == [each for each, _ in found(sql, "needle")] == [system_id]


# --- the pieces ---------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sets(st.integers(0, 65_535)), st.sets(st.integers(0, 65_535)), st.booleans())
def test_postings_come_back_and_unite(one, other, is_dense) -> None:
    if is_dense:
        one = one | set(range(0, 65_536, 7))

    packed, second = segments.numbers_packed(one), segments.numbers_packed(other)

    assert set(segments.unpack(packed).tolist()) == one
    assert set(segments.unpack(segments.united(packed, second)).tolist()) == one | other
    assert len(packed) <= segments.BITMAP_BYTES


def slow_edits(one: str, other: str) -> int:
    """Optimal string alignment, by its definition."""
    if not one or not other:
        return len(one) + len(other)
    best = min(
        slow_edits(one[1:], other) + 1,
        slow_edits(one, other[1:]) + 1,
        slow_edits(one[1:], other[1:]) + (one[0] != other[0]),
    )
    if one[:2] == other[1::-1] and len(one) > 1 and len(other) > 1:
        best = min(best, slow_edits(one[2:], other[2:]) + 1)
    return best


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text("ab", max_size=6), st.text("abc", max_size=6), st.integers(0, 3))
def test_edits_are_counted_up_to_the_limit(one, other, limit) -> None:
    wanted = slow_edits(one, other)

    counted = judge.edits(one, other, limit)

    assert counted == wanted if wanted <= limit else counted > limit


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=300))
def test_a_question_is_read_whatever_it_is(query) -> None:
    asked = judge.asked(query)

    assert all(part.text for part in asked.parts)
    assert len(set(asked.parts)) == len(asked.parts)
