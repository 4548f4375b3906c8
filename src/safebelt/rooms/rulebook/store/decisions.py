"""What people decided about the law: commitments, adopted drafts, overrides, reviews, and gaps they reported."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata, upsert
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model.deeds import (
    Adoption,
    Commitment,
    Gap,
    GapKind,
    Opinion,
    Override,
    Reviewed,
)

commitment = sa.Table(
    "rulebook_commitment",
    metadata,
    sa.Column("party", sa.String(40), primary_key=True),
    sa.Column("covenant", sa.String(80), primary_key=True),
    sa.Column("since", sa.Date, primary_key=True),
    sa.Column("until", sa.Date),
)

adoption = sa.Table(
    "rulebook_adoption",
    metadata,
    sa.Column("overlay", sa.String(120), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("proposal", sa.String(40), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

override = sa.Table(
    "rulebook_override",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(40), nullable=False, index=True),
    sa.Column("norms", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("proposal", sa.String(40), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("until", sa.Date, nullable=False),
)

review = sa.Table(
    "rulebook_review",
    metadata,
    sa.Column("norm", sa.String(200), primary_key=True),
    sa.Column("by", sa.String(64), primary_key=True),
    sa.Column("at", UtcDateTime, primary_key=True),
    sa.Column("opinion", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)

gap = sa.Table(
    "rulebook_gap",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False, index=True),
    sa.Column("about", sa.String(80), nullable=False),
    sa.Column("says_zh", sa.Text, nullable=False),
    sa.Column("says_en", sa.Text, nullable=False),
    sa.Column("jurisdictions", sa.JSON, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

TABLES = (commitment, adoption, override, review, gap)


def add_commitment(tx: sa.Connection, new: Commitment) -> None:
    """Remember that a party bound itself; one that left that very day is bound as if it had stayed."""
    row = {"party": new.party, "covenant": new.covenant, "since": new.since, "until": None}
    upsert(tx, commitment, row, ["party", "covenant", "since"])


def end_commitment(tx: sa.Connection, party: str, covenant: str, until: date) -> None:
    """Remember from when on a covenant binds a party no longer."""
    running = (commitment.c.party == party) & (commitment.c.covenant == covenant) & commitment.c.until.is_(None)
    tx.execute(sa.update(commitment).where(running).values(until=until))


def commitments(tx: sa.Connection, *, party: str = "", covenant: str = "") -> list[Commitment]:
    """Return commitments, of a party or to a covenant where given, oldest first."""
    wanted = sa.select(commitment).order_by(commitment.c.since, commitment.c.party, commitment.c.covenant)
    wanted = wanted.where(commitment.c.party == party) if party else wanted
    wanted = wanted.where(commitment.c.covenant == covenant) if covenant else wanted
    return [
        Commitment(party=row.party, covenant=row.covenant, since=row.since, until=row.until)
        for row in tx.execute(wanted)
    ]


def add_adoption(tx: sa.Connection, new: Adoption) -> None:
    """Remember an adopted draft with its very text, in place of one of the same id that no longer fits."""
    values = {"overlay": new.overlay, "source": new.source, "sha256": new.sha256}
    upsert(tx, adoption, {**values, "proposal": new.proposal, "at": new.at}, ["overlay"])


def adoptions(tx: sa.Connection) -> list[Adoption]:
    """Return adopted drafts, oldest first."""
    return [
        Adoption(overlay=row.overlay, source=row.source, sha256=row.sha256, proposal=row.proposal, at=row.at)
        for row in tx.execute(sa.select(adoption).order_by(adoption.c.at, adoption.c.overlay))
    ]


def adopted(tx: sa.Connection) -> frozenset[tuple[str, str]]:
    """Return id and digest of every adopted draft: cheap enough to ask before every judgment."""
    return frozenset((row.overlay, row.sha256) for row in tx.execute(sa.select(adoption.c.overlay, adoption.c.sha256)))


def add_override(tx: sa.Connection, new: Override) -> None:
    """Remember that red lines were set aside."""
    values = {"id": new.id, "system": new.system, "norms": list(new.norms), "reason": new.reason}
    tx.execute(sa.insert(override).values(**values, proposal=new.proposal, at=new.at, until=new.until))


def overrides(tx: sa.Connection, system: str = "") -> list[Override]:
    """Return overrides, of one system where given, latest first."""
    wanted = sa.select(override).order_by(override.c.at.desc(), override.c.id)
    return [_override(row) for row in tx.execute(wanted.where(override.c.system == system) if system else wanted)]


def add_review(tx: sa.Connection, new: Reviewed) -> None:
    """Remember a review."""
    values = {"norm": new.norm, "by": new.by, "at": new.at, "opinion": new.opinion.value}
    tx.execute(sa.insert(review).values(**values, note=new.note, sha256=new.sha256))


def reviews(tx: sa.Connection, norm: str = "") -> list[Reviewed]:
    """Return reviews, of one norm where given, latest first."""
    wanted = sa.select(review).order_by(review.c.at.desc(), review.c.norm, review.c.by)
    return [_review(row) for row in tx.execute(wanted.where(review.c.norm == norm) if norm else wanted)]


def add_gap(tx: sa.Connection, new: Gap) -> None:
    """Remember a gap."""
    values = {"id": new.id, "kind": new.kind.value, "about": new.about, "says_zh": new.says.zh, "says_en": new.says.en}
    tx.execute(sa.insert(gap).values(**values, jurisdictions=list(new.jurisdictions), at=new.at))


def gaps(tx: sa.Connection) -> list[Gap]:
    """Return what met no norm, latest first."""
    return [
        Gap(
            id=row.id,
            kind=GapKind(row.kind),
            about=row.about,
            says=Text(zh=row.says_zh, en=row.says_en),
            jurisdictions=tuple(row.jurisdictions),
            at=row.at,
        )
        for row in tx.execute(sa.select(gap).order_by(gap.c.at.desc(), gap.c.id))
    ]


def _override(row: sa.Row[Any]) -> Override:
    return Override(
        id=row.id,
        system=row.system,
        norms=tuple(row.norms),
        reason=row.reason,
        proposal=row.proposal,
        at=row.at,
        until=row.until,
    )


def _review(row: sa.Row[Any]) -> Reviewed:
    return Reviewed(norm=row.norm, opinion=Opinion(row.opinion), note=row.note, sha256=row.sha256, by=row.by, at=row.at)
