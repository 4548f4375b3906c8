"""Judgments of imports: what becomes of each record, what its leaf commits to, what may be taken out again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from safebelt.kernel import merkle
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.register import NAME_LIMIT, register_system
from safebelt.rooms.registry.model.imports import (
    Batch,
    ImportProof,
    Known,
    Outcome,
    Planned,
    Record,
    State,
    Wish,
)
from safebelt.rooms.registry.model.imports_events import ImportUndone, SystemsImported
from safebelt.rooms.registry.model.register import Party, RegisterSystem, System, folded

_LEAF = msgspec.json.Encoder(order="sorted")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # a plan is judged without a clock: only the form of the texts is asked
_REFUSING = Text(zh="没有写明提供者。", en="It names no provider.")
_SAY_PROVIDER = Text(
    zh="请在来源中补上，或用 --provider 指明由谁提供。",
    en="Add it to the source, or say who provides it with --provider.",
)


def plan(records: Sequence[Record], known: Known, wish: Wish, *, start: int = 0) -> tuple[Planned, ...]:
    """Say of each record whether it is new, a duplicate, or cannot be entered; nothing in it can say otherwise.

    Args:
        records: In the order of the source.
        known: What the register holds of them already.
        wish: What whoever imports chose to do with likely duplicates.
        start: Place of the first record.
    """
    seen = _Seen(known)
    return tuple(seen.planned(place, one, wish) for place, one in enumerate(records, start=start))


class _Seen:
    """What is known while one record after the other is looked at: the register, and the records before."""

    def __init__(self, known: Known) -> None:
        self._parties = known.parties
        self._refs, self._digests = dict(known.refs), dict(known.digests)
        self._alike = dict(known.alike)

    def planned(self, place: int, record: Record, wish: Wish) -> Planned:
        same = self._refs.get(record.key) if record.key else None
        same = self._digests.get(record.sha256) if same is None else same
        if same is not None:
            return Planned(place=place, record=record, outcome=Outcome.SAME, system_id=same, why=_again(same))
        draft = drafted(record, self._parties)
        if isinstance(draft, Text):
            return Planned(place=place, record=record, outcome=Outcome.REFUSED, why=draft)
        like = (folded(record.name.en), self._party(record.provider))
        twin = self._alike.get(like)
        if twin is not None and not wish.takes_likely and place not in wish.chosen:
            return Planned(place=place, record=record, outcome=Outcome.LIKELY, system_id=twin, why=_alike(twin))
        self._remember(record, like)
        return Planned(place=place, record=record, outcome=Outcome.NEW, draft=draft)

    def _party(self, name: str) -> str:
        return self._parties.get(name, folded(name))

    def _remember(self, record: Record, like: tuple[str, str]) -> None:
        if record.key:
            self._refs.setdefault(record.key, "")
        self._digests.setdefault(record.sha256, "")
        self._alike.setdefault(like, "")


def drafted(record: Record, parties: Mapping[str, str]) -> System | Text:
    """Return the system a record would become, still without ids; or why it cannot be registered.

    The very rules hold that hold for whoever registers by hand, and the record has no say in the stage it enters at.
    """
    if not record.provider:
        return Text(zh=_REFUSING.zh + _SAY_PROVIDER.zh, en=f"{_REFUSING.en} {_SAY_PROVIDER.en}")
    for party in (record.provider, record.deployer):
        if party.startswith("pty_") and party not in parties:
            return Text(zh=f"没有登记主体“{party}”。", en=f"There is no party “{party}” in the register.")
    if max(len(record.provider), len(record.deployer)) > NAME_LIMIT:
        return Text(
            zh=f"主体名称不能超过 {NAME_LIMIT} 个字符。", en=f"A party's name must be {NAME_LIMIT} characters or fewer."
        )
    name, purpose = record.name, record.purpose
    asked = RegisterSystem(
        provider_id="", name_zh=name.zh, name_en=name.en, purpose_zh=purpose.zh, purpose_en=purpose.en
    )
    try:
        return register_system(asked, new_id="", at=_LONG_AGO)[0]
    except Invalid as problem:
        return problem.what


def entering(planned: Planned, *, new_id: str, parties: Mapping[str, str], at: datetime) -> System | None:
    """Return the system a record becomes; None for a record that is not to be entered.

    Args:
        planned: The record.
        new_id: The system's id.
        parties: Name of a party to its id.
        at: When it enters.
    """
    if planned.draft is None:
        return None
    provider, deployer = parties[planned.record.provider], parties.get(planned.record.deployer, "")
    return replace(planned.draft, id=new_id, provider_id=provider, deployer_id=deployer, registered_at=at)


def entered(planned: Sequence[Planned], systems: Mapping[int, System], parties: Sequence[Party]) -> Known:
    """Return what later records must know of those that enter.

    Args:
        planned: Records of one part.
        systems: Place to the system that the record becomes.
        parties: Those that enter with them.
    """
    pairs = [(one.record, systems[one.place]) for one in planned if one.place in systems]
    return Known(
        refs={record.key: system.id for record, system in pairs if record.key},
        digests={record.sha256: system.id for record, system in pairs},
        alike={(folded(record.name.en), system.provider_id): system.id for record, system in pairs},
        parties={word: one.id for one in parties for word in (one.name, one.id)},
        names={one.id: one.name for one in parties},
    )


def joined(*parts: Known) -> Known:
    """Return what all of them know; of what several know, the last one's word."""
    return Known(
        refs={key: one for part in parts for key, one in part.refs.items()},
        digests={key: one for part in parts for key, one in part.digests.items()},
        alike={key: one for part in parts for key, one in part.alike.items()},
        parties={key: one for part in parts for key, one in part.parties.items()},
        names={key: one for part in parts for key, one in part.names.items()},
    )


