"""`safebelt labelling without-notice`, and `copies`: copies without a visible notice, and who received them."""

import csv
import io
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.labelling.model import MARKS, Marked
from safebelt.rooms.labelling.model.copies import Copy, GiveCopy, Recipient
from safebelt.rooms.labelling.service import Labelling
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would run."""
_ERASED = Text(zh="（已到期删除）", en="(erased: its time is over)")
_COLUMNS = ("id", "given_at", "system", "mark", "sha256", "agreement", "keep_until", "name", "contact", "reason")


def add_copies(app: App, labelling: Labelling) -> None:
    """Add the commands to the group."""

    @app.command(name="without-notice")
    def without_notice(
        source: Path,
        *,
        output: Annotated[Path, Parameter(name=["--output", "-o"], help="Where the copy goes.")],
        system: Annotated[str, Parameter(help="Id of the system that made the content.")],
        name: Annotated[str, Parameter(help="Who asked for it.")],
        contact: Annotated[str, Parameter(help="How they can be reached.")],
        reason: Annotated[str, Parameter(help="What they want it for.")],
        agreement: Annotated[str, Parameter(help="The agreement by which labelling it became their duty.")],
    ) -> Answer:
        """Give a copy of an original without the visible notice; label, manifest and watermark stay.

        Who received it is kept as long as the law asks (the rulebook says how long), and is erased after. A file that
        carries a notice, or that this house marked, is refused: no mark is ever taken off.
        """
        cmd = GiveCopy(
            system_id=system, recipient=Recipient(name=name, contact=contact, reason=reason), agreement=agreement
        )
        made, copy = labelling.give_copy(source, output, cmd, by=OWNER)
        return _given(made, copy, output)

    group = App(name="copies", help="Copies without a visible notice, and who received them. 不带显式标识的副本。")
    app.command(group)

    @group.command(name="list")
    def list_(
        *,
        find: Annotated[str, Parameter(help="Only those with this text in who, why, or by which agreement.")] = "",
        system: Annotated[str, Parameter(help="Only those of this system.")] = "",
        page: int = 1,
    ) -> Answer:
        """List copies that were given, the latest first, 50 a page."""
        found = labelling.copies(find=find, system_id=system, page=page)
        empty = Text(zh="没有提供过这样的副本。", en="No such copy was given.")
        says = Text(**{lang: "\n".join(_line(one, lang) for one in found) or empty.in_(lang) for lang in LANGS})
        return Answer(data=[_as_data(one) for one in found], says=says)

    @group.command
    def export(output: Path) -> Answer:
        """Write all copies and who received them as CSV; the file holds personal data, and is yours to protect."""
        rows = [[_safe(str(value)) for value in _as_data(one).values()] for one in labelling.every_copy()]
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows([_COLUMNS, *rows])
        try:
            output.touch(mode=0o600)
            output.write_text("\ufeff" + out.getvalue(), "utf-8", newline="")
        except OSError as error:
            why = error.strerror or str(error)
            raise Unavailable(
                what=Text(zh=f"无法写入“{output}”：{why}。", en=f"{str(output)!r} cannot be written: {why}."),
                hint=Text(zh="请核对路径和权限。", en="Check the path and its permissions."),
            ) from error
        says = Text(zh=f"{output}：{len(rows)} 份副本。", en=f"{output}: {len(rows)} copies.")
        return Answer(data={"file": str(output), "copies": len(rows)}, says=says)


def _given(made: Marked, copy: Copy, output: Path) -> Answer:
    data = {
        **_as_data(copy),
        "file": str(output),
        "put": {mark.value: place for mark, place in made.put.items()},
        "left_out": {mark.value: {"zh": why.zh, "en": why.en} for mark, why in made.left_out.items()},
    }
    lines = {
        lang: [
            *(f"  + {MARKS[mark].in_(lang)}: {place}" for mark, place in made.put.items()),
            *(f"  - {MARKS[mark].in_(lang)}: {why.in_(lang)}" for mark, why in made.left_out.items()),
        ]
        for lang in LANGS
    }
    kept = Text(
        zh=f"{copy.id}：接收人信息保存至 {copy.keep_until}，到期删除。不构成法律意见。",
        en=f"{copy.id}: who received it is kept until {copy.keep_until}, then erased. Not legal advice.",
    )
    says = Text(**{lang: "\n".join([str(output), *lines[lang], kept.in_(lang)]) for lang in LANGS})
    return Answer(data=data, says=says, exit_code=NOT_EVALUATED if made.left_out else DONE)


def _line(one: Copy, lang: Lang) -> str:
    who = f"{one.recipient.name} · {one.recipient.contact} · {one.recipient.reason}" if one.recipient else ""
    return f"{one.at:%Y-%m-%d} {one.id} {one.system_id} {one.agreement} · {who or _ERASED.in_(lang)}"


def _as_data(one: Copy) -> dict[str, Any]:
    who = one.recipient
    values = (one.id, one.at.isoformat(), one.system_id, one.mark_id, one.sha256, one.agreement)
    said = (who.name, who.contact, who.reason) if who else ("", "", "")
    return dict(zip(_COLUMNS, (*values, one.keep_until.isoformat(), *said), strict=True))


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell
