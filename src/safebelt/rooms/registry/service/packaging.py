"""Deeds that hand a dossier out: previewed, minimised, signed by the log, checkable without us."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from safebelt.engines.canonical import canonical
from safebelt.engines.signing import VerifierKey
from safebelt.kernel.actors import Actor
from safebelt.kernel.reasons import Reason
from safebelt.rooms.ledger.service import check
from safebelt.rooms.registry.decide import dossiers as decide
from safebelt.rooms.registry.exports import package
from safebelt.rooms.registry.model.dossiers import DOSSIER_PARTS, HandOver, PartMade
from safebelt.rooms.registry.service.lifecycle import Lifecycle
from safebelt.rooms.rulebook.decide.contract import NOT_LEGAL_ADVICE, class_data, duty_data

ACTS_AT_ONCE = 200
"""Ledger entries read at once while all of a system's acts are gathered."""
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """What was handed out.

    Attributes:
        body: The package's bytes.
        sha256: Digest of the manifest, which the ledger remembers.
        parts: Every part, chosen or not.
    """

    body: bytes
    sha256: str
    parts: tuple[PartMade, ...]


class Packaging(Lifecycle):
    """Deeds that hand a dossier out."""

    def preview_dossier(self, system_id: str, cmd: HandOver) -> tuple[PartMade, ...]:
        """Return every part as it would be handed out, without handing anything out.

        Raises:
            NotFound: There is no such system.
            Invalid: See `decide.dossiers.chosen`.
        """
        wanted = decide.chosen(cmd)
        gather = self._gatherers()
        made = []
        for part in (one for one in DOSSIER_PARTS.values() if one.id in gather):
            data = gather[part.id](system_id)
            salt = self._tools.chance(_SALT_BYTES).hex()
            content = canonical({"data": data, "salt": salt})
            made.append(decide.part_made(part, data, content, is_chosen=part.id in wanted))
        return tuple(made)

    def hand_over_dossier(self, system_id: str, cmd: HandOver, *, by: Actor) -> HandedOver:
        """Hand a dossier out: the chosen parts, the others named, and proof that it was handed out.

        Raises:
            NotFound: There is no such system.
            Invalid: See `decide.dossiers.chosen`.
        """
        self.system(system_id)
        parts = self.preview_dossier(system_id, cmd)
        acts = next(one for one in parts if one.part.id == "acts")
        entries = [act["entry"] for act in msgspec.json.decode(acts.content)["data"]] if acts.is_chosen else []
        proofs = {entry: self._ledger.prove(entry) for entry in entries}
        manifest = canonical(decide.manifest(system_id, cmd, parts, proofs, by=by, at=self._clock()))
        digest = sha256(manifest).hexdigest()
        with self._sql.begin() as tx:
            receipt = self._ledger.append(tx, decide.handed_over(system_id, cmd, parts, digest), by=by)
        body = package.write(manifest, parts, proofs, self._ledger.prove(receipt), NOT_LEGAL_ADVICE)
        return HandedOver(body=body, sha256=digest, parts=parts)

    def _gatherers(self) -> Mapping[str, Callable[[str], Any]]:
        """Part id to what gathers its data: JSON-ready values."""
        return {
            "system": self._system_data,
            "parties": self._parties_data,
            "facts": self._facts_data,
            "duties": self._duties_data,
            "acts": self._acts_data,
            "people": self._people_data,
        }

    def _system_data(self, system_id: str) -> Any:
        data = plain(self.system(system_id))
        data["people"] = [{"id": one["id"], "role": one["role"], "since": one["since"]} for one in data["people"]]
        return data

    def _parties_data(self, system_id: str) -> Any:
        system = self.system(system_id)
        parties = (self.party(one) for one in dict.fromkeys((system.provider_id, system.deployer_id)) if one)
        return [{name: value for name, value in plain(one).items() if name != "contact"} for one in parties]

    def _people_data(self, system_id: str) -> Any:
        return plain(self.system(system_id).people)

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
        judgment = file.outlook.judgment
        return {
            "on": file.outlook.on.isoformat(),
            "facts_version": file.record.version,
            "classes": {name: class_data(one) for name, one in judgment.classes.items()},
            "owed": [duty_data(duty, file.outlook.text, judgment) for duty in file.outlook.duties],
            "red_lines": list(file.red_lines),
            "barred_by": list(file.barred_by),
            "notice": plain(NOT_LEGAL_ADVICE),
        }

    def _acts_data(self, system_id: str) -> Any:
        found: list[dict[str, Any]] = []
        before: int | None = None
        self._ledger.advance()
        while True:
            entries = self._ledger.entries(subject=system_id, before=before, limit=ACTS_AT_ONCE)
            found += [_act(one.body, one.id) for one in entries]
            before = entries[-1].index if entries else None
            if before is None or len(entries) < ACTS_AT_ONCE:
                return found


def plain(value: Any) -> Any:
    """Return a word as JSON-ready values."""
    return msgspec.to_builtins(value)


def check_dossier(body: bytes, keys: Iterable[VerifierKey]) -> Reason:
    """Judge a dossier file with nothing but public keys: no register, no ledger, no database.

    Raises:
        Invalid: It is no dossier file.
    """
    trusted = tuple(keys)
    return decide.judge(package.read(body), lambda proof: check(proof, trusted))


def _act(body: bytes, entry_id: str) -> dict[str, Any]:
    """Return an entry as the leaf commits to it, so that a stranger can hold it against its proof."""
    says = msgspec.json.decode(body)
    return {"entry": entry_id, **{name: says[name] for name in ("kind", "at", "actor", "data")}}
