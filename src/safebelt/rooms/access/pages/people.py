"""Access's pages: signing in and out, one's own account, the users, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Response, Template

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.access.model import ASSIGNABLE, ROLE_TITLES, ApiToken, OpenedSession, User
from safebelt.rooms.access.service import Access
from safebelt.web.forms import FieldError, Form, empty_form, read_form
from safebelt.web.security import open_to_all, requires
from safebelt.web.session import cookie_of, safe_next
from safebelt.web.templating import page

AnyRequest = Request[Any, Any, Any]
TheAccess = NamedDependency[Access]
By = NamedDependency[Actor]
InLang = Annotated[Lang, PathParameter()]
FormBody = URLEncodedBody[dict[str, str | list[str]]]

LABELS = {
    "name": Text(zh="用户名", en="name"),
    "token_name": Text(zh="用途", en="what it is for"),
    "days": Text(zh="有效天数", en="days it is good for"),
    "roles": Text(zh="角色", en="roles"),
}
_SIGN_IN = Text(zh="登录", en="Sign in")
_ACCOUNT = Text(zh="我的账户", en="Your account")
_USERS = Text(zh="用户", en="Users")
_WHY = Text(zh="为什么可以，为什么不可以", en="Why you may, or may not")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenForm:
    """What the form for a new API token asks."""

    token_name: str
    days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class UserForm:
    """What the form for a new user asks."""

    name: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesForm:
    """What the form for other roles asks."""

    roles: tuple[Role, ...]


class SignInPages(Controller):
    """The way in and the way out."""

    path = "/{lang:str}/access"
    include_in_schema = False

    @get("/sign-in", guards=[open_to_all("nobody is signed in before signing in")], sync_to_thread=True)
    def form(self, request: AnyRequest, lang: InLang) -> Template:
        """Ask for name and password."""
        return _sign_in_page(lang, empty_form(next=request.query_params.get("next", "")))

    @post("/sign-in", guards=[open_to_all("nobody is signed in before signing in")], sync_to_thread=True)
    def sign_in(self, request: AnyRequest, access: TheAccess, lang: InLang, data: FormBody) -> Response[Any]:
        """Open a session.  Its secret is always a fresh one: a cookie planted before is worth nothing after."""
        form: Form[Any] = empty_form(name=_typed(data, "name"), next=_typed(data, "next"))
        try:
            opened = access.sign_in(_typed(data, "name"), _typed(data, "password"))
        except Problem as problem:
            return _sign_in_page(lang, _with_hint(form, problem), problem.status)
        access.sign_out(cookie_of(request).read(request))
        return _let_in(request, opened, safe_next(form.typed("next"), lang))

    @post("/sign-out", guards=[open_to_all("ending one's own session needs no right")], sync_to_thread=True)
    def sign_out(self, request: AnyRequest, access: TheAccess, lang: InLang) -> Redirect:
        """End this session."""
        access.sign_out(cookie_of(request).read(request))
        return Redirect(f"/{lang}/access/sign-in", status_code=303, cookies=[cookie_of(request).gone()])


class AccountPages(Controller):
    """What people do with their own account."""

    path = "/{lang:str}/access/account"
    include_in_schema = False
    guards = [requires("access.own_account")]  # noqa: RUF012  Litestar reads it as a list

    @get(sync_to_thread=True)
    def account(self, request: AnyRequest, access: TheAccess, by: By, lang: InLang) -> Template:
        """Show one's roles, password form, sessions and tokens."""
        return _account_page(request, access, by, lang)

    @post("/password", sync_to_thread=True)
    def change_password(
        self, request: AnyRequest, access: TheAccess, by: By, lang: InLang, data: FormBody
    ) -> Response[Any]:
        """Change one's password."""
        try:
            opened = access.change_password(by.id, old=_typed(data, "old"), new=_typed(data, "password"), by=by)
        except Problem as problem:
            form = _with_hint(empty_form(), problem, field="old" if problem.status == 401 else "")
            return _account_page(request, access, by, lang, password_form=form, status=problem.status)
        return _let_in(request, opened, f"/{lang}/access/account?done=password")

    @post("/sign-out-everywhere", sync_to_thread=True)
    def sign_out_everywhere(self, request: AnyRequest, access: TheAccess, by: By, lang: InLang) -> Redirect:
        """End every session of one's own, this one too."""
        access.sign_out_everywhere(by.id, by=by)
        return Redirect(f"/{lang}/access/sign-in", status_code=303, cookies=[cookie_of(request).gone()])

    @post("/sessions/{session:str}/end", sync_to_thread=True)
    def end_session(
        self, access: TheAccess, by: By, lang: InLang, session: Annotated[str, PathParameter()]
    ) -> Redirect:
        """End one of one's own sessions."""
        access.end_session(session, user=by.id, by=by)
        return Redirect(f"/{lang}/access/account?done=session", status_code=303)

    @post("/tokens", sync_to_thread=True, status_code=200)
    def issue_token(self, request: AnyRequest, access: TheAccess, by: By, lang: InLang, data: FormBody) -> Template:
        """Issue a token for oneself and show its secret this once."""
        form = read_form(data, TokenForm, labels=LABELS)
        if form.value is None:
            return _account_page(request, access, by, lang, token_form=form, status=422)
        try:
            issued = access.issue_token(by.id, name=form.value.token_name, days=form.value.days, by=by)
        except Problem as problem:
            return _account_page(
                request,
                access,
                by,
                lang,
                token_form=_with_hint(form, problem, field=_token_field(problem)),
                status=problem.status,
            )
        return _account_page(request, access, by, lang, secret=issued.secret)

    @post("/tokens/{token:str}/revoke", sync_to_thread=True)
    def revoke_token(self, access: TheAccess, by: By, lang: InLang, token: Annotated[str, PathParameter()]) -> Redirect:
        """Revoke one of one's own tokens."""
        access.revoke_token(token, only_of=by.id, by=by)
        return Redirect(f"/{lang}/access/account?done=token", status_code=303)


