"""Command line for imports and their undoing: `safebelt registry import`, `safebelt registry imports`."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.registry.imports.bounds import MAX_FILE_BYTES, MAX_FILES
from safebelt.rooms.registry.model.imports import (
    FORMS,
    OUTCOMES,
    STATES,
    Batch,
    File,
    Form,
    ItemPage,
    Outcome,
    Preview,
    Trouble,
    Wish,
)
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.rulebook.model import UNKNOWN_CLASS
from safebelt.web.terminal import BAD_USE, DONE, NEGATIVE, Answer, read_text

_ENDINGS = (".yaml", ".yml", ".json", ".csv", ".tsv", ".md")
Format = Annotated[str, Parameter(help="auto, system, hf, atrs, nl or csv.")]


def add(app: App, registry: Registry) -> None:
    """Add the commands about imports to the group `registry`."""
    app.command(_imports(registry))

    @app.command(name="import")
    def import_(
        path: Path | None = None,
        *,
        format_: Annotated[str, Parameter(name="--form")] = "auto",
        mapping: Path | None = None,
        provider: str = "",
        dry_run: Annotated[bool, Parameter(negative="")] = False,
        takes_likely: Annotated[bool, Parameter(negative="")] = False,
        undo: str = "",
        reason: str = "",
    ) -> Answer:
        """Import the systems of FILE or DIR; every one enters as an idea, whatever the file says.

        Args:
            path: A file, or a folder of descriptors or model cards.
            format_: auto, system, hf, atrs, nl or csv.
            mapping: What the columns of a table mean; a dry run without it proposes one.
            provider: The party that stands where the source names none; an id or a name.
            dry_run: Say what would happen, and do nothing.
            takes_likely: Enter likely duplicates too.
            undo: Take out what this batch entered and nobody has touched since.
            reason: Why it is undone.
        """
        if undo:
            return _told_batch(registry.undo_import(undo, reason=reason, by=OWNER))
        wish = Wish(
            form=_form(format_),
            mapping=read_text(mapping) if mapping else "",
            provider=provider,
            takes_likely=takes_likely,
        )
        files = _files(path)
        if dry_run:
            return _told_preview(registry.preview_import(files, wish))
        seen = registry.preview_import(files, wish) if _needs_mapping(files, wish) else None
        if seen is not None and seen.proposal:
            return _told_preview(seen)
        return _told_batch(registry.import_files(files, wish, by=OWNER, progress=_progress))


def _needs_mapping(files: list[File], wish: Wish) -> bool:
    is_table = wish.form is Form.CSV or (wish.form is None and files[0].name.lower().endswith((".csv", ".tsv")))
    return is_table and not wish.mapping


def _imports(registry: Registry) -> App:
    app = App(name="imports", help="Imports of whole registers. 导入记录。")

    @app.command(name="list")
    def list_(*, page: int = 1, size: int = 20) -> Answer:
        """List imports, newest first."""
        found = registry.import_batches(page=page, size=size)
        says = _joined([_batch_line(one) for one in found.items]) or Text(
            zh="还没有导入过。", en="Nothing was imported yet."
        )
        return Answer(data=msgspec.to_builtins(found), says=says)

    @app.command
    def show(batch_id: str, *, outcome: Outcome | None = None, page: int = 1, size: int = 50) -> Answer:
        """Show an import and its records."""
        batch = registry.import_batch(batch_id)
        items = registry.import_items(batch_id, outcome=outcome, page=page, size=size)
        data = {"batch": msgspec.to_builtins(batch), "items": msgspec.to_builtins(items)}
        return Answer(data=data, says=_joined([*_batch_lines(batch), *_item_lines(items)]) or _batch_line(batch))

    return app


def _form(word: str) -> Form | None:
    if word == "auto":
        return None
    try:
        return Form(word)
    except ValueError:
        raise Invalid(
            what=Text(zh=f"没有“{word}”这种格式。", en=f"There is no form {word!r}."),
            hint=Text(zh="可用：auto、system、hf、atrs、nl、csv。", en="Use auto, system, hf, atrs, nl or csv."),
        ) from None


def _files(path: Path | None) -> list[File]:
    if path is None:
        raise Invalid(
            what=Text(zh="请指明文件或文件夹。", en="Name a file or a folder."),
            hint=Text(zh="或用 --undo 撤销一次导入。", en="Or undo an import with --undo."),
        )
    if path.is_dir():
        found = [one for one in sorted(path.rglob("*")) if one.suffix.lower() in _ENDINGS and one.is_file()]
        files = [_file(one, one.relative_to(path).as_posix()) for one in found[: MAX_FILES + 1]]
        return [one for one in files if not one.name.lower().endswith("readme.md") or "/" in one.name]
    return [_file(path, path.name)]


def _file(path: Path, name: str) -> File:
    try:
        with path.open("rb") as opened:
            return File(name=name, content=opened.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        raise NotFound(
            what=Text(zh=f"无法读取“{path}”：{error.strerror}。", en=f"Cannot read {str(path)!r}: {error.strerror}."),
            hint=Text(zh="请核对路径和权限。", en="Check the path and its permissions."),
        ) from error


def _progress(done: int, total: int) -> None:
    """One line on the error stream, so that the answer itself stays clean."""
    if total > 1000:
        end = "\n" if done >= total else "\r"
        sys.stderr.write(f"{done:,} / {total:,}{end}")
        sys.stderr.flush()


def _told_preview(seen: Preview) -> Answer:
    if seen.proposal:
        says = Text(
            zh=f"表格需要一份对应表。下面是按标题猜的建议，请核对、另存后用 --mapping 指定：\n\n{seen.proposal}",
            en=f"A table needs a mapping. This one is guessed from the headings; look it over, save it, "
            f"and pass it with --mapping:\n\n{seen.proposal}",
        )
        return Answer(data=msgspec.to_builtins(seen), says=says, exit_code=BAD_USE)
    lines = [Text(zh="预演：什么都没有登记。", en="Dry run: nothing was entered."), _counts_line(seen.counts)]
    lines += _class_lines(seen.outlook)
    lines += [Text(zh=f"触及红线：{name}", en=f"Meets a red line: {name}") for name in seen.barred]
    lines += [
        Text(zh=f"{one.record.where}  {one.why.zh}", en=f"{one.record.where}  {one.why.en}")
        for one in seen.first
        if one.why
    ]
    lines += _trouble_lines(seen.troubles)
    data = msgspec.to_builtins(
        {
            "form": seen.form,
            "total": seen.total,
            "counts": seen.counts,
            "classes": seen.outlook,
            "barred": seen.barred,
            "troubles": seen.troubles,
        }
    )
    return Answer(data=data, says=_joined(lines) or lines[0], exit_code=_exit(seen.counts))


def _told_batch(batch: Batch) -> Answer:
    says = _joined(_batch_lines(batch)) or _batch_line(batch)
    return Answer(data=msgspec.to_builtins(batch), says=says, exit_code=_exit(batch.counts))


def _exit(counts: object) -> int:
    return NEGATIVE if isinstance(counts, dict) and counts.get(Outcome.REFUSED.value) else DONE


def _batch_line(batch: Batch) -> Text:
    form, state = FORMS[batch.form], STATES[batch.state]
    return Text(
        zh=f"{batch.id}  {batch.name}（{form.zh}，{state.zh}）", en=f"{batch.id}  {batch.name} ({form.en}, {state.en})"
    )


def _batch_lines(batch: Batch) -> list[Text]:
    barred = Text(
        zh=f"触及红线的系统：{batch.barred} 个；它们不得投入服务。",
        en=f"Systems that meet a red line: {batch.barred}; they are barred from service.",
    )
    idea = Text(
        zh="导入的系统一律处于“设想”阶段；来源所说的状态只作记录。不构成法律意见。",
        en="Every imported system is an idea; what the source says of its status is only kept. Not legal advice.",
    )
    return [
        _batch_line(batch),
        _counts_line(batch.counts),
        *_class_lines(batch.classes),
        *([barred] if batch.barred else []),
        *_trouble_lines(batch.troubles),
        idea,
    ]


def _counts_line(counts: object) -> Text:
    found = dict(counts) if isinstance(counts, dict) else {}
    zh = "，".join(f"{OUTCOMES[Outcome(name)].zh} {many}" for name, many in found.items()) or "没有记录"
    en = ", ".join(f"{OUTCOMES[Outcome(name)].en} {many}" for name, many in found.items()) or "no records"
    return Text(zh=zh, en=en)


def _class_lines(classes: object) -> list[Text]:
    """One line an instrument; instruments by which nothing can be told of any system share a line."""
    found = dict(classes) if isinstance(classes, dict) else {}
    silent = [name for name, counts in found.items() if set(counts) == {UNKNOWN_CLASS}]
    told = [
        _same(f"  {name}: " + ", ".join(f"{one} {many}" for one, many in sorted(counts.items())))
        for name, counts in sorted(found.items())
        if name not in silent
    ]
    if not silent:
        return told
    return [
        *told,
        Text(
            zh=f"  未评估（{len(silent)} 份文件）：来源所述的事实不足以判断；补全事实后即可判断。",
            en=f"  not evaluated under {len(silent)} instruments: the source states too few facts to tell; "
            "complete them, and the systems are judged.",
        ),
    ]


def _trouble_lines(troubles: tuple[Trouble, ...]) -> list[Text]:
    return [
        Text(**{lang: f"{one.where}  {one.says.in_(lang)} {one.hint.in_(lang)}" for lang in LANGS}) for one in troubles
    ]


def _item_lines(items: ItemPage) -> list[Text]:
    return [
        Text(
            **{lang: f"  {one.where}  {OUTCOMES[one.outcome].in_(lang)}  {one.system_id}  {one.name}" for lang in LANGS}
        )
        for one in items.items
    ]


def _same(line: str) -> Text:
    return Text(zh=line, en=line)


def _joined(lines: list[Text]) -> Text | None:
    def lang_lines(lang: Lang) -> str:
        return "\n".join(one.in_(lang) for one in lines)

    return Text(zh=lang_lines("zh"), en=lang_lines("en")) if lines else None