def leaf_of_system(system: System, record_sha256: str, facts_sha256: str, salt: str) -> dict[str, str]:
    """Return what the root commits to for one system; a record may hold contacts, so only its salted digest goes in."""
    return {
        "id": system.id,
        "name_zh": system.name.zh,
        "name_en": system.name.en,
        "purpose_zh": system.purpose.zh,
        "purpose_en": system.purpose.en,
        "provider_id": system.provider_id,
        "deployer_id": system.deployer_id,
        "status": system.status.value,
        "record": _salted(record_sha256, salt),
        "facts_sha256": facts_sha256,
    }


def leaf_of_party(party: Party, salt: str) -> dict[str, str]:
    """Return what the root commits to for one party; its name may be a person's, so only a salted digest goes in."""
    return {"id": party.id, "party_kind": party.kind.value, "name": _salted(party.name, salt)}


def leaf_text(body: Mapping[str, str]) -> str:
    """Return a leaf in RFC 8785 form, which for a flat object of texts with ASCII keys is what the library writes."""
    return _LEAF.encode(body).decode()


def _salted(text: str, salt: str) -> str:
    return sha256(f"{salt}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def imported(
    batch: Batch, planned: Sequence[Planned], leaves: Sequence[bytes], *, parties: int, described: int, barred: int
) -> SystemsImported:
    """Return the event of one part of an import.

    Args:
        batch: Which import.
        planned: Its records, dealt with together.
        leaves: Leaf hashes of what entered.
        parties: How many parties entered.
        described: Systems whose facts are on record.
        barred: Systems that meet a red line.
    """
    outcomes = [one.outcome for one in planned]
    return SystemsImported(
        subject=batch.id,
        form=batch.form.value,
        source_sha256=batch.sha256,
        first=planned[0].place,
        last=planned[-1].place,
        entered=outcomes.count(Outcome.NEW),
        parties=parties,
        repeated=outcomes.count(Outcome.SAME) + outcomes.count(Outcome.LIKELY),
        refused=outcomes.count(Outcome.REFUSED),
        described=described,
        barred=barred,
        root=merkle.root(leaves).hex(),
        leaves=len(leaves),
    )


