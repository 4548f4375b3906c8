"""Commands about tool calls that wait for a person."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.belt.cli.words import Page, PerPage, Reason, System, listed
from safebelt.rooms.belt.model import Approval
from safebelt.rooms.belt.service import Belt
from safebelt.web.terminal import Answer

CallId = Annotated[str, Parameter(help="Id of the held call, `apr_…`.")]
_NONE = Text(zh="没有等待或已处理的工具调用。", en="No tool call waits, and none was ever held.")


def add_to(app: App, belt: Belt) -> None:
    """Add `approvals`, `approve` and `refuse`."""
    _list(app, belt)
    _answers(app, belt)


def _list(app: App, belt: Belt) -> None:
    @app.command
    def approvals(*, system: System = "", page: Page = 1, limit: PerPage = 20) -> Answer:
        """List tool calls held for a person, those that wait first."""
        found = belt.approvals(page, limit, system)
        rows = [_data(each) for each in found.items]
        lines = [
            f"{row['approval']}  {row['at']}  {row['answered'] or '…':<8}  {row['system']}"
            f"  {row['tool']}  {row['rule']}"
            for row in rows
        ]
        return Answer(
            data={"approvals": rows, "waiting": found.waiting, "count": found.count}, says=listed(lines, _NONE)
        )


def _answers(app: App, belt: Belt) -> None:
    @app.command
    def approve(approval: CallId, /, *, reason: Reason) -> Answer:
        """Let a held tool call go on."""
        return _shown(belt.answer_call(approval, is_approved=True, reason=reason, by=OWNER))

    @app.command
    def refuse(approval: CallId, /, *, reason: Reason) -> Answer:
        """Refuse a held tool call."""
        return _shown(belt.answer_call(approval, is_approved=False, reason=reason, by=OWNER))


def _shown(approval: Approval) -> Answer:
    row = _data(approval)
    return Answer(
        data=row,
        says=Text(
            zh=f"{row['approval']}：{row['tool']} → {row['answered']}（已记入存证账本）",
            en=f"{row['approval']}: {row['tool']} → {row['answered']} (the ledger remembers it)",
        ),
    )


def _data(approval: Approval) -> dict[str, Any]:
    held, answer = approval.held, approval.answer
    return {
        "approval": held.id,
        "at": held.at.isoformat(),
        "expires_at": held.expires_at.isoformat(),
        "system": held.system_id,
        "caller": held.caller,
        "record": held.record,
        "tool": held.tool,
        "server": held.server,
        "arguments": held.arguments,
        "said": held.said,
        "policy": f"{held.policy}@{held.policy_version}",
        "rule": held.rule,
        "answered": answer.answered.value if answer else "",
        "by": answer.by if answer else "",
        "reason": answer.reason if answer else "",
        "acted_at": approval.acted_at.isoformat() if approval.acted_at else "",
        "held_entry": approval.held_entry,
        "answer_entry": approval.answer_entry,
    }
