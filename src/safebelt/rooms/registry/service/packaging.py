"""Deeds that hand a dossier out: previewed, minimised, signed by the log, checkable without us."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from safebelt.engines.canonical import canonical
from safebelt.engines.signing import VerifierKey
from safebelt.kernel.actors import Actor
from safebelt.kernel.reasons import Reason
from safebelt.rooms.ledger.service import check
from safebelt.rooms.registry.decide import dossiers as decide
from safebelt.rooms.registry.exports import package
from safebelt.rooms.registry.model.dossiers import DOSSIER_PARTS, HandOver, PartMade
from safebelt.rooms.registry.service.agenda import Agenda
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE

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


class Packaging(Agenda):
    """Deeds that hand a dossier out."""

    def preview_dossier(self, system_id: str, cmd: HandOver) -> tuple[PartMade, ...]:
        """Return every part as it would be handed out, without handing anything out.

        Raises:
            NotFound: There is no such system.
            Invalid: See `decide.dossiers.chosen`.
        """
        wanted = decide.chosen(cmd)
        gather = self.gatherers()
        made = []
        for part in DOSSIER_PARTS.values():
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


def check_dossier(body: bytes, keys: Iterable[VerifierKey]) -> Reason:
    """Judge a dossier file with nothing but public keys: no register, no ledger, no database.

    Raises:
        Invalid: It is no dossier file.
    """
    trusted = tuple(keys)
    return decide.judge(package.read(body), lambda proof: check(proof, trusted))
