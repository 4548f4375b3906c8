"""Commands about strikes."""

from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import LANGS, Text
from safebelt.rooms.belt.cli.words import Page, Reason
from safebelt.rooms.belt.model import DECISIONS, Decision, Strike
from safebelt.rooms.belt.service import Belt
from safebelt.web.terminal import Answer

StrikeId = Annotated[str, Parameter(help="Id of the strike, `stk_…`.")]
_NONE = Text(zh="没有违规记录。", en="There are no strikes.")
_WAITS = Text(zh="待审核", en="waits for a person")


def add_to(app: App, belt: Belt) -> None:
    """Add `strikes`."""
    group = App(name="strikes", help="Repeated abuse by a key. 密钥屡次违规。")
    _reading(group, belt)
    _deciding(group, belt)
    app.command(group)


def _reading(app: App, belt: Belt) -> None:
    @app.command(name="list")
    def list_(*, key: str = "", page: Page = 1) -> Answer:
        """List strikes, those that wait for a person first."""
        found = belt.strikes(page, 50, key)
        told = {
            lang: "\n".join(
                f"{each.id}  {each.at:%Y-%m-%d %H:%M}  {each.key_id}  {_state(each).in_(lang)}" for each in found.items
            )
            for lang in LANGS
        }
        rows = [_data(each) for each in found.items]
        return Answer(
            data={"strikes": rows, "waiting": found.waiting, "count": found.count}, says=Text(**told) if rows else _NONE
        )

    @app.command
    def show(strike: StrikeId, /) -> Answer:
        """Show a strike: what it rests on, what was decided, and whether the caller appealed."""
        return _shown(belt.strike(strike))


def _deciding(app: App, belt: Belt) -> None:
    @app.command
    def review(strike: StrikeId, decision: Decision, /, *, reason: Reason) -> Answer:
        """Decide about a strike: withdrawn, upheld (a warning), or suspended, which suspends the key."""
        return _shown(belt.review_strike(strike, decision, reason, by=OWNER))


def _state(strike: Strike) -> Text:
    if strike.is_waiting:
        appeal = f" ({strike.appeal})" if strike.appeal else ""
        return Text(zh=f"{_WAITS.zh}{appeal}", en=f"{_WAITS.en}{appeal}")
    return DECISIONS[strike.decision] if strike.decision else _WAITS


def _shown(strike: Strike) -> Answer:
    state = _state(strike)
    counted = Text(
        zh=f"{strike.within_minutes} 分钟内 {strike.exchanges} 次被规则 {'、'.join(strike.rules)} 拒绝",
        en=f"{strike.exchanges} requests refused by {', '.join(strike.rules)} within {strike.within_minutes} minutes",
    )
    says = Text(
        zh=f"{strike.id}  {strike.key_id}：{counted.zh}。{state.zh}",
        en=f"{strike.id}  {strike.key_id}: {counted.en}. {state.en}",
    )
    return Answer(data=_data(strike), says=says)


def _data(strike: Strike) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(strike)
    return {**data, "is_waiting": strike.is_waiting}
