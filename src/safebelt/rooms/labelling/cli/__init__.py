"""The labelling command line: `safebelt labelling mark|owed|verify|formats|audit …`."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.labelling.cli.copies import add_copies
from safebelt.rooms.labelling.cli.keys import add_keys
from safebelt.rooms.labelling.cli.owed import add_owed, marks_of, not_put, regimes
from safebelt.rooms.labelling.cli.textmarks import add_textmarks
from safebelt.rooms.labelling.decide import incomplete
from safebelt.rooms.labelling.decide.contract import as_data
from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, MODULES, Kind
from safebelt.rooms.labelling.model import AXES, MARKS, VERDICTS, Checked, Generation, Mark, Marked, Verdict
from safebelt.rooms.labelling.provenance.manifests import READ_KINDS, SIGNED_KINDS
from safebelt.rooms.labelling.service import SIDECAR, Labelling, MarkFile, OwedFor, PassedOn, PassOn
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer

_NO_LEGAL_ADVICE = Text(zh="不构成法律意见。", en="Not legal advice.")
_MAX_FILES = 100_000
_Scan = Annotated[
    bool, Parameter(help="Look into the content too, for watermark and fingerprint; without, a check is much faster.")
]


def commands(labelling: Labelling) -> App:
    """Build the group `labelling`."""
    app = App(
        name="labelling",
        help="Mark what AI makes, and check what others bring. 标识溯源：为生成内容加注标识，并核验文件。",
    )
    _marking(app, labelling)
    add_owed(app, labelling)
    add_copies(app, labelling)
    add_textmarks(app, labelling)
    add_keys(app, labelling)
    _checking(app, labelling)
    return app


def _marking(app: App, labelling: Labelling) -> None:
    @app.command
    def mark(
        source: Path,
        *,
        output: Annotated[Path, Parameter(name=["--output", "-o"], help="Where the marked file goes.")],
        system: Annotated[str, Parameter(help="Id of the system that made the content; its certificate signs.")] = "",
        explicit: Annotated[bool | None, Parameter(help="Put a visible notice, or none, whatever is owed.")] = None,
        watermark: Annotated[
            bool | None, Parameter(help="Put a watermark, or none; what carries it is encoded once more.")
        ] = None,
        sign_text: Annotated[
            bool, Parameter(negative="", help="Put the signed manifest into a text too, which grows by 5 to 13 KB.")
        ] = False,
        time_stamp: Annotated[
            bool,
            Parameter(negative="", help="Put this house's time-stamp into the manifest, which grows by 10 KB."),
        ] = False,
        spoken: Annotated[
            Path | None, Parameter(help="WAV file with a notice in words, put before a sound in place of the rhythm.")
        ] = None,
        regime: Annotated[str, Parameter(help="Judge as for these places: cn, eu, or both with a comma.")] = "",
        generation: Annotated[
            Generation, Parameter(help="What the label says: is generated, is possibly, or is suspected to be.")
        ] = Generation.GENERATED,
        language: Annotated[str, Parameter(help="Language of the notice (zh, en); by default the content's own.")] = "",
    ) -> Answer:
        """Write a marked copy of a file: notice, label, signed manifest, watermark; all but the notice are read back.

        Where neither notice nor watermark is named, what the law asks of the system is put; `owed` says why. Exits 0
        when every mark that was wished for is there, 3 when one had to be left out, with why.
        """
        due = labelling.owed(source, system, regimes=regimes(regime))
        marks = marks_of(due.marks, regime, explicit=explicit, watermark=watermark)
        marks |= {Mark.EXPLICIT} if spoken is not None else set()
        cmd = MarkFile(
            system_id=system,
            marks=marks,
            generation=generation,
            lang=language,
            is_text_signed=sign_text,
            is_stamped=time_stamp,
            spoken=spoken,
        )
        return _marked(labelling.mark(source, output, cmd, by=OWNER), output, due)

    @app.command(name="pass-on")
    def pass_on(
        source: Path,
        *,
        output: Annotated[Path, Parameter(name=["--output", "-o"], help="Where the copy goes.")],
        propagator: Annotated[str, Parameter(help="Name or code of the platform that passes it on.")],
        number: Annotated[str, Parameter(help="The platform's own number for the content.")],
        declared: Annotated[bool, Parameter(negative="", help="The user declared it to be generated.")] = False,
        suspected: Annotated[bool, Parameter(negative="", help="The platform's review found traces.")] = False,
    ) -> Answer:
        """Say what a platform owes to say of a file, and write its pair into the label; the producer's part stays.

        Exits 3, and writes nothing, where nothing says that the content is generated.
        """
        cmd = PassOn(propagator=propagator, propagate_id=number, is_declared=declared, is_detected=suspected)
        return _passed_on(labelling.pass_on(source, output, cmd), output)

    @app.command
    def hand(system: str) -> Answer:
        """Let the belt sign what a system makes: its key is made, and certified; renewal comes by itself."""
        found = labelling.desk.hand(system)
        data = {"system": found.system_id, "serial": found.serial, "until": found.not_after.isoformat()}
        until = f"{found.not_after:%Y-%m-%d}"
        says = Text(
            zh=f"{system} 的内容由证书 {found.serial} 签名，有效期至 {until}，到期前自动续期。",
            en=f"Contents of {system} are signed with certificate {found.serial}, until {until}; it renews by itself.",
        )
        return Answer(data=data, says=says)

    @app.command
    def formats() -> Answer:
        """List the formats, and which marks each can carry here."""
        rows = [_format(kind) for kind in Kind]
        lines = Text(
            zh="\n".join(f"{row['format']:6} {row['media_type']:75} {_carried(row, 'zh')}" for row in rows),
            en="\n".join(f"{row['format']:6} {row['media_type']:75} {_carried(row, 'en')}" for row in rows),
        )
        return Answer(data=rows, says=lines)


def _checking(app: App, labelling: Labelling) -> None:
    @app.command
    def verify(*files: Annotated[Path, Parameter(help="Files to check.")], scan: _Scan = True) -> Answer:
        """Check files: every question gets its own answer, never one word for all.

        Exits 1 if any answer is bad, 0 if every file carries a mark that says what made it, 3 otherwise.
        """
        if not files:
            raise Invalid(
                what=Text(zh="没有给出文件。", en="No file was named."),
                hint=Text(zh="请给出至少一个文件。", en="Name at least one."),
            )
        found = [labelling.verify(path, is_scanned=scan) for path in files]
        says = Text(**{lang: "\n\n".join(_as_text(one, lang) for one in found) for lang in LANGS})
        return Answer(data=[as_data(one) for one in found], says=says, exit_code=_exit_code(found))

    @app.command
    def audit(
        folder: Path,
        *,
        publish: Annotated[
            bool, Parameter(help="Ask as a platform before publication: is a file without a mark.")
        ] = False,
        scan: _Scan = True,
    ) -> Answer:
        """Check every file below a folder, with progress and a report.

        Exits 1 if a mark somewhere does not hold (with --publish, also where a file carries none), 3 if nothing was
        found to check or some file could not be judged, 0 otherwise.
        """
        paths = list(_below(folder))
        found, failed = list[Checked](), dict[str, str]()
        for number, path in enumerate(paths, 1):
            _progress(number, len(paths), path)
            try:
                found.append(labelling.verify(path, is_scanned=scan))
            except Problem as problem:
                failed[str(path)] = str(problem)
        return _report(found, failed, is_strict=publish)


def _marked(made: Marked, output: Path, due: OwedFor) -> Answer:
    refused = not_put(due.marks, made)
    data = {
        "file": str(output),
        "format": made.kind,
        "sha256": made.sha256,
        "size": made.size,
        "put": {mark.value: place for mark, place in made.put.items()},
        "left_out": {mark.value: {"zh": why.zh, "en": why.en} for mark, why in made.left_out.items()},
        "owed": {mark.value: one.owing.value for mark, one in due.marks.items()},
        "owed_and_not_put": [mark.value for mark in refused],
    }
    if made.lacking:
        what = incomplete(made.lacking)
        data["label"] = {"status": "incomplete", "missing": list(made.lacking), "says": {"zh": what.zh, "en": what.en}}
    says = Text(**{lang: _made_text(made, output, refused, lang) for lang in LANGS})
    return Answer(data=data, says=says, exit_code=NOT_EVALUATED if made.left_out else DONE)


def _made_text(made: Marked, output: Path, refused: Sequence[Mark], lang: Lang) -> str:
    lines = [f"{output}"]
    lines += [f"  + {MARKS[mark].in_(lang)}: {place}" for mark, place in made.put.items()]
    lines += [f"  - {MARKS[mark].in_(lang)}: {why.in_(lang)}" for mark, why in made.left_out.items()]
    lines += [f"  ! {MARKS[mark].in_(lang)}: {_OWED_STILL.in_(lang)}" for mark in refused]
    lines += [f"  ! {incomplete(made.lacking).in_(lang)}"] if made.lacking else []
    return "\n".join([*lines, f"  SHA-256 {made.sha256}", f"  {_NO_LEGAL_ADVICE.in_(lang)}"])


_OWED_STILL = Text(zh="按规则应当加注，而没有加注", en="owed, and not there")


def _passed_on(made: PassedOn, output: Path) -> Answer:
    notice = made.notice
    data = {
        "duty": made.duty.value,
        "why": made.reason.as_data(),
        "notice": {"zh": notice.zh, "en": notice.en} if notice else {},
        "file": str(output) if made.place else "",
        "place": made.place,
    }
    if notice is None:
        return Answer(data=data, says=made.reason.says, exit_code=NOT_EVALUATED)
    says = Text(
        zh=f"{made.reason.says.zh}\n  提示：{notice.zh}\n  {output}：{made.place}\n  {_NO_LEGAL_ADVICE.zh}",
        en=f"{made.reason.says.en}\n  notice: {notice.en}\n  {output}: {made.place}\n  {_NO_LEGAL_ADVICE.en}",
    )
    return Answer(data=data, says=says)


def _format(kind: Kind) -> dict[str, Any]:
    return {
        "format": kind.value,
        "media_type": MEDIA_TYPES[kind],
        "aigc": kind in MODULES,
        "c2pa": "write" if kind in SIGNED_KINDS else "read" if kind in READ_KINDS else "none",
    }


def _carried(row: dict[str, Any], lang: Lang) -> str:
    words = {"write": ("读写", "read and write"), "read": ("只读", "read"), "none": ("无", "none")}[row["c2pa"]]
    return f"AIGC, C2PA: {Text(zh=words[0], en=words[1]).in_(lang)}"


def _as_text(one: Checked, lang: Lang) -> str:
    lines = [f"{one.file} ({one.kind or '?'}, {one.size:,} B)", f"  {one.sentence.in_(lang)}"]
    for axis, found in one.axes.items():
        says = found.reason.says.in_(lang)
        lines.append(
            f"  [{_MARKS[found.verdict]}] {AXES[axis].in_(lang)} · {VERDICTS[found.verdict].in_(lang)}: {says}"
        )
    return "\n".join(lines)


_MARKS = {Verdict.OK: "+", Verdict.BAD: "-", Verdict.ABSENT: " ", Verdict.UNKNOWN: "?"}


def _exit_code(found: Sequence[Checked]) -> int:
    if any(one.is_bad for one in found):
        return NEGATIVE
    return DONE if found and all(one.is_marked for one in found) else NOT_EVALUATED


def _below(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise Invalid(
            what=Text(zh=f"“{folder}”不是目录。", en=f"{str(folder)!r} is no folder."),
            hint=Text(zh="请给出一个目录；单个文件请用 verify。", en="Name a folder; for one file there is verify."),
        )
    found = {path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}
    paths = sorted(path for path in found if not _is_beside(path, found))
    if len(paths) > _MAX_FILES:
        raise Invalid(
            what=Text(zh=f"文件过多（{len(paths)}）。", en=f"Too many files ({len(paths):,})."),
            hint=Text(zh=f"请分批检验，每次至多 {_MAX_FILES} 个。", en=f"Check at most {_MAX_FILES:,} at a time."),
        )
    yield from paths


def _is_beside(path: Path, found: set[Path]) -> bool:
    """Whether a file is the label of another that is there, which it is read with."""
    of = path.name.removesuffix(SIDECAR)
    return of not in ("", path.name) and path.with_name(of) in found


def _progress(number: int, total: int, path: Path) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{number}/{total} {path.name[:60]}")
        if number == total:
            sys.stderr.write("\n")
        sys.stderr.flush()


def _report(found: Sequence[Checked], failed: dict[str, str], *, is_strict: bool) -> Answer:
    bad = [one for one in found if one.is_bad]
    none = [one for one in found if not one.is_marked and not one.is_bad]
    counted = Counter((axis, one.axes[axis].verdict) for one in found for axis in one.axes)
    data = {
        "files": len(found) + len(failed),
        "marked": sum(one.is_marked and not one.is_bad for one in found),
        "bad": [as_data(one) for one in bad],
        "without_a_mark": [one.file for one in none],
        "not_checked": failed,
        "axes": {axis.value: {verdict.value: counted[axis, verdict] for verdict in Verdict} for axis in AXES},
    }
    says = Text(
        zh=f"检验 {len(found)} 个文件：{data['marked']} 个有标识，{len(bad)} 个的标识不成立，{len(none)} 个没有找到标识"
        f"（不表示出自人手），{len(failed)} 个未能检验。",
        en=f"{len(found)} files checked: {data['marked']} carry a mark, {len(bad)} have one that does not hold, in "
        f"{len(none)} none was found (which does not mean that a human made them), {len(failed)} could not be checked.",
    )
    lines = [f"  - {one.file}: {{}}" for one in bad]
    said = Text(
        **{
            lang: "\n".join(
                [says.in_(lang), *(line.format(one.sentence.in_(lang)) for line, one in zip(lines, bad, strict=True))]
            )
            for lang in LANGS
        }
    )
    is_negative = bool(bad) or (is_strict and bool(none))
    is_open = not found or bool(failed)
    return Answer(data=data, says=said, exit_code=NEGATIVE if is_negative else NOT_EVALUATED if is_open else DONE)
