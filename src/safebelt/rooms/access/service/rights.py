"""What an actor may do, asked of the policies."""

from safebelt.kernel.actors import PUBLIC, Actor
from safebelt.kernel.errors import Refused, Unauthenticated
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.access.service.base import Desk, actor


class Rights(Desk):
    """Deeds that answer *may they?*."""

    def authorize(self, actor: Actor, action: str, resource: str = "") -> None:
        """Let an actor through, or say why not.

        Raises:
            Unauthenticated: Nobody is signed in, and the public may not do this.
            Refused: The actor may not do this.
        """
        is_allowed, reason = self.permissions.decide(actor, action, resource)
        if is_allowed:
            return
        what = Text(zh=_in_one_line(reason, "zh"), en=_in_one_line(reason, "en"))
        details = {"action": action, "policies": " ".join(reason.cites)}
        if actor.id == PUBLIC.id:
            raise Unauthenticated(
                what=what,
                hint=Text(zh="请先登录，或使用有效的接口令牌。", en="Sign in, or use a valid API token."),
                details=details,
            )
        raise Refused(
            what=what,
            hint=Text(
                zh="如确有需要，请联系管理员授予相应角色。",
                en="If you need to, ask an administrator for a role that may.",
            ),
            details=details,
        )

    def may(self, actor: Actor, action: str, resource: str = "") -> bool:
        """Whether an actor may do something: for pages that offer only what will work."""
        return self.permissions.decide(actor, action, resource)[0]

    def why(self, actor: Actor, action: str, resource: str = "") -> tuple[bool, Reason]:
        """Say whether an actor may do something, and which policies say so."""
        return self.permissions.decide(actor, action, resource)

    def why_user(self, user: str, action: str) -> tuple[bool, Reason]:
        """Say whether a user, by id or name, may do something, and why."""
        with self._sql.read() as tx:
            found = self._found(tx, user)[0]
        return self.why(actor(found, "web"), action)


def _in_one_line(reason: Reason, lang: Lang) -> str:
    return ("" if lang == "zh" else " ").join(part.says.in_(lang) for _, part in reason.walk())
