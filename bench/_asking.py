"""What a register of a million is asked: words, filters, lists, and whole pages as a browser gets them.

Every question is another one where it can be, drawn by seed.  Beside the clock stands the processors' time: our own
process's, and the database server's where there is one, which tells what a busy machine hides.
"""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa

from bench._register import FIELDS, PLACES, Register
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.rooms.registry import store
from safebelt.rooms.registry.model import Status
from safebelt.rooms.registry.model.publication import Publish, PublishMany
from safebelt.rooms.registry.model.search import Filters, Question, Sort
from safebelt.rooms.registry.service import Registry

ROOT = Path(__file__).parent.parent
SEED, ASKED, PARTIES = 20261122, 30, 5_000
DEEP = 0.7
FURNISHED = 30
"""Systems with facts on record, judged and published by the service, whose own pages are looked at."""
Browse = Callable[[str], int]


@dataclass
class Timed:
    """A kind of question and what its answers took."""

    name: str
    questions: list[Any]
    ask: Callable[[Any], int]
    peer: Callable[[Any], int] | None = None
    ours_ms: list[float] = field(default_factory=list)
    ours_cpu_ms: list[float] = field(default_factory=list)
    server_cpu_ms: float = 0.0
    peer_ms: list[float] = field(default_factory=list)
    found: list[int] = field(default_factory=list)
    peer_found: list[int] = field(default_factory=list)

    def measure(self, at: int, server: Callable[[], float]) -> None:
        """Ask one question of the kind; `server` tells the database server's CPU time so far, in milliseconds."""
        question = self.questions[at % len(self.questions)]
        before = server()
        for ask, took, found in ((self.ask, self.ours_ms, self.found), (self.peer, self.peer_ms, self.peer_found)):
            if ask is not None:
                began, cpu = time.perf_counter(), time.process_time()
                count = ask(question)
                took.append((time.perf_counter() - began) * 1e3)
                found.append(count)
                if ask is self.ask:
                    self.ours_cpu_ms.append((time.process_time() - cpu) * 1e3)
                    self.server_cpu_ms += server() - before

    def told(self) -> dict[str, Any]:
        """Return the kind's row: how many were found, and what they took."""
        said = {"name": self.name, "asked": len(self.ours_ms), "found": round(statistics.median(self.found))}
        said |= {"p50_ms": _at(self.ours_ms, 0.5), "p95_ms": _at(self.ours_ms, 0.95)}
        said |= {"cpu_p50_ms": _at(self.ours_cpu_ms, 0.5), "cpu_p95_ms": _at(self.ours_cpu_ms, 0.95)}
        said |= {"server_cpu_ms": round(self.server_cpu_ms / len(self.ours_ms), 1)}
        if self.peer_ms:
            said |= {"peer_found": round(statistics.median(self.peer_found))}
            said |= {"peer_p50_ms": _at(self.peer_ms, 0.5), "peer_p95_ms": _at(self.peer_ms, 0.95)}
        return said


def _at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


# --- the questions -----------------------------------------------------------------------------------------------


def kinds(
    sql: Sql, registry: Registry, browse: Browse, public: Browse, peer: Callable[[str], int] | None
) -> list[Timed]:
    """Questions people ask, thirty of each kind, by seed."""
    chance, drawn = Random(SEED + 1), Register(SEED)

    def search(question: Question, **more: Any) -> int:
        return registry.search(question, has_facets=True, **more).total

    def words(text: str) -> int:
        return search(Question(text=text))

    long = [word for _, en in FIELDS for word in en.split() if len(word) > 6]
    deep = _deep_cursors(sql, registry, chance)
    filters = [Filters(classes=("eu/ai-act=high_risk",), stages=(stage,)) for stage in Status]
    rare = [Filters(tags=("试点",), stages=(stage,)) for stage in Status]

    def listed(filters: Filters) -> int:
        return search(Question(filters=filters))

    def both(filters: Filters) -> int:
        return search(Question(text="recruitment", filters=filters))

    def some(draw: Callable[[], str]) -> list[str]:
        return [draw() for _ in range(ASKED)]

    def typo() -> str:
        return _mistyped(chance, chance.choice(long))

    phrases = some(lambda: chance.choice(FIELDS)[0] + chance.choice(("助手", "模型", "系统")))
    owners = [Filters(party=f"pty_{chance.randrange(PARTIES):026d}") for _ in range(ASKED)]
    frequent = ["system", "for", "的", "用于", "decision officer", "model"]
    return [
        Timed("a word with a mistake", some(typo), words, peer),
        Timed("two words, one mistaken", some(lambda: f"{typo()} {chance.choice(PLACES)[1]}"), words, peer),
        Timed("a Chinese word of two characters", some(lambda: chance.choice(FIELDS)[0][:2]), words, peer),
        Timed("a Chinese phrase", phrases, words, peer),
        Timed("frequent words", frequent, words, peer),
        Timed("a rare word", some(lambda: chance.choice(drawn.en[-2000:])), words, peer),
        Timed("the beginning of a word", some(lambda: chance.choice(long)[: chance.choice((2, 3, 5))]), words),
        Timed("words and a dense filter", filters, both),
        Timed("words and a sparse filter", rare, both),
        Timed("two filters, first page", filters, listed),
        Timed("one provider, first page", owners, listed),
        Timed("all, first page", list(Sort), lambda sort: search(Question(sort=sort))),
        Timed("all, a deep page by cursor", deep, lambda at: registry.search(Question(sort=at[0]), after=at[1]).total),
        *_pages(sql, browse, public),
    ]


