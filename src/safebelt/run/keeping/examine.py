"""What a house that came out of a backup proves: its log, its receipts, its records."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safebelt.app import House
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.belt.records.verify import Verification as Records
from safebelt.rooms.ledger.model import Verification
from safebelt.rooms.ledger.service import check, check_consistency

RECEIPTS = 16
"""How many receipts are made and checked, spread evenly over the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen.

    Attributes:
        log: What verifying the whole log came to; None where it could not be verified.
        records: What reading the belt's records came to.
        receipts: Ids of entries whose receipts were made and checked.
        problems: What speaks against it beyond what `log` and `records` name, in words.
        unnamed: Earlier versions to which roll-backs in force lead, and which the settings here do not name: until they
            do, what is rolled back asks nobody.
    """

    log: Verification | None
    records: Records
    receipts: tuple[str, ...]
    problems: tuple[Text, ...]
    unnamed: tuple[str, ...]

    @property
    def holds(self) -> Truth:
        """False where anything speaks against it, unknown where there was no log to verify, else true."""
        if self.problems or self.log is None or Truth.FALSE in (self.log.holds, self.records.holds):
            return Truth.FALSE
        return self.log.holds


def examine(house: House, manifest: Mapping[str, Any], *, may_sign: bool) -> Seen:
    """Rebuild the public log, verify everything, and make and check receipts.

    Args:
        house: The house that came out of the backup.
        manifest: What the backup says of itself.
        may_sign: Whether this house lives on.  One that is thrown away again must sign nothing: the house it was copied
            from may place the same waiting entries otherwise.
    """
    problems = list[Text]()
    if problem := _same_head(house, manifest):
        problems.append(problem)
    receipts = list[str]()
    log: Verification | None = None
    try:
        if may_sign:
            house.ledger.advance()
        for entry_id in _some_entries(house):
            holds, proven = check(house.ledger.prove(entry_id), house.ledger.verifier_keys())
            if holds.holds is not Truth.TRUE or proven is None:
                problems.append(Text(zh=f"回执 {entry_id} 不成立。", en=f"The receipt of {entry_id} does not hold."))
            receipts.append(entry_id)
        problems.extend(_grew(house, manifest))
        house.ledger.show()
        log = house.ledger.verify()
    except Problem as problem:
        problems.append(Text(zh=problem.in_("zh"), en=problem.in_("en")))
    return Seen(
        log=log,
        records=house.belt.verify(),
        receipts=tuple(receipts),
        problems=tuple(problems),
        unnamed=_unnamed(house),
    )


def _unnamed(house: House) -> tuple[str, ...]:
    ordered = {back.terms.to for back in house.belt.state().versions if back.terms.to}
    return tuple(sorted(ordered - {version.name for version in house.belt.earlier()}))


def _same_head(house: House, manifest: Mapping[str, Any]) -> Text | None:
    """Say so where the newest checkpoint is not the one that the backup names."""
    told, last = manifest.get("checkpoint"), house.ledger.checkpoint()
    found = None if last is None else {"size": last.size, "root": last.root.hex()}
    if (told and {"size": told["size"], "root": told["root"]}) == found:
        return None
    return Text(
        zh="最新检查点与备份清单所记不同。", en="The newest checkpoint is not the one in the backup's manifest."
    )


def _some_entries(house: House) -> list[str]:
    """Return ids of entries that a checkpoint covers: the first, the last, and some between."""
    last = house.ledger.checkpoint()
    if last is None:
        return []
    places = sorted({number * (last.size - 1) // (RECEIPTS - 1) for number in range(RECEIPTS)})
    return [entry_id for place in places for _, entry_id, _, _ in house.ledger.sequenced(place - 1, 1)]


def _grew(house: House, manifest: Mapping[str, Any]) -> list[Text]:
    """Say so where the log as it is now does not follow from the checkpoint that the backup names."""
    if not (told := manifest.get("checkpoint")):
        return []
    proof = house.ledger.consistency(told["size"])
    reason, _ = check_consistency(proof, house.ledger.verifier_keys())
    if reason.holds is Truth.TRUE:
        return []
    return [Text(zh="日志与备份时的检查点不一致。", en="The log does not follow from the backup's checkpoint.")]
