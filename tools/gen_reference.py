"""Writes the pages of `docs/reference` that say what the program says, from the program itself.

    python tools/gen_reference.py            write the pages
    python tools/gen_reference.py --check    exit 1 where a page is not what the program says

Commands come from the command line's own tree, operations from the OpenAPI description, events from the rooms' plates,
pages about the law from `law/` (`law_reference.py`).
Chinese wording that the program does not carry is in `reference_zh.yaml` beside this file, by the English sentence.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from cyclopts import App
from law_reference import law_pages
from litestar.openapi.spec import OpenAPI

from safebelt.__main__ import build
from safebelt.app import ROOMS, House
from safebelt.kernel.events import Event
from safebelt.kernel.rooms import Room
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.run.doors import web
from safebelt.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "reference"
WORDING = Path(__file__).with_name("reference_zh.yaml")
_GENERATED = "<!-- Written by tools/gen_reference.py; change the program, not this page. -->"
_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_PARAMETERS = re.compile(r"^\s*(?:Args:|Parameters\n\s*-+)", re.MULTILINE)
_METHODS = ("get", "post", "put", "patch", "delete")


class Wording:
    """Chinese for English sentences; remembers what it could not say.

    Args:
        known: English sentence → Chinese sentence.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self.missing: list[str] = []
        self.used: set[str] = set()

    def __call__(self, said: str, lang: Lang) -> str:
        """Return what is said in a language; a sentence may carry both, `English. 中文。` or `中文。 English.`."""
        english, chinese = split(said)
        if lang == "en" or not english:
            return english
        self.used.add(english)
        if english not in self._known and not chinese:
            self.missing.append(english)
        return self._known.get(english, chinese or english)

    @property
    def unused(self) -> list[str]:
        """Sentences that the program no longer says."""
        return sorted(set(self._known) - self.used)


def split(said: str) -> tuple[str, str]:
    """Part a sentence into its English and its Chinese half; either may be empty."""
    text = " ".join(said.split())
    spans = list(_CHINESE.finditer(text))
    if not spans:
        return text, ""
    first, last = spans[0].start(), spans[-1].end()
    if first == 0:
        return text[last:].strip(), text[:last].strip()
    start = first
    while start > 0 and text[start - 1] not in ".!?。":  # Latin words inside the Chinese half, as in "AI 系统"
        start -= 1
    return text[:start].strip(), text[start:].strip()


# ---- the command line


def commands(app: App, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App, bool]]:
    """Yield path, command, and whether it is a group; depth first, in the order of `--help`."""
    for name in (each for each in app if not each.startswith("-")):
        command = app[name]
        is_group = any(not each.startswith("-") for each in command)
        yield (*path, name), command, is_group
        if is_group:
            yield from commands(command, (*path, name))


def cli_page(app: App, lang: Lang, say: Wording) -> str:
    """Write the page about the command line."""
    head = Text(
        zh="# 命令行\n\n{0}\n\n每条命令都接受 `--format text|json` 和 `--lang zh|en`。"
        "退出码：0 完成或成立；1 结论为否；2 用法有误或输入无法读取；3 未评估、没有可核验的内容或暂不可用。\n"
        "能运行命令行的人持有 `SAFEBELT_HOME`，因此以所有者身份行事。\n",
        en="# Command line\n\n{0}\n\nEvery command takes `--format text|json` and `--lang zh|en`. "
        "Exit codes: 0 done or holds; 1 a negative verdict; 2 bad use or unreadable input; 3 not evaluated, nothing to "
        "verify, or unavailable.\nWhoever can run the command line holds `SAFEBELT_HOME`, and so acts as its owner.\n",
    )
    lines = [head.in_(lang).format(_GENERATED)]
    table = Text(zh="| 命令 | 作用 |\n|---|---|", en="| Command | What it does |\n|---|---|").in_(lang)
    plain = [(path, command) for path, command, is_group in commands(app) if not is_group]
    groups = {path: command for path, command, is_group in commands(app) if is_group and len(path) == 1}
    lines += [table, *(_command_row(path, command, lang, say) for path, command in plain if len(path) == 1)]
    for (name,), group in groups.items():
        lines += [f"\n## {name}\n", f"{say(group.help, lang)}\n", table]
        lines += [_command_row(path, command, lang, say) for path, command in plain if path[0] == name and path[1:]]
    return "\n".join(lines) + "\n"


