"""Tables of things, links, versions, and of identifiers of parties."""

from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, changed_once, metadata
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model import folded
from safebelt.rooms.registry.model.things import (
    Link,
    Linked,
    Relation,
    SubjectKind,
    Thing,
    ThingKind,
    Version,
    VersionState,
)
from safebelt.rooms.registry.store import identity
from safebelt.rooms.registry.store.register import system

thing = sa.Table(
    "registry_thing",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("name_zh", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("about_zh", sa.Text, nullable=False),
    sa.Column("about_en", sa.Text, nullable=False),
    sa.Column("owner_id", sa.String(40), sa.ForeignKey("registry_party.id"), index=True),
    sa.Column("licence", sa.Text, nullable=False),
    sa.Column("origin_url", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("key_fingerprint", sa.String(64), unique=True),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("dependents", sa.Integer, nullable=False),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("search", sa.Text, nullable=False),
    sa.Index("ix_registry_thing_kind_dependents", "kind", "dependents"),
    sa.Index("ix_registry_thing_dependents_id", "dependents", "id"),
)

link = sa.Table(
    "registry_link",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False, index=True),
    sa.Column("thing_id", sa.String(40), sa.ForeignKey("registry_thing.id"), nullable=False),
    sa.Column("relation", sa.String(20), nullable=False),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("until", sa.Date),
    sa.Index("ix_registry_link_thing_id_system_id", "thing_id", "system_id"),
)
_OPEN = sa.text("until is null")
sa.Index(
    "uq_registry_link_open",
    link.c.system_id,
    link.c.thing_id,
    link.c.relation,
    unique=True,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)

version = sa.Table(
    "registry_version",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("subject_id", sa.String(40), nullable=False),
    sa.Column("subject_kind", sa.String(20), nullable=False),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), index=True),
    sa.Column("thing_id", sa.String(40), sa.ForeignKey("registry_thing.id"), index=True),
    sa.Column("label", sa.String(100), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("notes_zh", sa.Text, nullable=False),
    sa.Column("notes_en", sa.Text, nullable=False),
    sa.Column("made_on", sa.Date, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("proposed_at", UtcDateTime, nullable=False),
    sa.Column("current_from", UtcDateTime),
    sa.Column("current_until", UtcDateTime),
    sa.UniqueConstraint("subject_id", "label"),
)
_CURRENT = sa.text("state = 'current'")
sa.Index(
    "uq_registry_version_current",
    version.c.subject_id,
    unique=True,
    sqlite_where=_CURRENT,
    postgresql_where=_CURRENT,
)
"""Two current versions of one subject cannot even be written."""


# --- things ------------------------------------------------------------------------------------------------------


def add_thing(tx: sa.Connection, word: Thing) -> None:
    """Insert a thing."""
    values = {"id": word.id, "kind": word.kind.value, "registered_at": word.registered_at, "dependents": 0}
    tx.execute(sa.insert(thing).values(**values, **_columns(word)))


def save_thing(tx: sa.Connection, word: Thing) -> None:
    """Update a thing that was read at the revision before this one.

    Raises:
        Conflict: Somebody else changed it since.
    """
    fresh = sa.update(thing).where(thing.c.id == word.id, thing.c.revision == word.revision - 1)
    changed_once(tx.execute(fresh.values(**_columns(word))), word.name.zh)


def thing_by_id(tx: sa.Connection, thing_id: str) -> Thing | None:
    """Return one thing, or None."""
    row = tx.execute(sa.select(thing).where(thing.c.id == _clean(thing_id))).one_or_none()
    return None if row is None else _thing(row)


def thing_by_key(tx: sa.Connection, fingerprint: str) -> Thing | None:
    """Return the agent that holds this public key, or None."""
    row = tx.execute(sa.select(thing).where(thing.c.key_fingerprint == fingerprint)).one_or_none()
    return None if row is None else _thing(row)


def things_by_ids(tx: sa.Connection, ids: tuple[str, ...]) -> dict[str, Thing]:
    """Return the things of these ids that there are."""
    return {row.id: _thing(row) for row in tx.execute(sa.select(thing).where(thing.c.id.in_(ids)))}


def things(
    tx: sa.Connection, *, search: str, kind: ThingKind | None, most_depended: bool, page: int, size: int
) -> tuple[tuple[Thing, ...], int]:
    """Return one page of matching things, newest (or most depended on) first, and how many match."""
    wanted = [thing.c.search.contains(word, autoescape=True) for word in folded(_clean(search)).split()]
    wanted += [thing.c.kind == kind.value] if kind else []
    order = (thing.c.dependents.desc(), thing.c.id.desc()) if most_depended else (thing.c.id.desc(),)
    total = tx.execute(sa.select(sa.func.count()).select_from(thing).where(*wanted)).scalar_one()
    chosen = sa.select(thing).where(*wanted).order_by(*order).limit(size).offset((page - 1) * size)
    return tuple(_thing(row) for row in tx.execute(chosen)), total


def things_of(tx: sa.Connection, party_id: str, limit: int) -> tuple[Thing, ...]:
    """Return things a party answers for, newest first."""
    chosen = sa.select(thing).where(thing.c.owner_id == _clean(party_id)).order_by(thing.c.id.desc()).limit(limit)
    return tuple(_thing(row) for row in tx.execute(chosen))


# --- links -------------------------------------------------------------------------------------------------------


def add_link(tx: sa.Connection, word: Link) -> None:
    """Insert a link that holds, and count the system among those that depend on the thing."""
    is_new = not _depends(tx, word)
    values = {"id": word.id, "system_id": word.system_id, "thing_id": word.thing_id, "since": word.since}
    tx.execute(sa.insert(link).values(**values, relation=word.relation.value, until=None))
    if is_new:
        _count(tx, word.thing_id, 1)


def end_link(tx: sa.Connection, word: Link) -> None:
    """End a link, and count the system out where nothing else ties it to the thing.

    Raises:
        Conflict: It ended meanwhile.
    """
    ending = sa.update(link).where(link.c.id == word.id, link.c.until.is_(None)).values(until=word.until)
    changed_once(tx.execute(ending), word.id)
    if not _depends(tx, word):
        _count(tx, word.thing_id, -1)


def _depends(tx: sa.Connection, word: Link) -> bool:
    held = sa.select(link.c.id).where(
        link.c.thing_id == word.thing_id, link.c.system_id == word.system_id, link.c.until.is_(None)
    )
    return tx.execute(held.limit(1)).first() is not None


def _count(tx: sa.Connection, thing_id: str, by: int) -> None:
    tx.execute(sa.update(thing).where(thing.c.id == thing_id).values(dependents=thing.c.dependents + by))


def link_by_id(tx: sa.Connection, link_id: str) -> Link | None:
    """Return one link, or None."""
    row = tx.execute(sa.select(link).where(link.c.id == _clean(link_id))).one_or_none()
    return None if row is None else _link(row)


def links_of(tx: sa.Connection, system_id: str, thing_id: str = "") -> tuple[Linked, ...]:
    """Return every link of a system, or of it and one thing: those that hold first, then the newest."""
    wanted = [link.c.system_id == _clean(system_id)] + ([link.c.thing_id == _clean(thing_id)] if thing_id else [])
    return tuple(_linked(row) for row in tx.execute(_with_names(wanted)))


def used_by(tx: sa.Connection, thing_id: str, *, is_open: bool, page: int, size: int) -> tuple[tuple[Linked, ...], int]:
    """Return one page of the links that lead to a thing, those that hold first, and how many there are."""
    wanted = [link.c.thing_id == _clean(thing_id)] + ([link.c.until.is_(None)] if is_open else [])
    total = tx.execute(sa.select(sa.func.count()).select_from(link).where(*wanted)).scalar_one()
    rows = tx.execute(_with_names(wanted).limit(size).offset((page - 1) * size))
    return tuple(_linked(row) for row in rows), total


def _with_names(wanted: list[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    names = (
        system.c.name_zh.label("system_zh"),
        system.c.name_en.label("system_en"),
        thing.c.name_zh.label("thing_zh"),
        thing.c.name_en.label("thing_en"),
        thing.c.kind.label("thing_kind"),
    )
    joined = link.join(system, system.c.id == link.c.system_id).join(thing, thing.c.id == link.c.thing_id)
    ended_last = sa.case((link.c.until.is_(None), 0), else_=1)
    return sa.select(link, *names).select_from(joined).where(*wanted).order_by(ended_last, link.c.id.desc())


# --- versions ----------------------------------------------------------------------------------------------------


def add_version(tx: sa.Connection, word: Version) -> None:
    """Insert a version."""
    owner = "system_id" if word.subject_kind is SubjectKind.SYSTEM else "thing_id"
    values = {
        "id": word.id,
        "subject_id": word.subject_id,
        "subject_kind": word.subject_kind.value,
        "label": word.label,
        "digest": word.digest,
        "notes_zh": word.notes.zh,
        "notes_en": word.notes.en,
        "made_on": word.made_on,
        "made_by": word.made_by,
        "proposed_at": word.proposed_at,
    }
    tx.execute(sa.insert(version).values(**values, **{owner: word.subject_id}, **_standing(word)))


def save_version(tx: sa.Connection, word: Version, *, was: VersionState) -> None:
    """Update where a version stands, read when it stood at `was`.

    Raises:
        Conflict: Somebody else moved it since.
    """
    fresh = sa.update(version).where(version.c.id == word.id, version.c.state == was.value)
    changed_once(tx.execute(fresh.values(**_standing(word))), word.label)


def version_by_id(tx: sa.Connection, version_id: str) -> Version | None:
    """Return one version, or None."""
    row = tx.execute(sa.select(version).where(version.c.id == _clean(version_id))).one_or_none()
    return None if row is None else _version(row)


def version_by_label(tx: sa.Connection, subject_id: str, label: str) -> Version | None:
    """Return the version of a subject that people call so, or None."""
    wanted = (version.c.subject_id == _clean(subject_id), version.c.label == _clean(label))
    row = tx.execute(sa.select(version).where(*wanted)).one_or_none()
    return None if row is None else _version(row)


def versions_of(tx: sa.Connection, subject_id: str) -> tuple[Version, ...]:
    """Return every version of a subject, newest first."""
    chosen = sa.select(version).where(version.c.subject_id == _clean(subject_id)).order_by(version.c.id.desc())
    return tuple(_version(row) for row in tx.execute(chosen))


def current_version(tx: sa.Connection, subject_id: str) -> Version | None:
    """Return the version of a subject that is current, or None."""
    wanted = (version.c.subject_id == _clean(subject_id), version.c.state == VersionState.CURRENT.value)
    row = tx.execute(sa.select(version).where(*wanted)).one_or_none()
    return None if row is None else _version(row)


# --- rows and words ----------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """Leave out NUL, which PostgreSQL cannot even compare; nothing stored holds one."""
    return text.replace("\0", "")


def _columns(word: Thing) -> dict[str, Any]:
    texts = (word.name.zh, word.name.en, word.about.zh, word.about.en)
    return {
        "name_zh": word.name.zh,
        "name_en": word.name.en,
        "about_zh": word.about.zh,
        "about_en": word.about.en,
        "owner_id": word.owner_id or None,
        "licence": word.licence,
        "origin_url": word.origin_url,
        "sha256": word.sha256,
        "key_fingerprint": word.details.get("key_fingerprint"),
        "details": {name: list(v) if isinstance(v, tuple) else v for name, v in word.details.items()},
        "revision": word.revision,
        "search": folded("\n".join((word.id, *texts, word.licence, word.origin_url, word.sha256))),
    }


def _thing(row: sa.Row[Any]) -> Thing:
    return Thing(
        id=row.id,
        kind=ThingKind(row.kind),
        name=Text(zh=row.name_zh, en=row.name_en),
        about=Text(zh=row.about_zh, en=row.about_en),
        owner_id=row.owner_id or "",
        licence=row.licence,
        origin_url=row.origin_url,
        sha256=row.sha256,
        details={name: tuple(v) if isinstance(v, list) else v for name, v in row.details.items()},
        dependents=row.dependents,
        registered_at=row.registered_at,
        revision=row.revision,
    )


def _link(row: sa.Row[Any]) -> Link:
    return Link(
        id=row.id,
        system_id=row.system_id,
        thing_id=row.thing_id,
        relation=Relation(row.relation),
        since=row.since,
        until=row.until,
    )


def _linked(row: sa.Row[Any]) -> Linked:
    return Linked(
        link=_link(row),
        system_name=Text(zh=row.system_zh, en=row.system_en),
        thing_name=Text(zh=row.thing_zh, en=row.thing_en),
        thing_kind=ThingKind(row.thing_kind),
    )


def _standing(word: Version) -> dict[str, Any]:
    return {"state": word.state.value, "current_from": word.current_from, "current_until": word.current_until}


def _version(row: sa.Row[Any]) -> Version:
    return Version(
        id=row.id,
        subject_id=row.subject_id,
        subject_kind=SubjectKind(row.subject_kind),
        label=row.label,
        digest=row.digest,
        notes=Text(zh=row.notes_zh, en=row.notes_en),
        made_on=row.made_on,
        state=VersionState(row.state),
        proposed_at=row.proposed_at,
        current_from=row.current_from,
        current_until=row.current_until,
        made_by=row.made_by,
    )


TABLES: tuple[sa.Table, ...] = (thing, link, version, *identity.TABLES)
