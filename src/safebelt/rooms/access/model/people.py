"""Words of access: users, sessions, tokens, policies, and what happens to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from safebelt.kernel.actors import Role
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text

ASSIGNABLE: tuple[Role, ...] = (
    Role.OPERATOR,
    Role.OVERSEER,
    Role.AUDITOR,
    Role.ASSOCIATION,
    Role.ASSESSOR,
    Role.AUTHORITY,
    Role.RUNNER,
    Role.ADMIN,
    Role.PUBLIC,
)
"""Roles a user can hold.  `owner` is not given: it is holding SAFEBELT_HOME."""

FIRST_ADMIN_NAME = "admin"
FIRST_ADMIN_ROLES: frozenset[Role] = frozenset({Role.OPERATOR, Role.OVERSEER, Role.ADMIN})

ROLE_TITLES: Mapping[Role, Text] = {
    Role.OWNER: Text(zh="所有者（本机命令行）", en="owner (local command line)"),
    Role.OPERATOR: Text(zh="运营者", en="operator"),
    Role.OVERSEER: Text(zh="监督员", en="overseer"),
    Role.AUDITOR: Text(zh="审计员", en="auditor"),
    Role.ASSOCIATION: Text(zh="行业组织", en="association"),
    Role.ASSESSOR: Text(zh="评估机构", en="assessor"),
    Role.AUTHORITY: Text(zh="主管部门", en="authority"),
    Role.RUNNER: Text(zh="训练作业程序", en="job runner"),
    Role.ADMIN: Text(zh="管理员", en="administrator"),
    Role.PUBLIC: Text(zh="公众", en="public"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Failed tries to sign in, as far as they still count.

    Attributes:
        failures: Tries charged since the last success.  A try is charged before it is checked,
            so that a hundred at once cannot all be the first.
        failed_at: When the last one was charged; None where there is none.
    """

    failures: int = 0
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many failed tries were recorded lately, and how many were only counted.

    Attributes:
        since: When the present window began; None before the first failure.
        recorded: Failures of this window that have an entry of their own.
        unrecorded: Failures that no entry has told of yet.
    """

    since: datetime | None = None
    recorded: int = 0
    unrecorded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who can sign in.

    Attributes:
        id: `usr_…`, pseudonymous: the only form in which records name a person.
        name: The sign-in name; personal data.
        roles: What the person may act as.
        is_disabled: A disabled user cannot sign in; sessions and tokens are dead at once.
        created_at: When the user was added.
    """

    id: str
    name: str
    roles: frozenset[Role]
    created_at: datetime
    is_disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser.

    Attributes:
        id: `ses_…`.
        user: Id of the user.
        created_at: When it began.
        seen_at: When it was last used, to the minute.
        expires_at: When it ends whatever happens.
    """

    id: str
    user: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A bearer token of the API.  The secret itself is shown once and never stored.

    Attributes:
        id: `tok_…`.
        user: Id of the user it acts for, with that user's roles of the moment.
        name: What it is for, in its owner's words.
        created_at: When it was issued.
        expires_at: From when on it is refused.
        last_used_at: When it was last used, to the minute; None where it never was.
        revoked_at: When it was revoked; None while it is good.
    """

    id: str
    user: str
    name: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """A fresh session and its secret, which the browser keeps and nobody else."""

    session: Session
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A fresh API token and its secret, shown once."""

    token: ApiToken
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A fresh user and, where it was drawn by lot, the password, shown once."""

    user: User
    password: str | None = field(default=None, repr=False)


class Effect(StrEnum):
    """What a policy does where it applies."""

    PERMIT = "permit"
    FORBID = "forbid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy of `access/`, as far as people need to read it.

    Attributes:
        id: Its `@id`.
        effect: Permit or forbid.
        why: Its `@why_zh` and `@why_en`.
        cites: Its `@cite`, split at spaces.
        file: The file that holds it.
    """

    id: str
    effect: Effect
    why: Text
    cites: tuple[str, ...]
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this actor do this?

    Attributes:
        roles: The roles the actor acts in.
        action: `room.verb`.
        title: The action's name; None where the schema knows no such action.
        who_may: Roles any one of which would be enough.
    """

    roles: frozenset[Role]
    action: str
    title: Text | None
    who_may: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the policy engine answered, untouched.

    Attributes:
        is_allowed: Whether it said *allow*.
        policies: Ids of the deciding policies.
        errors: What went wrong in judging; where there is any, the answer cannot be relied on.
    """

    is_allowed: bool
    policies: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAdded(Event):
    """Somebody may sign in from now on; `personal` holds the name."""

    kind: ClassVar[str] = "access.user_added.v1"
    title: ClassVar[Text] = Text(zh="添加了用户", en="User added")
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesChanged(Event):
    """A user's roles changed."""

    kind: ClassVar[str] = "access.roles_changed.v1"
    title: ClassVar[Text] = Text(zh="更改了角色", en="Roles changed")
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDisabled(Event):
    """A user can no longer sign in; open sessions ended."""

    kind: ClassVar[str] = "access.user_disabled.v1"
    title: ClassVar[Text] = Text(zh="停用了用户", en="User disabled")
    sessions_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEnabled(Event):
    """A disabled user can sign in again."""

    kind: ClassVar[str] = "access.user_enabled.v1"
    title: ClassVar[Text] = Text(zh="启用了用户", en="User enabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A password was changed by its user, or reset by somebody else; open sessions ended."""

    kind: ClassVar[str] = "access.password_changed.v1"
    title: ClassVar[Text] = Text(zh="更改了密码", en="Password changed")
    is_reset: bool
    sessions_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Event):
    """A user signed in.

    Attributes:
        session: Id of the session.
        unrecorded_failures: Failed tries since the last entry that were counted and not recorded one by one.
    """

    kind: ClassVar[str] = "access.signed_in.v1"
    title: ClassVar[Text] = Text(zh="登录", en="Signed in")
    session: str
    unrecorded_failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInFailed(Event):
    """A try to sign in failed.  The name that was tried is never kept: people type passwords into it."""

    kind: ClassVar[str] = "access.sign_in_failed.v1"
    title: ClassVar[Text] = Text(zh="登录失败", en="Sign-in failed")
    unrecorded_failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedOut(Event):
    """Too many failed tries: the name is locked for a while."""

    kind: ClassVar[str] = "access.locked_out.v1"
    title: ClassVar[Text] = Text(zh="多次失败后锁定", en="Locked out after failures")
    failures: int
    until: datetime
    unrecorded_failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut(Event):
    """One session, or every session, of a user ended."""

    kind: ClassVar[str] = "access.signed_out.v1"
    title: ClassVar[Text] = Text(zh="退出登录", en="Signed out")
    sessions_ended: int
    is_everywhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued(Event):
    """An API token was issued; `personal` holds its name."""

    kind: ClassVar[str] = "access.token_issued.v1"
    title: ClassVar[Text] = Text(zh="签发了令牌", en="Token issued")
    user: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked(Event):
    """An API token was revoked."""

    kind: ClassVar[str] = "access.token_revoked.v1"
    title: ClassVar[Text] = Text(zh="撤销了令牌", en="Token revoked")
    user: str
