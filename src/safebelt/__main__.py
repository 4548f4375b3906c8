"""`safebelt …`: one group per room, and `up`, `down`, `serve` for the whole house.

Every command takes `--format json` and `--lang zh|en`.  Exit codes: 0 done or holds · 1 a negative verdict ·
2 bad use or unreadable input · 3 not evaluated, nothing to verify, or unavailable.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any, Literal, cast

from cyclopts import App, CycloptsError, Parameter

import safebelt
from safebelt.app import ROOMS, House
from safebelt.engines.garbage import building
from safebelt.engines.logs import configure
from safebelt.engines.supervisor import die_with_parent
from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.run.keeping.commands import backup_command, restore_command
from safebelt.settings import settings_in_force
from safebelt.web.terminal import BAD_USE, NEGATIVE, Answer

_ONLY_MINE = 0o077
"""What this program writes, its owner reads: databases, records and keys are nobody else's."""

_OF_THE_HOUSE = {"up", "down", "serve", "demo", "backup", "restore"}

Process = Literal["console", "belt", "work", "orders", "model"]


class _Door:
    """Stands for a room's service until a command really uses it: `ledger check` needs no database."""

    def __init__(self, house: House, name: str) -> None:
        self._house, self._name = house, name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(self._house, self._name), attribute)


def build(house: House, words: Sequence[str] = ()) -> App:
    """Build the command line.

    Args:
        house: Every room.
        words: What was typed.  Where it names a room or a command of the house, only that is loaded.
    """
    app = App(
        name="safebelt",
        help="The safety belt for AI. 人工智能安全带。",
        version=safebelt.__version__,
        result_action="return_value",
    )
    groups = [room for room in ROOMS if room.cli]
    meant = next((word for word in words if word in _OF_THE_HOUSE or any(room.name == word for room in groups)), "")
    if meant:  # the first alone: in `serve belt` the second is no group
        groups = [room for room in groups if room.name == meant]
    for room in groups:
        app.command(cast("Any", room.cli)(_Door(house, room.name)))
    app.command(_up(house), name="up")
    app.command(_down(house), name="down")
    app.command(_serve(house), name="serve")
    app.command(_demo(house), name="demo")
    app.command(backup_command(house), name="backup")
    app.command(restore_command(house), name="restore")
    return app


def _up(house: House) -> Any:
    def up() -> Answer:
        """启动全部。 Start everything and keep it running: model, belt, console, work."""
        from safebelt.run.up import run_up, to_terminal  # noqa: PLC0415  only this command needs it

        run_up(house, to_terminal(house.settings.lang))
        return Answer(data={"state": "ended"}, says=Text(zh="已停止。", en="Stopped."))

    return up


def _down(house: House) -> Any:
    def down() -> Answer:
        """停止全部。 End what `up` started."""
        from safebelt.run.up import run_down  # noqa: PLC0415

        ended = run_down(house)
        says = Text(zh="已停止。", en="Stopped.") if ended else Text(zh="没有在运行。", en="Nothing was running.")
        return Answer(data={"ended": ended}, says=says)

    return down


def _demo(house: House) -> Any:
    def demo(*, register: Annotated[bool, Parameter(negative="")] = False) -> Answer:
        """准备演示系统。 Register the demonstration system, fit the belt to it and keep a key for it.

        Parameters
        ----------
        register
            Enter a demonstration register instead: three invented systems without traffic.
        """
        return _demo_register(house) if register else _demo_system(house)

    return demo


def _demo_system(house: House) -> Answer:
    from safebelt.run.demo import prepare_demo  # noqa: PLC0415

    made = prepare_demo(house)
    says = Text(
        zh=f"演示系统 {made.system_id}，密钥在 {made.key_file}。",
        en=f"The demonstration system is {made.system_id}; its key is in {made.key_file}.",
    )
    return Answer(data={"system": made.system_id, "key_file": str(made.key_file)}, says=says)


def _demo_register(house: House) -> Answer:
    from safebelt.run.demonstration import load_demonstration  # noqa: PLC0415

    loaded = load_demonstration(house)
    data = [
        {
            "system": one.system.id,
            "stage": one.system.status.value,
            "provisional": one.system.provisional,
            "is_new": one.is_new,
        }
        for one in loaded
    ]
    zh = "\n".join(f"{one.system.id}  {one.system.name.zh}：{one.system.stage.zh}" for one in loaded)
    en = "\n".join(f"{one.system.id}  {one.system.name.en}: {one.system.stage.en}" for one in loaded)
    return Answer(data=data, says=Text(zh=zh, en=en))


