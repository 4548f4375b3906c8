"""A house with something in every corner that a backup must bring along, and what to compare two houses by."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import pyrage
import sqlalchemy as sa

from safebelt.__main__ import build
from safebelt.app import House, every_table
from safebelt.engines.archive_rows import dump
from safebelt.engines.clock import Clock
from safebelt.engines.signing import Signer
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Problem
from safebelt.rooms.belt.control.in_force import InForce
from safebelt.rooms.belt.control.orders import State
from safebelt.rooms.belt.control.rations import Rations
from safebelt.rooms.belt.control.switch import key_of
from safebelt.rooms.belt.model import Command, Matter, OrderTerms, Record, Stance, TwoPeople
from safebelt.rooms.belt.records.sealing import Sealer
from safebelt.rooms.belt.records.writer import Writer
from safebelt.rooms.registry.model import PartyKind, PartyRole, RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.notes import Say
from safebelt.settings import Settings
from safebelt.web.terminal import Answer

LIMIT = "ord_2"
SEALED, ORIGINAL = "rec_sealed", "as it came: 13800138000"
EARLIER = {"v1": {"upstream": "http://o/v1", "model": "old"}}
"""What the settings of the furnished house name; a roll-back in force leads there."""
AUDITOR = pyrage.x25519.Identity.generate()
PASSWORD = "correct horse battery staple"


def house_at(home: Path, database: str = "", **settings: object) -> House:
    return House(Settings(home=home, database_url=database, log_origin="example.org/log", **settings))


def furnish(house: House) -> str:
    """Fill a house; return the id of its system."""
    system = register(house)
    house.registry.attach(system, "photo.png", [b"\x89PNG", bytes(range(256)) * 40], by=OWNER)
    house.registry.comment(Say(subject_id=system, text="一句话 and a word"), by=OWNER)
    house.access.add_user("kim", ["operator"], password=PASSWORD, by=OWNER)
    house.access.issue_token("kim", name="robot", by=OWNER)
    house.access.sign_in("kim", PASSWORD)
    house.ledger.witnessing.add("peer.example/log", [Signer.of("peer.example/log", bytes(32)).verifier], by=OWNER)
    house.ledger.witnessing.cosigner_keys()
    house.belt.require_two(system, TwoPeople(lifting=True), "it matters", by=OWNER)
    limit, back = (
        OrderTerms(per_minute=10, basis="contract 7"),
        OrderTerms(to="v1", model="old", upstream="http://o/v1"),
    )
    house.box.keep(
        State(
            orders={
                system: InForce(command=Command.PAUSE, order_id="ord_1", terms=OrderTerms(hold_seconds=9, hold_most=3)),
                key_of(system, matter=Matter.LIMIT): InForce(command=Command.LIMIT, order_id=LIMIT, terms=limit),
                key_of(system, matter=Matter.VERSION): InForce(command=Command.ROLL_BACK, order_id="ord_3", terms=back),
            }
        )
    )
    ration = Rations(house.box.limits).open(LIMIT, limit)
    assert [ration.take() for _ in range(4)] == [0] * 4
    record_sealed(house)
    record_some(house, 7)
    house.ledger.advance()
    house.ledger.rotate_key(reason="as every year", by=OWNER)
    entry = next(e for e in house.ledger.entries(limit=200) if e.personal)
    house.ledger.erase(entry.id, reason="asked for", by=OWNER)
    return system


def register(house: House) -> str:
    """Register a system, fit the belt to it and issue a key."""
    party = house.registry.register_party(
        RegisterParty(name="Somebody", kind=PartyKind.ORGANISATION, roles=(PartyRole.PROVIDER,)), by=OWNER
    )
    command = RegisterSystem(
        provider_id=party.id, name_zh="助手", name_en="Assistant", purpose_zh="回答问题", purpose_en="Answers questions"
    )
    system = house.registry.register_system(command, by=OWNER).id
    house.belt.fit(system, "safebelt/baseline", Stance.OBSERVE, by=OWNER)
    for name in ("one", "two"):
        house.belt.issue_key(system, name, OWNER)
    return system


def record_sealed(house: House) -> None:
    """Let the belt write an exchange whose original is sealed to the auditor."""
    box = Sealer((str(AUDITOR.to_public()),), chance=house.chance).seal(SEALED, "intent", {"messages[0]": ORIGINAL})
    core = {"system_id": "sys"}
    record_some(house, 0, more=[Record(type="intent", id=SEALED, core=core, content={"text": "masked", "sealed": box})])


def record_some(house: House, exchanges: int, *, clock: Clock | None = None, more: Sequence[Record] = ()) -> None:
    """Let the belt write some exchanges, and seal them; at another time where a clock says so."""
    writer = Writer(
        house.records,
        sign=house.sign,
        log_origin=house.settings.log_origin,
        clock=clock or house.clock,
        chance=house.chance,
        new_id=house.new_id,
        on_sealed=house.belt.sealed,
        sealed=house.belt.sealed_segments(),
    )
    writer.start()
    refused = []
    for record in more:
        writer.put(record, lambda error: refused.append(error) if error else None)
    for _ in range(exchanges):
        id_ = house.new_id("rec")
        for type_, facts in (("intent", {"system_id": "sys"}), ("outcome", {"status": 200, "finish": "complete"})):
            record = Record(type=type_, id=id_, core=facts, content={"text": f"{type_} of {id_}"})
            writer.put(record, lambda error: refused.append(error) if error else None)
    writer.close()
    assert refused == []


def rows_of(house: House) -> Mapping[str, str]:
    """Return a digest of every table, in words that do not depend on the database."""
    with house.sql.snapshot() as tx:
        return {
            table.name: sha256(b"".join(part for part, _ in dump(tx, table))).hexdigest()
            for table in every_table().sorted_tables
            if table.name != "access_session"
        }


def files_of(home: Path) -> Mapping[str, bytes]:
    """Return the files that a backup brings along."""
    derived = ("safebelt.db", "ledger/", "ledger-tree/")
    left = (*derived, "belt/records/writer.lock", "belt/pulse", "belt/news", "safebelt.pid")
    names = {path.relative_to(home).as_posix(): path for path in sorted(home.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith(left)}


def typed(words: Sequence[str], settings: Settings) -> tuple[int, str]:
    """Run a command as the shell does, in this process and without touching its logging; return code and output."""
    is_json, plain = list(words[-2:]) == ["--format", "json"], list(words)
    house = House(settings)
    try:
        answer: Answer = build(house, plain)(plain[:-2] if is_json else plain, exit_on_error=False, print_error=False)
    except Problem as problem:
        return problem.exit_code, str(problem)
    finally:
        house.close()
    return answer.exit_code, json.dumps(answer.data) if is_json else answer.as_text("en")


def emptied(url: str) -> str:
    """Empty a PostgreSQL database of everything, and return its URL."""
    engine = sa.create_engine(url)
    with engine.begin() as tx:
        tx.execute(sa.text("drop schema public cascade"))
        tx.execute(sa.text("create schema public"))
    engine.dispose()
    return url