def undone(batch: Batch, reason: str, taken_out: Sequence[str], *, kept: int, parties: int) -> ImportUndone:
    """Return the event of one part of an undoing."""
    root = merkle.root(merkle.leaf_hash(one.encode()) for one in sorted(taken_out))
    return ImportUndone(
        subject=batch.id, reason=reason, taken_out=len(taken_out), kept=kept, parties=parties, root=root.hex()
    )


def proof_holds(proof: ImportProof) -> bool:
    """Whether a leaf lies under the root, and is of the system; that the root is on the ledger is proven there."""
    path = [bytes.fromhex(one) for one in proof.path]
    leaf = merkle.leaf_hash(proof.leaf.encode())
    is_its_own = f'"id":"{proof.system_id}"' in proof.leaf
    return is_its_own and merkle.verify_inclusion(proof.index, proof.size, leaf, path, bytes.fromhex(proof.root))


def hold_to_confirm(batch: Batch) -> Batch:
    """Hold that a batch waits for somebody's word.

    Raises:
        Conflict: It does not.
    """
    if batch.state not in (State.PLANNED, State.WAITING, State.RUNNING, State.BROKEN):
        raise Conflict(
            what=Text(zh="这次导入已经结束。", en="This import has ended."),
            hint=Text(zh="如需再次导入，请重新上传文件。", en="To import again, bring the file again."),
        )
    return batch


def hold_to_undo(batch: Batch, reason: str) -> str:
    """Hold that an import can be undone, and return why it is.

    Raises:
        Conflict: It is not over, or was undone.
        Invalid: No reason is given.
    """
    if batch.state not in (State.DONE, State.BROKEN):
        raise Conflict(
            what=Text(zh="只有已结束的导入才能撤销。", en="Only an import that has ended can be undone."),
            hint=Text(zh="请等它结束，或查看它的状态。", en="Wait until it has ended, or look at its state."),
        )
    stripped = reason.strip()
    if not stripped or len(stripped) > 2000:
        raise Invalid(
            what=Text(zh="请写明撤销理由（不超过 2000 字）。", en="Say why it is undone, in at most 2,000 characters."),
            hint=Text(zh="理由会写入账本。", en="The reason goes to the ledger."),
            details={"field": "reason"},
        )
    return stripped


def summed(before: Mapping[str, int], more: Iterable[str]) -> dict[str, int]:
    """Return counts with more counted in."""
    counts = dict(before)
    for one in more:
        counts[one] = counts.get(one, 0) + 1
    return counts


def classes_summed(
    before: Mapping[str, Mapping[str, int]], more: Iterable[Mapping[str, str]]
) -> dict[str, dict[str, int]]:
    """Return how many systems fall into each class, with more counted in."""
    counts = {name: dict(found) for name, found in before.items()}
    for classes, systems in _shared(more):
        for instrument, strictest in classes.items():
            of = counts.setdefault(instrument, {})
            of[strictest] = of.get(strictest, 0) + systems
    return counts


def _shared(more: Iterable[Mapping[str, str]]) -> list[tuple[Mapping[str, str], int]]:
    """Return each object once with how often it came: systems that are judged alike share theirs."""
    found: dict[int, tuple[Mapping[str, str], int]] = {}
    for one in more:
        found[id(one)] = (one, found[id(one)][1] + 1 if id(one) in found else 1)
    return list(found.values())


def _again(system_id: str) -> Text:
    if not system_id:
        return Text(zh="与本文件中前面的一条记录相同。", en="It is the same as a record before it in this file.")
    return Text(zh=f"这条记录已登记为 {system_id}。", en=f"This record is entered already, as {system_id}.")


def _alike(system_id: str) -> Text:
    which = system_id or "—"
    return Text(
        zh=f"同一提供者已有同名系统（{which}）。确为另一个系统的，请选择照样登记。",
        en=f"The same provider has a system of that name ({which}). If it is another one, choose to enter it.",
    )