def _serve(house: House) -> Any:
    def serve(process: Process, *, workers: int = 0, worker: int = 0) -> Answer:
        """单独运行一个进程。 Run one of the house's processes by itself, as a cluster does.

        Parameters
        ----------
        process
            Which.
        workers
            Of the belt: how many processes share its port; 0 for as many as the settings say.
        worker
            Of the belt: which of them this one is; only a supervisor says so.
        """
        die_with_parent()
        if process == "belt":
            import_module("safebelt.run.belts").run_belts(house, workers, worker)
        else:
            _process(process)(house)
        return Answer(data={"process": process}, says=Text(zh="已结束。", en="Ended."))

    return serve


def _process(name: Process) -> Callable[[House], None]:
    """Return what runs a process; each imports only what it needs."""
    return cast("Callable[[House], None]", getattr(import_module(f"safebelt.run.{name}"), f"run_{name}"))


def run(arguments: list[str]) -> int:
    """Run one command; print its answer; return its exit code."""
    os.umask(_ONLY_MINE)
    try:
        settings = settings_in_force()
    except Problem as problem:
        return _problem(problem, _asked_for(arguments))
    configure(is_json=settings.log_format == "json")
    house = House(settings)
    with building():
        app = build(house, arguments)
    shown: dict[str, Any] = {"format": "text", "lang": settings.lang}

    @app.meta.default
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        format: Annotated[Literal["text", "json"], Parameter(help="How to print the answer.")] = "text",
        lang: Annotated[Lang, Parameter(help="Language of the answer.")] = settings.lang,
    ) -> Any:
        shown.update(format=format, lang=lang)
        return app(tokens, exit_on_error=False, print_error=False)

    try:
        answer = app.meta(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except (Problem, OverflowError) as problem:
        return _problem(problem if isinstance(problem, Problem) else _TOO_LARGE, shown)
    except CycloptsError as error:
        sys.stderr.write(f"{_short(str(error))}\nTry `safebelt --help`. 请查看 `safebelt --help`。\n")
        return BAD_USE
    except KeyboardInterrupt:
        return NEGATIVE
    finally:
        house.close()
    if isinstance(answer, Answer):
        _print(answer, shown)
        return answer.exit_code
    return 0


def _short(said: str) -> str:
    """Return what was said without most of what was typed, where somebody typed a page."""
    return said if len(said) <= _MOST_SAID else f"{said[: _MOST_SAID // 2]} … {said[-_MOST_SAID // 4 :]}"


_MOST_SAID = 400
"""Characters of an error of the command line; the longest of its own, with every choice there is, has fewer."""
_TOO_LARGE = Invalid(
    what=Text(zh="有一个数字或日期太大，无法处理。", en="A number or a date is too large to work with."),
    hint=Text(zh="请给出较小的值。", en="Give a smaller one."),
)
"""No database and no calendar holds every number that can be typed."""


def _asked_for(arguments: list[str]) -> dict[str, Any]:
    """Return how an answer is to be shown where the settings that say so cannot be read."""
    said = os.environ.get("SAFEBELT_LANG")
    return {"format": "json" if "json" in arguments else "text", "lang": said if said in LANGS else "en"}


def _print(answer: Answer, shown: dict[str, Any]) -> None:
    text = json.dumps(answer.data, ensure_ascii=False) if shown["format"] == "json" else answer.as_text(shown["lang"])
    sys.stdout.write(f"{text}\n")


def _problem(problem: Problem, shown: dict[str, Any]) -> int:
    if shown["format"] == "json":
        said = {"code": problem.code, "what": vars_of(problem.what), "hint": vars_of(problem.hint)}
        sys.stdout.write(f"{json.dumps({**said, 'details': problem.details}, ensure_ascii=False)}\n")
    else:
        sys.stderr.write(f"{problem.in_(shown['lang'])}\n")
    return problem.exit_code


def vars_of(text: Text) -> dict[str, str]:
    """Return both wordings."""
    return {"zh": text.zh, "en": text.en}


def main() -> None:
    """Entry point."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