def _command_row(path: tuple[str, ...], command: App, lang: Lang, say: Wording) -> str:
    usage = " ".join(["safebelt", *path, *_arguments(command)]).replace("|", "\\|")
    what_it_does = _PARAMETERS.split(command.help, maxsplit=1)[0]  # what each parameter is, `--help` says
    return f"| `{usage}` | {say(what_it_does, lang)} |"


def _arguments(command: App) -> Iterator[str]:
    for argument in command.assemble_argument_collection():
        name = argument.names[0]
        word = name.removeprefix("--").upper().replace("-", "_")
        kinds = (argument.field_info.POSITIONAL_ONLY, argument.field_info.POSITIONAL_OR_KEYWORD)
        is_positional = argument.field_info.kind in kinds
        choices = argument.get_choices()
        value = "|".join(choices) if choices else word
        named = name if argument.hint is bool else f"{name} {value}"
        shown = value if is_positional else named
        yield shown if argument.required else f"[{shown}]"


# ---- HTTP


def http_page(schema: Mapping[str, Any], lang: Lang, say: Wording) -> str:
    """Write the page about the JSON API."""
    head = Text(
        zh="# HTTP 接口\n\n{0}\n\n控制台端口的 JSON 接口。完整描述（参数、请求体、响应）"
        "见运行中的 `/schema/openapi.json`，可读页面见 `/zh/api`。“令牌”一栏为“是”的操作需要 "
        "`Authorization: Bearer <令牌>`（用 `safebelt access tokens issue` 签发）或已登录的会话。"
        "出错时返回 RFC 9457 JSON，含中英文说明与建议。\n\n"
        "安全带端口与 OpenAI 接口兼容：`/v1/chat/completions`、`/v1/completions`、`/v1/embeddings`、`/v1/models`，"
        "以及无需密钥的 `/health` 和 `/.well-known/safebelt/identity`；密钥由 `safebelt belt keys issue` 签发。\n",
        en="# HTTP API\n\n{0}\n\nThe JSON API on the console's port. The whole description (parameters, bodies, "
        "answers) is at `/schema/openapi.json` of a running installation, a page for people at `/en/api`. Where "
        "*Token* says yes, send `Authorization: Bearer <token>` (`safebelt access tokens issue`) or use a signed-in "
        "session. Errors are RFC 9457 JSON with wording and advice in both languages.\n\n"
        "The belt's port is compatible with the OpenAI API: `/v1/chat/completions`, `/v1/completions`, "
        "`/v1/embeddings`, `/v1/models`; its keys come from `safebelt belt keys issue`. `/health` and "
        "`/.well-known/safebelt/identity` there need none.\n",
    )
    operations: dict[str, list[str]] = {}
    for path, item in sorted(schema["paths"].items()):
        for method in (each for each in _METHODS if each in item):
            row = _operation_row(method, path, item[method], lang, say)
            operations.setdefault(item[method].get("tags", ["house"])[0], []).append(row)
    lines = [head.in_(lang).format(_GENERATED)]
    columns = Text(
        zh="| 操作 | 作用 | 令牌 | 应答 |\n|---|---|---|---|",
        en="| Operation | What it does | Token | Answers |\n|---|---|---|---|",
    )
    for tag in sorted(operations):
        lines += [f"## {tag}\n", columns.in_(lang), *operations[tag], ""]
    return "\n".join(lines)