class UserPages(Controller):
    """What administrators do with users."""

    path = "/{lang:str}/access/users"
    include_in_schema = False

    @get(guards=[requires("access.manage_users")], sync_to_thread=True)
    def users(self, request: AnyRequest, access: TheAccess, by: By, lang: InLang) -> Template:
        """List the users."""
        return _users_page(access, by, lang, notice=_NOTICES.get(request.query_params.get("done", "")))

    @post(guards=[requires("access.manage_users")], sync_to_thread=True, status_code=200)
    def add(self, access: TheAccess, by: By, lang: InLang, data: FormBody) -> Template:
        """Add a user and show the first password this once."""
        form = read_form(data, UserForm, labels=LABELS)
        if form.value is None:
            return _users_page(access, by, lang, form=form, status=422)
        try:
            new = access.add_user(form.value.name, form.value.roles, by=by)
        except Problem as problem:
            return _users_page(access, by, lang, form=_with_hint(form, problem), status=problem.status)
        return _users_page(access, by, lang, new=new.user, password=new.password)

    @get("/{user:str}", guards=[requires("access.manage_users")], sync_to_thread=True)
    def user(self, access: TheAccess, by: By, lang: InLang, user: Annotated[str, PathParameter()]) -> Template:
        """Show one user and what can be done."""
        return _user_page(access, by, lang, access.user(user))

    @post("/{user:str}/roles", guards=[requires("access.manage_users", resource="user")], sync_to_thread=True)
    def change_roles(
        self, access: TheAccess, by: By, lang: InLang, user: Annotated[str, PathParameter()], data: FormBody
    ) -> Response[Any]:
        """Give a user other roles."""
        form = read_form(data, RolesForm, labels=LABELS)
        if form.value is None:
            return _user_page(access, by, lang, access.user(user), form=form, status=422)
        try:
            access.change_roles(user, form.value.roles, by=by)
        except Problem as problem:
            shown = _with_hint(form, problem)
            return _user_page(access, by, lang, access.user(user), form=shown, status=problem.status)
        return Redirect(f"/{lang}/access/users?done=roles", status_code=303)

    @post("/{user:str}/disable", guards=[requires("access.manage_users", resource="user")], sync_to_thread=True)
    def disable(self, access: TheAccess, by: By, lang: InLang, user: Annotated[str, PathParameter()]) -> Redirect:
        """Shut a user out."""
        access.disable(user, by=by)
        return Redirect(f"/{lang}/access/users?done=disabled", status_code=303)

    @post("/{user:str}/enable", guards=[requires("access.manage_users", resource="user")], sync_to_thread=True)
    def enable(self, access: TheAccess, by: By, lang: InLang, user: Annotated[str, PathParameter()]) -> Redirect:
        """Let a user in again."""
        access.enable(user, by=by)
        return Redirect(f"/{lang}/access/users?done=enabled", status_code=303)

    @post(
        "/{user:str}/reset-password",
        guards=[requires("access.manage_users", resource="user")],
        sync_to_thread=True,
        status_code=200,
    )
    def reset_password(
        self, access: TheAccess, by: By, lang: InLang, user: Annotated[str, PathParameter()]
    ) -> Template:
        """Draw a new password and show it this once."""
        password = access.reset_password(user, by=by)
        return _users_page(access, by, lang, new=access.user(user), password=password)


