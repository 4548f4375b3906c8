"""Command line for filings and forms: `safebelt registry export`, `file`, `filings`, `forms`."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, Unavailable
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.exports import forms as writers
from safebelt.rooms.registry.model.forms import FILING_STATES, FilingRecord, FilledForm, Receive
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import DONE, NEGATIVE, Answer

Shape = Literal["json", "md", "html", "csv"]


def add(app: App, registry: Registry) -> None:
    """Add the commands about forms to the group `registry`."""
    app.command(_filings(registry))
    app.command(_forms(registry))

    @app.command
    def export(
        system_id: str,
        *,
        form: str,
        output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
        as_: Annotated[Shape, Parameter(name="--as")] = "json",
        language: Annotated[Lang, Parameter(name="--language")] = "en",
    ) -> Answer:
        """Fill a form from what is on record; exits 1 where something it requires is missing.

        Args:
            system_id: Which system.
            form: Which form; `registry forms list` names them.
            output: Where to write it; left out, it is printed.
            as_: json (the official schema where there is one), md, html or csv.
            language: Of the headings of md, html and csv.
        """
        filled = registry.filled(system_id, form)
        text = _written(filled, as_, language)
        if output is not None:
            _put(output, text)
        return _told(filled, "" if output else text)

    @app.command(name="file")
    def file_(
        system_id: str,
        *,
        form: str,
        answer: Annotated[tuple[str, ...], Parameter(negative="")] = (),
        submitted: Annotated[bool, Parameter(negative="")] = False,
    ) -> Answer:
        """Record on the ledger that a filing was produced, or submitted; exits 1 where something is missing.

        Args:
            system_id: Which system.
            form: Which form.
            answer: What to write into it: `field=words`; may be given several times.
            submitted: It went to the authority; nothing required may be missing.
        """
        if answer:
            registry.answer_form(system_id, form, dict(_pair(one) for one in answer), by=OWNER)
        record = registry.file_form(system_id, form, by=OWNER, is_submitted=submitted)
        says = _filing_line(record)
        return Answer(data=msgspec.to_builtins(record), says=says, exit_code=NEGATIVE if record.missing else DONE)


def _filings(registry: Registry) -> App:
    app = App(name="filings", help="What was filed. 备案记录。")

    @app.command(name="list")
    def list_(system_id: str) -> Answer:
        """List a system's filings, newest first."""
        found = registry.filings(system_id)
        none = Text(zh="该系统还没有备案记录。", en="Nothing was filed for this system yet.")
        lines = [_filing_line(one) for one in found]
        says = Text(zh="\n".join(one.zh for one in lines), en="\n".join(one.en for one in lines)) if lines else none
        return Answer(data=msgspec.to_builtins(found), says=says)

    @app.command
    def receive(filing_id: str, number: str, *, on: date | None = None, expires: date | None = None) -> Answer:
        """Record the number a filing received; it becomes claimed evidence."""
        record = registry.receive_number(
            filing_id, Receive(number=number, received_on=on, expires_on=expires), by=OWNER
        )
        made = Text(
            zh=f"已形成自称的证据 {record.evidence_id}。", en=f"It became claimed evidence {record.evidence_id}."
        )
        none = Text(
            zh="没有形成证据：请先为系统指定负责人，再由其提交。",
            en="No evidence was made of it: name who is accountable first, and let them attest.",
        )
        line, more = _filing_line(record), made if record.evidence_id else none
        return Answer(
            data=msgspec.to_builtins(record), says=Text(zh=f"{line.zh}\n{more.zh}", en=f"{line.en}\n{more.en}")
        )

    return app


def _forms(registry: Registry) -> App:
    app = App(name="forms", help="Forms that can be filled. 可以填写的表单。")

    @app.command(name="list")
    def list_() -> Answer:
        """List the forms."""
        found = list(registry.forms.values())
        says = Text(
            zh="\n".join(f"{one.id}  {one.title.zh}" for one in found),
            en="\n".join(f"{one.id}  {one.title.en}" for one in found),
        )
        return Answer(data=[{"id": one.id, "title": msgspec.to_builtins(one.title)} for one in found], says=says)

    return app


def _written(filled: FilledForm, shape: Shape, lang: Lang) -> str:
    match shape:
        case "md":
            return writers.as_markdown(filled, lang)
        case "html":
            return writers.as_html(filled, lang)
        case "csv":
            return writers.as_csv(filled, lang)
    return writers.as_json(filled)


def _told(filled: FilledForm, text: str) -> Answer:
    missing = filled.missing
    zh = [f"缺：{one.field.title.zh}（{one.field.id}）——{one.said.zh}" for one in missing] or ["必填栏目均已填写。"]
    en = [f"Missing: {one.field.title.en} ({one.field.id}). {one.said.en}" for one in missing] or [
        "Nothing required is missing."
    ]
    if missing:
        answer = f'safebelt registry file … --form {filled.spec.id} --answer "{missing[0].field.id}=…"'
        zh.append(f"也可以直接填写：{answer}")
        en.append(f"Or write it into the form: {answer}")
    says = Text(
        zh="\n".join(filter(None, (text, *zh, writers.NOTICE.zh))),
        en="\n".join(filter(None, (text, *en, writers.NOTICE.en))),
    )
    data = writers.official(filled) if filled.spec.official else writers.plain(filled)
    return Answer(data=data, says=says, exit_code=NEGATIVE if missing else DONE)


def _filing_line(record: FilingRecord) -> Text:
    state = FILING_STATES[record.state]
    number = f" {record.number}" if record.number else ""
    zh = f"；缺：{'、'.join(record.missing)}" if record.missing else ""
    en = f"; missing: {', '.join(record.missing)}" if record.missing else ""
    return Text(
        zh=f"{record.id}  {record.form}（{state.zh}{number}）{zh}",
        en=f"{record.id}  {record.form} ({state.en}{number}){en}",
    )


def _pair(word: str) -> tuple[str, str]:
    name, mark, value = word.partition("=")
    if not mark:
        raise Invalid(
            what=Text(zh=f"“{word}”不是“栏目=内容”。", en=f"{word!r} is not field=words."),
            hint=Text(zh="例如 --answer status=…", en="For example --answer status=…"),
        )
    return name.strip(), value


def _put(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unavailable(
            what=Text(zh=f"无法写入“{path}”：{error.strerror}。", en=f"Cannot write {str(path)!r}: {error.strerror}."),
            hint=Text(zh="请核对路径和权限。", en="Check the path and its permissions."),
        ) from error
