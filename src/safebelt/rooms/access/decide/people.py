"""Judgments of access: what a ruling means, who is locked out, what still lives, which words are fit."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from safebelt.kernel.actors import Role
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, TooMany, Unauthenticated
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import (
    ASSIGNABLE,
    ROLE_TITLES,
    ApiToken,
    Attempts,
    Effect,
    Policy,
    Question,
    Ruling,
    Session,
    Tally,
    User,
)

MAX_FAILURES = 5
"""Failed tries before a lock-out.  NIST SP 800-63B-4, section 3.2.2, allows no more than 100; NIST SP 800-53 AC-7
leaves the number to the house.  Five forgives typing and leaves a guesser 480 tries a day."""
LOCKED_SECONDS = 15 * 60
"""How long a lock-out lasts, and after how long without a failure earlier ones are forgotten (SP 800-53 AC-7)."""
IDLE_SECONDS = 30 * 60
"""A session unused this long ends (NIST SP 800-63B, section 4.2.3: 30 minutes at assurance level 2)."""
SESSION_SECONDS = 12 * 60 * 60
"""A session ends after this long whatever happens (same section: 12 hours)."""
SEEN_EVERY_SECONDS = 60
"""*Last seen* and *last used* are kept to the minute, so that reading pages does not mean writing rows."""
MIN_PASSWORD, MAX_PASSWORD = 15, 256
"""Characters of a password.  NIST SP 800-63B-4, section 3.1.1.2: at least 15 where it is the only factor, no rules of
composition; the upper bound keeps hashing cheap."""
MAX_NAME = 64
NAME_WORTH_HIDING = 4
"""Names shorter than this are in too many words to be forbidden in passwords."""
TOKEN_DAYS, MAX_TOKEN_DAYS = 90, 366
"""Default and longest life of an API token, days.  A token that never ends is one nobody remembers."""
FAILURES_RECORDED = 30
FAILURES_WINDOW_SECONDS = 60 * 60
"""At most this many failures are recorded one by one in this long; the rest are counted and the count is recorded with
the next entry, so that a flood can neither fill the log nor hide."""
STRANGER_BITS = 16
"""Names nobody bears are counted in 2^16 buckets: bounded memory, and too short a trace to tell what was typed."""


def judge(question: Question, ruling: Ruling, policies: Mapping[str, Policy]) -> tuple[bool, Reason]:
    """Say what a ruling means, and why.

    A policy that fails to evaluate is skipped by Cedar; were it a forbid, skipping would allow.  So any error at
    all denies, and the reason says *not evaluated*.
    """
    if question.title is None or ruling.errors:
        return False, _not_evaluated(question, ruling)
    deciding = tuple(_because(policies[name]) for name in sorted(ruling.policies))
    cites = tuple(sorted(ruling.policies))
    who, title = _names(question.roles), question.title
    if ruling.is_allowed:
        says = Text(zh=f"允许：{who.zh}可以{_act(title).zh}。", en=f"Allowed: {who.en} may {_act(title).en}.")
        return True, Reason(says=says, holds=Truth.TRUE, cites=cites, because=deciding)
    says = Text(zh=f"不允许：{who.zh}不能{_act(title).zh}。", en=f"Not allowed: {who.en} may not {_act(title).en}.")
    return False, Reason(says=says, holds=Truth.FALSE, cites=cites, because=deciding or (_default(question),))


def _not_evaluated(question: Question, ruling: Ruling) -> Reason:
    problems = ruling.errors or (f"action {question.action} is not in the schema",)
    return Reason(
        says=Text(
            zh=f"无法判断是否可以执行“{question.action}”，因此不予允许。",
            en=f"Whether {question.action} is allowed could not be judged, so it is not.",
        ),
        holds=Truth.UNKNOWN,
        because=tuple(
            Reason(says=Text(zh=f"策略引擎报告：{p}", en=f"The policy engine says: {p}"), holds=Truth.UNKNOWN)
            for p in problems
        ),
    )


def _because(policy: Policy) -> Reason:
    verb = Text(zh="准许", en="permits") if policy.effect is Effect.PERMIT else Text(zh="禁止", en="forbids")
    return Reason(
        says=Text(
            zh=f"策略 {policy.id} {verb.zh}：{policy.why.zh}。", en=f"Policy {policy.id} {verb.en}: {policy.why.en}."
        ),
        holds=Truth.TRUE,
        cites=(policy.id, *policy.cites),
    )


def _default(question: Question) -> Reason:
    who = _names(question.who_may)
    if not question.who_may:
        return Reason(
            says=Text(zh="没有任何策略准许这样做。", en="No policy permits it to anybody."), holds=Truth.FALSE
        )
    return Reason(
        says=Text(
            zh=f"没有适用的策略准许这样做；以下角色可以：{who.zh}。",
            en=f"No policy that applies permits it; these may: {who.en}.",
        ),
        holds=Truth.FALSE,
    )


def _names(roles: Iterable[Role]) -> Text:
    titles = [ROLE_TITLES[role] for role in sorted(roles)]
    if not titles:
        return Text(zh="没有角色者", en="somebody without a role")
    return Text(zh="、".join(t.zh for t in titles), en=", ".join(t.en for t in titles))


def _act(title: Text) -> Text:
    return Text(zh=title.zh, en=title.en[:1].lower() + title.en[1:])


def is_locked(attempts: Attempts, now: datetime) -> bool:
    """Whether further tries are refused without being checked."""
    return attempts.failures >= MAX_FAILURES and not _is_forgotten(attempts, now)


def locked_until(attempts: Attempts) -> datetime | None:
    """When a lock-out ends; None where there was no failure."""
    return None if attempts.failed_at is None else attempts.failed_at + timedelta(seconds=LOCKED_SECONDS)


def charge(attempts: Attempts, now: datetime) -> Attempts:
    """Count one more try; old ones are forgotten."""
    before = 0 if _is_forgotten(attempts, now) else attempts.failures
    return Attempts(failures=before + 1, failed_at=now)


def _is_forgotten(attempts: Attempts, now: datetime) -> bool:
    return attempts.failed_at is None or now - attempts.failed_at >= timedelta(seconds=LOCKED_SECONDS)


def bucket(name: str) -> int:
    """Return where tries for a name nobody bears are counted: 0 … 2^16 - 1."""
    return int.from_bytes(sha256(name_key(name).encode("utf-8", "surrogatepass")).digest()) >> (256 - STRANGER_BITS)


def tally(before: Tally, now: datetime, *, is_due: bool) -> tuple[Tally, int | None]:
    """Decide whether a try to sign in gets an entry of its own.

    Args:
        before: What was counted so far.
        now: When the try ended.
        is_due: Whether it must have one: a success, or the lock-out of a real user.

    Returns:
        What is counted now, and how many unrecorded failures the entry must own up to; None where the try is
        only counted.
    """
    is_new = before.since is None or now - before.since >= timedelta(seconds=FAILURES_WINDOW_SECONDS)
    recorded = 0 if is_new else before.recorded
    since = now if is_new else before.since
    if is_due:
        return Tally(since=since, recorded=recorded, unrecorded=0), before.unrecorded
    if recorded < FAILURES_RECORDED:
        return Tally(since=since, recorded=recorded + 1, unrecorded=0), before.unrecorded
    return Tally(since=since, recorded=recorded, unrecorded=before.unrecorded + 1), None


def is_session_alive(session: Session, now: datetime) -> bool:
    """Whether a session still counts: neither idle too long nor past its end."""
    return now < session.expires_at and now - session.seen_at < timedelta(seconds=IDLE_SECONDS)


def is_token_good(token: ApiToken, now: datetime) -> bool:
    """Whether a token still counts: neither expired nor revoked."""
    return token.revoked_at is None and now < token.expires_at


def is_stale(seen_at: datetime | None, now: datetime) -> bool:
    """Whether *last seen* is worth writing again."""
    return seen_at is None or now - seen_at >= timedelta(seconds=SEEN_EVERY_SECONDS)


def clean(text: str) -> str:
    """Return text in one Unicode form (NFKC), so that what looks the same is the same."""
    return unicodedata.normalize("NFKC", text).strip()


def name_key(name: str) -> str:
    """Return the form in which names are compared: `Li` and `LI` are one user."""
    return clean(name).casefold()


def check_name(name: str, *, field: str = "name") -> str:
    """Return a fit name.

    Raises:
        Invalid: It is empty, too long, or holds control characters.
    """
    fit = clean(name)
    if 0 < len(fit) <= MAX_NAME and all(unicodedata.category(char)[0] != "C" for char in fit):
        return fit
    raise Invalid(
        what=Text(zh="名称不合要求。", en="The name is not fit."),
        hint=Text(zh=f"请输入 1 至 {MAX_NAME} 个可见字符。", en=f"Enter between 1 and {MAX_NAME} visible characters."),
        details={"field": field},
    )


def check_password(password: str, *, name: str) -> None:
    """Hold a new password against NIST SP 800-63B-4, section 3.1.1.2: length, not composition.

    Raises:
        Invalid: It is too short or too long, holds the user's name, or is one character over and over.
    """
    wanted = Text(
        zh=f"请使用 {MIN_PASSWORD} 至 {MAX_PASSWORD} 个字符，例如几个不相干的词语；不要包含用户名。",
        en=f"Use {MIN_PASSWORD} to {MAX_PASSWORD} characters, such as a few unrelated words, without the name.",
    )
    problem = None
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        problem = Text(zh="密码长度不合要求。", en="The password has the wrong length.")
    elif len(name_key(name)) >= NAME_WORTH_HIDING and name_key(name) in name_key(password):
        problem = Text(zh="密码包含用户名。", en="The password holds the user's name.")
    elif len(set(password)) < MIN_PASSWORD // 3:
        problem = Text(zh="密码的字符过于重复。", en="The password repeats too few characters.")
    if problem is not None:
        raise Invalid(what=problem, hint=wanted, details={"field": "password"})


def check_roles(roles: Iterable[Role]) -> frozenset[Role]:
    """Return fit roles.

    Raises:
        Invalid: There is none, one cannot be given, or an auditor would hold another role: the policies take away
            every power to change things from an auditor, so such a mixture would only surprise.
    """
    given = frozenset(roles)
    options = _names(ASSIGNABLE)
    problem = None
    if not given or not given <= set(ASSIGNABLE):
        problem = Text(zh="请至少选择一个可授予的角色。", en="Choose at least one role that can be given.")
    elif Role.AUDITOR in given and len(given) > 1:
        problem = Text(zh="审计员不能兼任其他角色。", en="An auditor cannot hold another role.")
    if problem is not None:
        hint = Text(zh=f"可授予的角色：{options.zh}。", en=f"Roles that can be given: {options.en}.")
        raise Invalid(what=problem, hint=hint, details={"field": "roles"})
    return given


def check_days(days: int) -> timedelta:
    """Return the life of a token.

    Raises:
        Invalid: It is not between one day and `MAX_TOKEN_DAYS`.
    """
    if 1 <= days <= MAX_TOKEN_DAYS:
        return timedelta(days=days)
    raise Invalid(
        what=Text(zh="令牌有效期不合要求。", en="The token's life is out of bounds."),
        hint=Text(zh=f"请输入 1 至 {MAX_TOKEN_DAYS} 天。", en=f"Give between 1 and {MAX_TOKEN_DAYS} days."),
        details={"field": "days"},
    )


def keep_an_admin(users: Iterable[User], *, losing: str) -> None:
    """Hold that somebody can still manage users once `losing` no longer can.

    Raises:
        Conflict: It is the last administrator.
    """
    if any(Role.ADMIN in user.roles and not user.is_disabled and user.id != losing for user in users):
        return
    raise Conflict(
        what=Text(zh="这是最后一位管理员。", en="This is the last administrator."),
        hint=Text(zh="请先让另一位用户成为管理员。", en="Make somebody else an administrator first."),
    )


def wrong() -> Unauthenticated:
    """Say that a name and password do not belong together, and no more than that."""
    return Unauthenticated(
        what=Text(zh="用户名或密码不正确。", en="The name or the password is wrong."),
        hint=Text(
            zh=f"请重新输入；连续失败 {MAX_FAILURES} 次将锁定 {LOCKED_SECONDS // 60} 分钟。",
            en=f"Try again; {MAX_FAILURES} failures in a row lock the name for {LOCKED_SECONDS // 60} minutes.",
        ),
    )


def locked(attempts: Attempts) -> TooMany:
    """Say that a name is locked, and until when."""
    until = locked_until(attempts)
    at = until.isoformat(timespec="seconds") if until else ""
    return TooMany(
        what=Text(zh=f"失败次数过多，该用户名已锁定至 {at}。", en=f"Too many failures: the name is locked until {at}."),
        hint=Text(
            zh="请届时再试，或请管理员重置密码。已登录的会话不受影响。",
            en="Try again then, or ask an administrator for a new password. Open sessions still work.",
        ),
        details={"until": at},
    )


def unknown_credential() -> Unauthenticated:
    """Say that a session or token opens nothing."""
    return Unauthenticated(
        what=Text(zh="登录凭据无效、已过期或已撤销。", en="The credential is unknown, expired or revoked."),
        hint=Text(zh="请重新登录，或签发新的接口令牌。", en="Sign in again, or issue a new API token."),
    )


def missing(kind: Text, name: str) -> NotFound:
    """Say that a thing named does not exist."""
    return NotFound(
        what=Text(zh=f"没有名为“{name}”的{kind.zh}。", en=f"There is no {kind.en} {name!r}."),
        hint=Text(zh="请在列表中查找正确的名称或编号。", en="Look up the right name or id in the list."),
    )


def taken() -> Conflict:
    """Say that a sign-in name is in use."""
    return Conflict(
        what=Text(zh="该用户名已被使用。", en="Somebody bears that name already."),
        hint=Text(zh="请换一个用户名。", en="Choose another name."),
        details={"field": "name"},
    )


def disabled() -> Conflict:
    """Say that a user must be enabled first."""
    return Conflict(
        what=Text(zh="该用户已停用。", en="The user is disabled."),
        hint=Text(zh="请先重新启用该用户。", en="Enable the user first."),
    )