def _operation_row(method: str, path: str, operation: Mapping[str, Any], lang: Lang, say: Wording) -> str:
    does = say(operation.get("description", ""), lang).split("\n")[0].replace("|", "\\|")
    needs = Text(zh="是", en="yes") if {} not in operation.get("security", [None]) else Text(zh="否", en="no")
    answers = " ".join(sorted(operation["responses"]))
    return f"| `{method.upper()} {path}` | {does} | {needs.in_(lang)} | {answers} |"


# ---- events


def events_page(rooms: tuple[Room, ...], lang: Lang) -> str:
    """Write the page about events."""
    head = Text(
        zh="# 事件\n\n{0}\n\n每一项治理行为在存证账本中留下一条事件。已发布的事件种类永不更改字段；需要改时另立新版本。"
        "每条事件另有编号、时间、行为人、门、`subject`（所涉对象）；个人信息单独加盐存放，可删除而不影响证明。\n",
        en="# Events\n\n{0}\n\nEvery act of governance leaves one event in the ledger. A published kind never changes "
        "its fields; a change makes a new version. Each event also carries id, time, actor, door and `subject` (what "
        "it is about); personal data is salted and kept apart, and can be erased without touching any proof.\n",
    )
    columns = Text(zh="| 事件 | 含义 | 字段 |\n|---|---|---|", en="| Event | Meaning | Fields |\n|---|---|---|")
    lines = [head.in_(lang).format(_GENERATED)]
    for room in (each for each in rooms if each.events):
        lines += [f"## {room.name} · {room.title.in_(lang)}\n", columns.in_(lang)]
        lines += [_event_row(event, lang) for event in room.events]
        lines.append("")
    return "\n".join(lines)


def _event_row(event: type[Event], lang: Lang) -> str:
    names = [each.name for each in fields(event) if each.name not in ("subject", "personal")]
    none, apart = Text(zh="（无）", en="(none)").in_(lang), Text(zh="（另存）", en=" (kept apart)").in_(lang)
    told = ", ".join(f"`{name}`{apart if name in event.apart else ''}" for name in names)
    return f"| `{event.kind}` | {event.title.in_(lang)} | {told or none} |"


# ---- all pages


def pages(say: Wording) -> dict[str, str]:
    """Return every generated page by its file name."""
    with tempfile.TemporaryDirectory(prefix="safebelt-reference-") as home:
        house = House(Settings(home=Path(home), database_url=f"sqlite:///{home}/reference.db", upstream="", bus=""))
        try:
            app, schema = build(house), _schema(house)
            makers: dict[str, Callable[[Lang], str]] = {
                "cli": lambda lang: cli_page(app, lang, say),
                "http": lambda lang: http_page(schema, lang, say),
                "events": lambda lang: events_page(ROOMS, lang),
            }
            written = {f"{name}.{lang}.md": make(lang) for name, make in makers.items() for lang in LANGS}
            return written | law_pages(house.settings.data / "law", _GENERATED)
        finally:
            house.close()


def _schema(house: House) -> dict[str, Any]:
    described: OpenAPI = web(house).openapi_schema
    return described.to_schema()


def known_wording() -> dict[str, str]:
    """Read the Chinese wording."""
    known: dict[str, str] = yaml.safe_load(WORDING.read_text("utf-8")) if WORDING.exists() else {}
    return known


def faults(written: Mapping[str, str], say: Wording, folder: Path = PAGES) -> list[str]:
    """Say what keeps the pages from being what the program says."""
    missing = [f"{WORDING.name} has no Chinese for: {sentence}" for sentence in dict.fromkeys(say.missing)]
    unused = [f"{WORDING.name} says what the program no longer says: {sentence}" for sentence in say.unused]
    stale = [
        f"{name} is stale: run `python tools/gen_reference.py`"
        for name, text in written.items()
        if not (folder / name).exists() or (folder / name).read_text("utf-8") != text
    ]
    return [*missing, *unused, *stale]


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    say = Wording(known_wording())
    written = pages(say)
    if "--check" not in arguments:
        for name, text in written.items():
            (PAGES / name).write_text(text, "utf-8")
    found = faults(written, say)
    sys.stdout.write("".join(f"{fault}\n" for fault in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