class WhyPages(Controller):
    """Which policies decide."""

    path = "/{lang:str}/access/why"
    include_in_schema = False

    @get(guards=[open_to_all("tells visitors only what they may do themselves, and the policies are public")])
    async def why(
        self, access: TheAccess, by: By, lang: InLang, action: Annotated[str, QueryParameter()] = ""
    ) -> Template:
        """Say which policies decide whether the reader may do something."""
        verdict = access.why(by, action) if action else None
        choices = [(name, f"{title.in_(lang)} ({name})") for name, title in access.permissions.actions.items()]
        form: Form[Any] = empty_form(action=action)
        return page("access/why.html", lang=lang, title=_WHY, verdict=verdict, choices=choices, form=form)


def _typed(data: dict[str, str | list[str]], name: str) -> str:
    """Return a field exactly as typed: a password may begin with a space."""
    value = data.get(name, "")
    return value if isinstance(value, str) else ""


def _with_hint(form: Form[Any], problem: Problem, *, field: str = "") -> Form[Any]:
    """Put a service's problem beside its field, hint included: people need to know what would be right."""
    says = Text(zh=f"{problem.what.zh}{problem.hint.zh}", en=f"{problem.what.en} {problem.hint.en}")
    error = FieldError(field=field or problem.details.get("field", ""), says=says)
    return replace(form, errors=(*form.errors, error), value=None)


def _token_field(problem: Problem) -> str:
    return {"name": "token_name"}.get(problem.details.get("field", ""), "")


def _let_in(request: AnyRequest, opened: OpenedSession, where: str) -> Redirect:
    life = opened.session.expires_at - opened.session.created_at
    cookie = cookie_of(request).holding(opened.token, seconds=int(life.total_seconds()))
    return Redirect(where, status_code=303, cookies=[cookie])


def _sign_in_page(lang: Lang, form: Form[Any], status: int = 200) -> Template:
    return page("access/sign_in.html", lang=lang, title=_SIGN_IN, status=status, form=form)


def _account_page(
    request: AnyRequest, access: Access, by: Actor, lang: Lang, *, status: int = 200, **shown: Any
) -> Template:
    tokens: Sequence[ApiToken] = access.tokens(by.id)
    context: dict[str, Any] = {
        "user": access.user(by.id),
        "may_manage": access.may(by, "access.manage_users"),
        "may_see_proposals": access.may(by, "access.proposals"),
        "sessions": access.sessions(by.id),
        "this_session": access.session_id(cookie_of(request).read(request)),
        "tokens": [token for token in tokens if token.revoked_at is None],
        "password_form": empty_form(),
        "token_form": empty_form(days="90"),
        "secret": None,
        "role_titles": ROLE_TITLES,
        "notice": _NOTICES.get(request.query_params.get("done", "")),
    }
    return page("access/account.html", lang=lang, title=_ACCOUNT, status=status, **(context | shown))


def _users_page(access: Access, by: Actor, lang: Lang, *, status: int = 200, **shown: Any) -> Template:
    context: dict[str, Any] = {
        "users": access.users(),
        "me": by.id,
        "form": empty_form(),
        "role_choices": _role_choices(lang),
        "role_titles": ROLE_TITLES,
        "new": None,
        "password": None,
    }
    return page("access/users.html", lang=lang, title=_USERS, status=status, **(context | shown))


def _user_page(
    access: Access, by: Actor, lang: Lang, user: User, *, form: Form[Any] | None = None, status: int = 200
) -> Template:
    return page(
        "access/user.html",
        lang=lang,
        title=Text(zh=f"用户 {user.name}", en=f"User {user.name}"),
        status=status,
        user=user,
        form=form or Form(values={"roles": tuple(user.roles)}),
        is_me=user.id == by.id,
        role_choices=_role_choices(lang),
        tokens=[token for token in access.tokens(user.id) if token.revoked_at is None],
    )


def _role_choices(lang: Lang) -> list[tuple[str, str]]:
    return [(role.value, ROLE_TITLES[role].in_(lang)) for role in ASSIGNABLE]


_NOTICES = {
    "password": Text(zh="密码已更改，其他会话均已结束。", en="Your password is changed and your other sessions ended."),
    "session": Text(zh="会话已结束。", en="The session ended."),
    "token": Text(zh="令牌已撤销。", en="The token is revoked."),
    "roles": Text(zh="角色已更改。", en="The roles are changed."),
    "disabled": Text(zh="用户已停用。", en="The user is disabled."),
    "enabled": Text(zh="用户已重新启用。", en="The user is enabled again."),
}
