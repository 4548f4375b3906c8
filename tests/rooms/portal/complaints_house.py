"""A system that is public, one that is hidden, two authorities and an operator, for the tests of complaints."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.conftest import StillClock
from tests.rooms.portal.conftest import CHAT, CLEAR
from tests.rooms.portal.house import build_portal
from tests.rooms.registry.house import build_ledger, build_registry
from tests.rooms.registry.supervision_house import OFFICER, OPERATOR, Bench, build_bench
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.portal.model.complaints import Complain, Filed, FileIn
from safebelt.rooms.portal.service import Complaints, Portal
from safebelt.rooms.registry.model import RegisterSystem

HOME = "203.0.113.7"
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of a screen" * 3
WORDS = "The helper told me to stop taking my medicine."


@dataclass(frozen=True, kw_only=True)
class Town:
    """What a test of complaints works with."""

    portal: Portal
    complaints: Complaints
    ledger: Ledger
    clock: StillClock
    bench: Bench
    system: str
    hidden: str
    folder: Path

    def complain(self, text: str = WORDS, *, address: str = HOME, files: tuple[FileIn, ...] = (), **more: Any) -> Filed:
        cmd = Complain(**{"text": text, "kind": "harm", "system_id": self.system, "contact": "", **more})
        return self.complaints.complain(cmd, files=files, lang="en", address=address)

    def kinds(self, case_id: str) -> list[str]:
        return [one.kind.removeprefix("portal.complaint_") for one in self.ledger.entries(subject=case_id)][::-1]

    def case(self, filed: Filed, *, by: Any = OPERATOR) -> Any:
        return self.complaints.complaint(filed.complaint.id, by=by)


def build_town(sql: Sql, folder: Path, clock: StillClock) -> Town:
    """The system is offered in the EU by the facts on record, so the first authority's desk is the competent one."""
    ids = real_ids()
    ledger = build_ledger(sql, folder, clock=clock, new_id=ids, chance=real_chance)
    registry = build_registry(sql, ledger, build_rules(sql, ledger, clock, ids), clock, ids, folder)
    bench = build_bench(registry)
    registry.describe(bench.system.id, CHAT, by=OWNER)
    words = RegisterSystem(
        provider_id=bench.provider.id, name_zh="内部系统", name_en="Hidden Heron", purpose_zh="内部", purpose_en="x"
    )
    hidden = registry.register_system(words, by=OWNER)
    registry.publish(bench.system.id, replace(CLEAR, contact="help@service.example"), by=OWNER)
    portal = build_portal(registry, ledger, clock, folder / "keys")
    return Town(
        portal=portal,
        complaints=portal.complaints,
        ledger=ledger,
        clock=clock,
        bench=bench,
        system=bench.system.id,
        hidden=hidden.id,
        folder=folder,
    )


__all__ = ["HOME", "OFFICER", "OPERATOR", "PNG", "WORDS", "Town", "build_town"]