def _pages(sql: Sql, browse: Browse, public: Browse) -> list[Timed]:
    """Whole pages, from the request to the last byte."""
    words = [
        "recruitmnet",
        "招聘 助手",
        "fraud detection",
        "人脸",
        "medcal",
        "government services",
        "用于",
        "scorecard",
    ]
    lists = ["/zh/registry", "/en/registry?sort=name", "/zh/registry?stage=idea"]
    stages = [f"/en/register?q={text}&stage={stage.value}" for stage in Status for text in words[:3]]
    shelf = ["/zh/register", "/en/register?page=7", "/en/register?page=450", "/zh/register?stage=in_service&place=eu"]
    ids = furnished_ids(sql)
    return [
        Timed("page: search results", words, lambda text: browse(f"/zh/registry?search={text}")),
        Timed("page: list", lists, browse),
        Timed("page: dossier", ids, lambda system_id: browse(f"/en/registry/systems/{system_id}")),
        Timed("public page: search results", words, lambda text: public(f"/zh/register?q={text}")),
        Timed("public page: words and a stage", stages, public),
        Timed("public page: list", shelf, public),
        Timed("public page: system", ids, lambda system_id: public(f"/zh/register/{system_id}")),
        Timed("public JSON: search results", words, lambda text: public(f"/api/public/systems?q={text}")),
    ]


def furnish(sql: Sql, registry: Registry) -> None:
    """Put facts of some systems on record, all over the register, and publish those, as people do."""
    facts = (ROOT / "law" / "systems" / "uk-dvla-chatbot.yaml").read_text("utf-8")
    entry, systems = store.search.entry, store.register.system
    joined = sa.select(entry.c.system_id).join_from(entry, systems, systems.c.id == entry.c.system_id)
    near = joined.where(systems.c.status == Status.TESTING.value).order_by(entry.c.number).limit(1)
    with sql.read() as tx:
        last = tx.execute(sa.select(sa.func.max(entry.c.number))).scalar_one()
        places = [last * at // (FURNISHED + 1) for at in range(FURNISHED)]
        ids = tuple(dict.fromkeys(tx.execute(near.where(entry.c.number > at)).scalar_one() for at in places))
    for system_id in ids:
        registry.describe(system_id, facts, by=OWNER)
    decision = Publish(reason="Measured", contact="help@service.example", cleared="an ordinary public service")
    done = registry.publish_many(PublishMany(decision=decision, ids=ids), by=OWNER)
    assert done.published == len(ids), done
    while registry.merge_search(least=1):
        pass


def furnished_ids(sql: Sql) -> list[str]:
    """Return the systems that were published by the service: they have a record."""
    past = store.publication.past
    with sql.read() as tx:
        return list(tx.execute(sa.select(past.c.system_id).distinct().order_by(past.c.system_id)).scalars().all())


def _deep_cursors(sql: Sql, registry: Registry, chance: Random) -> list[tuple[Sort, str]]:
    from safebelt.rooms.registry.decide.search_paging import Edge, written  # noqa: PLC0415

    with sql.read() as tx:
        last = tx.execute(sa.select(sa.func.max(store.search.entry.c.number))).scalar_one()
        found = []
        for _ in range(ASKED):
            number = int(last * (1 - DEEP * chance.random()))
            entry = store.search.entry
            near = sa.select(entry).where(entry.c.number >= number).order_by(entry.c.number).limit(1)
            row = tx.execute(near).one()
            found.append((Sort.NEWEST, written(Edge(Sort.NEWEST, (row.system_id,)))))
            found.append((Sort.NAME, written(Edge(Sort.NAME, (bytes(row.name_key).hex(), row.system_id)))))
    return found


def _mistyped(chance: Random, word: str) -> str:
    at = chance.randrange(1, len(word) - 1)
    swapped = word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    return chance.choice([swapped, word[:at] + word[at + 1 :], word[:at] + chance.choice("aeiou") + word[at + 1 :]])


# --- the server ----------------------------------------------------------------------------------------------------


def server_cpu(sql: Sql, folder: Path) -> Callable[[], float]:
    """Return what tells the CPU time of the database's server and its children so far, in milliseconds.

    On SQLite there is none.  It is read where Linux keeps it, in ticks of ten milliseconds: the mean over many
    questions is right, a single one's is not.
    """
    if sql.is_sqlite:
        return lambda: 0.0
    main = (folder / "pg" / "postmaster.pid").read_text().splitlines()[0]
    ticks = 1e3 / os.sysconf("SC_CLK_TCK")

    def spent() -> float:
        total = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            if main in (path.parent.name, fields[1]):
                total += int(fields[11]) + int(fields[12])
        return total * ticks

    return spent
