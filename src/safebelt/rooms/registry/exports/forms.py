"""Writers of filled forms: JSON (in the official schema where there is one), Markdown, CSV."""

import csv
import io
import json
from collections.abc import Mapping
from html import escape
from typing import Any

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.forms import Filled, FilledForm

NOTICE = Text(
    zh="由登记内容自动填写，供核对；不构成法律意见，也不代表任何主管部门的批准。",
    en="Filled from what is on record, to be checked. Not legal advice, and no authority has approved anything by it.",
)


def as_json(form: FilledForm) -> str:
    """Return a form as JSON: in the official schema where there is one."""
    data = official(form) if form.spec.official else plain(form)
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def official(form: FilledForm) -> dict[str, Any]:
    """Return only the fields that have values, under their official names."""
    return {
        one.field.id: list(one.value) if isinstance(one.value, tuple) else one.value for one in form.fields if one.value
    }


def plain(form: FilledForm) -> dict[str, Any]:
    """Return a form with where each value came from, and what is missing."""
    return {
        "safebelt": "filled-form/1",
        "form": form.spec.id,
        "title": _pair(form.spec.title),
        "system": form.system_id,
        "on": form.on.isoformat(),
        "fields": [_field(one) for one in form.fields],
        "missing": [one.field.id for one in form.missing],
        "notice": _pair(NOTICE),
    }


def _field(one: Filled) -> dict[str, Any]:
    return {
        "id": one.field.id,
        "title": _pair(one.field.title),
        "value": list(one.value) if isinstance(one.value, tuple) else one.value,
        "from": one.source,
        "says": _pair(one.said),
        "trouble": None if one.trouble is None else _pair(one.trouble),
        "required": one.field.is_required,
        "cites": list(one.field.cites),
        "unsure": None if one.field.unsure is None else _pair(one.field.unsure),
    }


def as_markdown(form: FilledForm, lang: Lang) -> str:
    """Return a form as Markdown."""
    head = [f"# {form.spec.title.in_(lang)}", "", form.spec.about.in_(lang), ""]
    head += [_said("系统", "System", form.system_id, lang), _said("日期", "Date", form.on.isoformat(), lang), ""]
    missing = [f"- **{one.field.title.in_(lang)}**: {one.said.in_(lang)}" for one in form.missing]
    title = Text(zh="## 还缺什么", en="## What is missing").in_(lang)
    return "\n".join(
        [
            *head,
            *([title, "", *missing, ""] if missing else []),
            *(line for one in form.fields for line in _section(one, lang)),
            f"> {NOTICE.in_(lang)}",
            "",
        ]
    )


def _section(one: Filled, lang: Lang) -> list[str]:
    notes = [_escaped(one.trouble.in_(lang))] if one.trouble else []
    notes += [one.field.unsure.in_(lang)] if one.field.unsure else []
    source = f"*{one.said.in_(lang)}*"
    cites = [", ".join(f"`{cite}`" for cite in one.field.cites)] if one.field.cites else []
    return [f"## {one.field.title.in_(lang)}", "", _escaped(joined(one)) or "—", "", source, *notes, *cites, ""]


def as_html(form: FilledForm, lang: Lang) -> str:
    """Return a form as a page of its own, to be printed or sent; no script, no style from elsewhere."""
    code = "zh-Hans" if lang == "zh" else "en"
    title = escape(form.spec.title.in_(lang))
    rows = "".join(_html_row(one, lang) for one in form.fields)
    said = ((escape(one.field.title.in_(lang)), escape(one.said.in_(lang))) for one in form.missing)
    missing = "".join(f"<li>{name}: {what}</li>" for name, what in said)
    wanted = f"<h2>{Text(zh='还缺什么', en='What is missing').in_(lang)}</h2><ul>{missing}</ul>" if missing else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{code}"><head><meta charset="utf-8"><title>{title}</title></head><body>'
        f"<h1>{title}</h1><p>{escape(form.spec.about.in_(lang))}</p><p>{form.system_id} · {form.on.isoformat()}</p>"
        f"{wanted}<dl>{rows}</dl><p>{NOTICE.in_(lang)}</p></body></html>\n"
    )


def _html_row(one: Filled, lang: Lang) -> str:
    unsure = f"<br><small>{escape(one.field.unsure.in_(lang))}</small>" if one.field.unsure else ""
    trouble = f"<br><small>{escape(one.trouble.in_(lang))}</small>" if one.trouble else ""
    value = escape(joined(one)).replace("\n", "<br>") or "—"
    return (
        f"<dt><strong>{escape(one.field.title.in_(lang))}</strong></dt>"
        f"<dd>{value}<br><small>{escape(one.said.in_(lang))}</small>{trouble}{unsure}</dd>"
    )


def as_csv(form: FilledForm, lang: Lang) -> str:
    """Return a form as a table; a cell that a spreadsheet would take for a formula is kept as text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(
        [Text(zh=zh, en=en).in_(lang) for zh, en in (("栏目", "field"), ("标题", "title"), ("内容", "value"))]
        + [Text(zh=zh, en=en).in_(lang) for zh, en in (("来源或办法", "source or what to do"), ("必填", "required"))]
    )
    for one in form.fields:
        required = Text(zh="是", en="yes").in_(lang) if one.field.is_required else ""
        row = [one.field.id, one.field.title.in_(lang), joined(one), one.said.in_(lang), required]
        writer.writerow([_harmless(cell) for cell in row])
    return out.getvalue()


def joined(one: Filled) -> str:
    """Return a field's value as one text."""
    return "; ".join(one.value) if isinstance(one.value, tuple) else one.value


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("\r", "").replace("\n#", "\n\\#")


def _said(zh: str, en: str, value: str, lang: Lang) -> str:
    return f"- {Text(zh=zh, en=en).in_(lang)}: {value}"


def _pair(text: Text) -> Mapping[str, str]:
    return {"zh": text.zh, "en": text.en}
