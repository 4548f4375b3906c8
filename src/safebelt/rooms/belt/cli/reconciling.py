"""`safebelt belt reconcile`: did anything go around the belt?"""

from pathlib import Path

import msgspec
from cyclopts import App

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.belt.cli.words import System
from safebelt.rooms.belt.imports.usage import MAX_BYTES
from safebelt.rooms.belt.model.reconciling import Reconciliation
from safebelt.rooms.belt.service import Belt
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer

_EXIT = {Truth.TRUE: DONE, Truth.FALSE: NEGATIVE, Truth.UNKNOWN: NOT_EVALUATED}


def add_to(app: App, belt: Belt) -> None:
    """Add `reconcile`."""

    @app.command
    def reconcile(file: Path, *, system: System = "", keep: str = "") -> Answer:
        """Hold FILE, an upstream's access log or usage export, against the records; exit 1 where calls went around.

        Parameters
        ----------
        keep
            Why the result is kept on the ledger; left out: it is only printed.
        """
        belt.index()
        content = _content(file)
        found = belt.reconcile(content, system_id=system)
        entry = belt.keep_reconciliation(content, found, keep, by=OWNER, system_id=system) if keep else ""
        data = msgspec.to_builtins(found) | {"reason": found.reason.as_data(), "entry": entry}
        says = Text(**{lang: _told(found, entry, lang) for lang in LANGS})
        return Answer(data=data, says=says, exit_code=_EXIT[found.holds])


def _told(found: Reconciliation, entry: str, lang: Lang) -> str:
    span = Text(zh=f"，{found.since} 至 {found.until}", en=f", {found.since} to {found.until}")
    when = span if found.since else Text(zh="", en="")
    counts = Text(
        zh=f"上游 {found.upstream} 次，记录 {found.recorded} 次（{found.form.value}{when.zh}）",
        en=f"upstream {found.upstream}, recorded {found.recorded} ({found.form.value}{when.en})",
    )
    lines = [found.reason.as_text(lang), counts.in_(lang)]
    if found.around_lines:
        named = " ".join(map(str, found.around_lines))
        lines.append(Text(zh=f"文件中的行：{named}", en=f"lines of the file: {named}").in_(lang))
    if found.unexplained_records:
        named = " ".join(found.unexplained_records)
        lines.append(Text(zh=f"上游没有的记录：{named}", en=f"records the upstream has not: {named}").in_(lang))
    if entry:
        lines.append(Text(zh=f"已存证：{entry}", en=f"kept on the ledger: {entry}").in_(lang))
    return "\n".join(lines)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(
            what=Text(zh=f"无法读取 {file}：{error.strerror}。", en=f"Cannot read {file}: {error.strerror}."),
            hint=Text(zh="请检查路径。", en="Check the path."),
        ) from error
