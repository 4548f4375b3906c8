"""The parts of a dossier, gathered as JSON-ready values: what each holds, and what stays out of it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from safebelt.rooms.registry.service.changing import Changing
from safebelt.rooms.registry.service.filing import Filing
from safebelt.rooms.registry.service.importing import Importing
from safebelt.rooms.registry.service.notes import Notes
from safebelt.rooms.registry.service.publishing import Publishing
from safebelt.rooms.registry.service.supervising import Supervising
from safebelt.rooms.registry.service.training import Training
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE

AT_ONCE = 200
"""Ledger entries, jobs or cases read at once while all of them are gathered."""

T = TypeVar("T")


class DossierParts(Importing, Changing, Training, Notes, Supervising, Filing, Publishing):
    """Gathers a system's dossier part by part; changes nothing."""

    def gatherers(self) -> Mapping[str, Callable[[str], Any]]:
        """Return part id to what gathers its data."""
        return {
            "system": self._system_data,
            "parties": self._parties_data,
            "facts": self._facts_data,
            "duties": self._duties_data,
            "rights": lambda system_id: plain(self.rights_of(system_id)),
            "evidence": lambda system_id: plain(self.life(system_id).evidence),
            "gates": self._gates_data,
            "changes": self._changes_data,
            "responsibility": lambda system_id: plain(self.responsibility(system_id)),
            "things": self._things_data,
            "jobs": lambda system_id: _all(lambda page: self.jobs(system_id=system_id, page=page, size=AT_ONCE).items),
            "cases": self._cases_data,
            "publications": self._publications_data,
            "acts": self._acts_data,
            "people": lambda system_id: plain(self.system(system_id).people),
            "notes": self._notes_data,
        }

    def _system_data(self, system_id: str) -> Any:
        data = plain(self.system(system_id))
        data["people"] = [{"id": one["id"], "role": one["role"], "since": one["since"]} for one in data["people"]]
        return data

    def _parties_data(self, system_id: str) -> Any:
        system = self.system(system_id)
        views = (self.party_view(one) for one in dict.fromkeys((system.provider_id, system.deployer_id)) if one)
        return [_without(plain(one), "contact") for one in views]

    def _facts_data(self, system_id: str) -> Any:
        return [
            {
                "version": one.version,
                "at": plain(one.at),
                "sha256": one.sha256,
                "facts": {name: plain(fact) for name, fact in one.description.facts.items()},
            }
            for one in self.descriptions(system_id)
        ]

    def _duties_data(self, system_id: str) -> Any:
        file = self._rules.file_of(system_id)
        if file is None:
            return None
        return {
            "on": file.outlook.on.isoformat(),
            "facts_version": file.record.version,
            **self._rules.told(file),
            "red_lines": list(file.red_lines),
            "barred_by": list(file.barred_by),
            "notice": plain(NOT_LEGAL_ADVICE),
        }

    def _gates_data(self, system_id: str) -> Any:
        life = self.life(system_id)
        return {"next": plain(life.gate), "sign_offs": plain(life.sign_offs), "passages": plain(life.passages)}

    def _changes_data(self, system_id: str) -> Any:
        return {"changes": plain(self.changes(system_id)), "to_do": plain(self.to_do(system_id))}

    def _things_data(self, system_id: str) -> Any:
        return {"parts": plain(self.links(system_id)), "versions": plain(self.versions(system_id))}

    def _cases_data(self, system_id: str) -> Any:
        """That there are cases, and what was made public of them; what their steps say stays between the parties."""
        found = self.cases_about(system_id, size=AT_ONCE).items
        shown = ("id", "kind", "stage", "opened_at", "basis", "due_on")
        cases = [{name: value for name, value in plain(one).items() if name in shown} for one in found]
        return {"cases": cases, "decisions": plain(self.public_decisions(system_id))}

    def _publications_data(self, system_id: str) -> Any:
        shown = ("version", "visibility", "at", "until", "is_end", "digest", "entry_id")
        return [{name: plain(getattr(row, name)) for name in shown} for row in self.publication_history(system_id)]

    def _acts_data(self, system_id: str) -> Any:
        found: list[dict[str, Any]] = []
        before: int | None = None
        self._ledger.advance()
        while True:
            entries = self._ledger.entries(subject=system_id, before=before, limit=AT_ONCE)
            found += [_act(one.body, one.id) for one in entries]
            before = entries[-1].index if entries else None
            if before is None or len(entries) < AT_ONCE:
                return found

    def _notes_data(self, system_id: str) -> Any:
        return {
            "comments": _all(lambda page: self.comments(system_id, page=page, size=AT_ONCE).items),
            "tasks": _all(lambda page: self.tasks(subject_id=system_id, page=page, size=AT_ONCE).items),
            "attachments": _all(lambda page: self.attachments(system_id, page=page, size=AT_ONCE).items),
        }


def plain(value: Any) -> Any:
    """Return a word as JSON-ready values."""
    return msgspec.to_builtins(value, str_keys=True)


def _all(read: Callable[[int], tuple[T, ...]]) -> list[Any]:
    return [plain(one) for one in _pages(read)]


def _pages(read: Callable[[int], tuple[T, ...]]) -> Iterator[T]:
    page, items = 1, read(1)
    while items:
        yield from items
        if len(items) < AT_ONCE:
            return
        page += 1
        items = read(page)


def _without(value: Any, name: str) -> Any:
    """Leave a field out wherever it stands: a contact is nobody's business unless names were asked for."""
    if isinstance(value, dict):
        return {key: _without(inner, name) for key, inner in value.items() if key != name}
    return [_without(inner, name) for inner in value] if isinstance(value, list) else value


def _act(body: bytes, entry_id: str) -> dict[str, Any]:
    """Return an entry as the leaf commits to it, so that a stranger can hold it against its proof."""
    says = msgspec.json.decode(body)
    return {"entry": entry_id, **{name: says[name] for name in ("kind", "at", "actor", "data")}}
