"""Access's command-line door.  Whoever can run it holds SAFEBELT_HOME, and so acts as its owner."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER, Role
from safebelt.kernel.text import Text
from safebelt.rooms.access.decide import TOKEN_DAYS
from safebelt.rooms.access.model import ROLE_TITLES, STANDS, ApiToken, Proposal, User
from safebelt.rooms.access.service import Access
from safebelt.web.terminal import DONE, NEGATIVE, Answer

_Roles = Annotated[list[Role], Parameter(name="--role", help="A role; repeat for several.")]


def commands(access: Access) -> App:
    """Build `safebelt access …`."""
    app = App(name="access", help="Who may do what. 身份权限。")
    app.command(_users(access))
    app.command(_tokens(access))
    app.command(_proposals(access))

    @app.command
    def why(user: str, action: str) -> Answer:
        """Say which policies decide whether USER may do ACTION (room.verb); exit 1 where not."""
        allowed, reason = access.why_user(user, action)
        data = {"user": user, "action": action, "allowed": allowed, "reason": reason.as_data()}
        says = Text(zh=reason.as_text("zh"), en=reason.as_text("en"))
        return Answer(data=data, says=says, exit_code=DONE if allowed else NEGATIVE)

    @app.command(name="reset-password")
    def reset_password(user: str) -> Answer:
        """Draw a new password for USER, end the sessions, lift a lock-out."""
        password, found = access.reset_password(user, by=OWNER), access.user(user)
        return Answer(
            data={"id": found.id, "name": found.name, "password": password},
            says=Text(
                zh=f"{found.name} 的新密码（仅显示这一次）：{password}",
                en=f"New password of {found.name}, shown this once: {password}",
            ),
        )

    return app


def _users(access: Access) -> App:
    app = App(name="users", help="Add, list, change and disable users. 用户。")

    @app.command
    def add(name: str, *, role: _Roles, password: str = "") -> Answer:
        """Add a user; without --password one is drawn and printed once."""
        new = access.add_user(name, role, password=password, by=OWNER)
        drawn_zh = f"，密码（仅显示这一次）：{new.password}" if new.password else ""
        drawn_en = f", password shown this once: {new.password}" if new.password else ""
        return Answer(
            data={**_user_data(new.user), "password": new.password},
            says=Text(zh=f"已添加用户 {name}{drawn_zh}", en=f"Added user {name}{drawn_en}"),
        )

    @app.command(name="list")
    def list_() -> Answer:
        """List the users."""
        users = access.users()
        lines = Text(
            zh="\n".join(_line(user, "zh") for user in users), en="\n".join(_line(user, "en") for user in users)
        )
        none = Text(zh="还没有用户。", en="No users yet.")
        return Answer(data=[_user_data(user) for user in users], says=lines if users else none)

    @app.command
    def roles(user: str, *, role: _Roles) -> Answer:
        """Give USER exactly these roles."""
        return _changed(access.change_roles(user, role, by=OWNER))

    @app.command
    def disable(user: str) -> Answer:
        """Shut USER out at once: sign-in, sessions, tokens."""
        return _changed(access.disable(user, by=OWNER))

    @app.command
    def enable(user: str) -> Answer:
        """Let USER in again."""
        return _changed(access.enable(user, by=OWNER))

    return app


def _tokens(access: Access) -> App:
    app = App(name="tokens", help="Issue, list and revoke API tokens. 接口令牌。")

    @app.command
    def issue(*, user: str, name: str = "command line", days: int = TOKEN_DAYS) -> Answer:
        """Issue an API token that acts for --user; the secret is printed once."""
        issued = access.issue_token(user, name=name, days=days, by=OWNER)
        until = issued.token.expires_at.date().isoformat()
        return Answer(
            data={**_token_data(issued.token), "token": issued.secret},
            says=Text(
                zh=f"令牌（仅显示这一次，{until} 到期）：{issued.secret}",
                en=f"Token, shown this once, good until {until}: {issued.secret}",
            ),
        )

    @app.command(name="list")
    def list_(*, user: str = "") -> Answer:
        """List the tokens of --user, or everybody's."""
        tokens = access.tokens(user)
        lines = "\n".join(f"{token.id}  {token.name}  {token.expires_at.date()}" for token in tokens)
        none = Text(zh="还没有令牌。", en="No tokens yet.")
        return Answer(data=[_token_data(token) for token in tokens], says=Text(zh=lines, en=lines) if tokens else none)

    @app.command
    def revoke(token: str) -> Answer:
        """Revoke TOKEN (its id); it is refused from now on."""
        revoked = access.revoke_token(token, by=OWNER)
        return Answer(
            data=_token_data(revoked), says=Text(zh=f"令牌 {revoked.id} 已撤销。", en=f"Token {revoked.id} is revoked.")
        )

    return app


def _changed(user: User) -> Answer:
    return Answer(data=_user_data(user), says=Text(zh=_line(user, "zh"), en=_line(user, "en")))


def _line(user: User, lang: Any) -> str:
    titles = ", ".join(ROLE_TITLES[role].in_(lang) for role in sorted(user.roles))
    off = Text(zh="  已停用", en="  disabled").in_(lang) if user.is_disabled else ""
    return f"{user.id}  {user.name}  {titles}{off}"


def _user_data(user: User) -> dict[str, Any]:
    return {**_plain(asdict(user)), "roles": sorted(user.roles)}


def _token_data(token: ApiToken) -> dict[str, Any]:
    return _plain(asdict(token))


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in data.items()}


def _proposals(access: Access) -> App:
    app = App(name="proposals", help="Acts that need two people. 双人事项。")

    @app.command(name="list")
    def list_() -> Answer:
        """List the acts that were proposed, latest first."""
        found = access.proposals()
        lines = Text(
            zh="\n".join(f"{p.id}  {STANDS[p.stand].zh}  {p.says.zh}" for p in found),
            en="\n".join(f"{p.id}  {STANDS[p.stand].en}  {p.says.en}" for p in found),
        )
        none = Text(zh="没有双人事项。", en="No act waits for a second person.")
        return Answer(data=[asdict(p) for p in found], says=lines if found else none)

    @app.command
    def refuse(proposal: str, *, reason: str) -> Answer:
        """Refuse PROPOSAL, saying why."""
        return _ended(access.refuse(proposal, answer=reason, by=OWNER))

    @app.command
    def withdraw(proposal: str, *, reason: str) -> Answer:
        """Withdraw PROPOSAL, which was made on this command line, saying why."""
        return _ended(access.withdraw(proposal, answer=reason, by=OWNER))

    return app


def _ended(proposal: Proposal) -> Answer:
    stand = STANDS[proposal.stand]
    return Answer(data=asdict(proposal), says=Text(zh=f"{proposal.id}：{stand.zh}", en=f"{proposal.id}: {stand.en}"))
