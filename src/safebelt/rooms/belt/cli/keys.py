"""Commands about callers' keys."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.cli.words import Reason, listed
from safebelt.rooms.belt.decide import read_limits, written_limits
from safebelt.rooms.belt.model import Key, KeyTerms, Usage
from safebelt.rooms.belt.service import Belt
from safebelt.web.terminal import Answer

Expires = Annotated[str, Parameter(help="Until when, for example 2027-01-31 or 2027-01-31T12:00:00Z.")]
Scope = Annotated[str, Parameter(help="What it can be used for, such as `chat embeddings`; everything if left out.")]
Limits = Annotated[str, Parameter(help="Such as `requests/minute=60 tokens/day=100000`.")]


def add_to(app: App, belt: Belt) -> None:
    """Add `keys`."""
    group = App(name="keys", help="Callers' keys. 调用方密钥。")
    _reading(group, belt)
    _giving(group, belt)
    _changing(group, belt)
    app.command(group)


def _reading(app: App, belt: Belt) -> None:
    @app.command(name="list")
    def list_(*, system: str = "") -> Answer:
        """List keys, newest first."""
        rows = [key_data(key) for key in belt.keys(system)]
        lines = [
            f"{row['id']}  {row['system']}  {row['name']}  {row['caller'] or '-'}  "
            f"{' '.join(row['scopes']) or '*'}  {row['expires_at'] or '-'}  {row['revoked_at'] or '-'}"
            for row in rows
        ]
        return Answer(data=rows, says=listed(lines, Text(zh="还没有签发密钥。", en="No key has been issued yet.")))

    @app.command
    def show(key: str) -> Answer:
        """Show a key: what it is for, how much it may do, what it used."""
        found, usage = belt.key(key), belt.usage(key)
        return Answer(data={**key_data(found), "usage": _usage_data(usage)}, says=_told(found, usage))


def _giving(app: App, belt: Belt) -> None:
    @app.command
    def issue(
        *,
        system: str,
        name: str,
        caller: str = "",
        scopes: Scope = "",
        limits: Limits = "",
        expires: Expires = "",
        purpose: str = "",
        user_class: str = "",
        region: str = "",
        data_class: str = "",
        minor: bool = False,
    ) -> Answer:
        """Issue a key; it is printed this once.

        Parameters
        ----------
        caller
            Who uses it.
        purpose
            What its requests are for; left out: unknown.
        user_class
            Whose requests they are, such as `staff` or `public`.
        region
            From where they come.
        data_class
            Of which class the data is in them.
        minor
            Minors use it: every request is in minors' mode.
        """
        terms = KeyTerms(
            caller=caller,
            scopes=tuple(scopes.replace(",", " ").split()),
            limits=read_limits(limits),
            purpose=purpose,
            user_class=user_class,
            region=region,
            data_class=data_class,
            minor=minor,
        )
        key, secret = belt.issue_key(system, name, OWNER, terms=terms, expires_at=moment(expires))
        return _issued(key, secret)

    @app.command
    def rotate(key: str, *, reason: Reason, grace_hours: float = 24.0) -> Answer:
        """Put a new key on the same terms in KEY's place; it is printed this once.

        Parameters
        ----------
        grace_hours
            How long the old one stays valid; 0 ends it at once.
        """
        return _issued(*belt.rotate_key(key, reason, OWNER, grace_hours=grace_hours))


def _changing(app: App, belt: Belt) -> None:
    @app.command(name="set")
    def set_(
        key: str,
        *,
        reason: Reason,
        caller: str | None = None,
        scopes: str | None = None,
        limits: str | None = None,
        expires: str | None = None,
        purpose: str | None = None,
        user_class: str | None = None,
        region: str | None = None,
        data_class: str | None = None,
        minor: bool | None = None,
    ) -> Answer:
        """Change a key's terms; what is not named stays, and what is given empty is taken away.

        Parameters
        ----------
        scopes
            Such as `chat embeddings`.
        limits
            Such as `requests/minute=60 tokens/day=100000`.
        expires
            Until when.
        """
        old = belt.key(key)
        plain: dict[str, Any] = {
            "caller": caller,
            "purpose": purpose,
            "user_class": user_class,
            "region": region,
            "data_class": data_class,
            "minor": minor,
        }
        given: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
        if scopes is not None:
            given["scopes"] = tuple(scopes.replace(",", " ").split())
        if limits is not None:
            given["limits"] = read_limits(limits)
        ends = old.expires_at if expires is None else moment(expires)
        changed = belt.change_key(
            key, terms=replace(old.terms, **given), expires_at=ends, version=old.version, reason=reason, by=OWNER
        )
        return Answer(data=key_data(changed), says=_told(changed, belt.usage(key)))

    @app.command
    def revoke(key: str, *, reason: Reason) -> Answer:
        """Revoke a key; the belt refuses it within a second."""
        gone = belt.revoke_key(key, reason, OWNER)
        return Answer(data=key_data(gone), says=Text(zh=f"已撤销 {gone.id}。", en=f"Revoked {gone.id}."))


def moment(text: str) -> datetime | None:
    """Read a day or a moment; without a zone it is UTC.

    Raises:
        Invalid: It is neither.
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(
            what=Text(zh=f"“{text[:40]}”不是日期。", en=f"{text[:40]!r} is no date."),
            hint=Text(zh="请写成 2027-01-31 或 2027-01-31T12:00:00Z。", en="Write it like 2027-01-31T12:00:00Z."),
            details={"field": "expires_at"},
        ) from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def key_data(key: Key) -> dict[str, Any]:
    """Return a key as data, without its digest."""
    return {
        "id": key.id,
        "system": key.system_id,
        "name": key.name,
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "replaced_by": key.replaced_by,
        "version": key.version,
        **msgspec.to_builtins(key.terms),
    }


def _usage_data(usage: Usage) -> dict[str, Any]:
    return {span.value: {"since": usage.since[span].isoformat(), **used._asdict()} for span, used in usage.used.items()}


def _issued(key: Key, secret: str) -> Answer:
    says = Text(zh=f"{key.id}\n密钥（仅显示这一次）：{secret}", en=f"{key.id}\nThe key, shown this once: {secret}")
    return Answer(data={"id": key.id, "key": secret}, says=says)


def _told(key: Key, usage: Usage) -> Text:
    terms, none = key.terms, "-"
    rows = [
        ("名称", "name", key.name),
        ("调用方", "caller", terms.caller),
        ("用途范围", "scopes", " ".join(terms.scopes)),
        ("限额", "limits", written_limits(terms.limits)),
        ("到期", "expires", key.expires_at.isoformat() if key.expires_at else ""),
        ("撤销", "revoked", key.revoked_at.isoformat() if key.revoked_at else ""),
        ("接替", "replaced by", key.replaced_by),
        *((name, name, getattr(terms, name)) for name in ("purpose", "user_class", "region", "data_class")),
    ]
    used = [(span.value, use) for span, use in usage.used.items()]
    zh = [f"{zh}：{value or none}" for zh, _, value in rows]
    en = [f"{en}: {value or none}" for _, en, value in rows]
    zh += [f"已用 {span}：{use.requests} 次请求，{use.tokens} 个词元（{use.estimated} 为估算）" for span, use in used]
    en += [
        f"used this {span}: {use.requests} requests, {use.tokens} tokens ({use.estimated} estimated)"
        for span, use in used
    ]
    return Text(zh="\n".join([key.id, *zh]), en="\n".join([key.id, *en]))
