"""Commands of two people about originals: keep them for an auditor, hand one out; and the auditor's own, to open it."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.engines.archive_age import Keys
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, Unavailable
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.access.model import Proposal
from safebelt.rooms.belt.cli.words import Reason
from safebelt.rooms.belt.records.handout import MAX_BYTES, identities, opened, read
from safebelt.rooms.belt.service import Belt, HandedOut
from safebelt.web.terminal import NOT_EVALUATED, Answer

_MOST_KEY_BYTES = 1 << 16
Seconded = Annotated[str, Parameter(help="Second what another person proposed (prp_…).")]
Identity = Annotated[
    Path | None, Parameter(help="The auditor's identity file; what it opens is printed, and kept nowhere.")
]
Output = Annotated[Path | None, Parameter(name=("--output", "-o"), help="Where the sealed file goes.")]


def add_to(app: App, belt: Belt) -> None:
    """Add `seal`, `open` and `unseal`."""
    _sealing(app, belt)
    _opening(app, belt)

    @app.command
    def unseal(file: Path, *, identity: Path) -> Answer:
        """Open a sealed FILE that was handed out, with the identity it was sealed for; needs no house."""
        handout = read(_content(file, MAX_BYTES))
        texts = opened(handout, _keys(identity))
        says = Text(**{lang: "\n".join([handout.record, *_told(texts, lang)]) for lang in LANGS})
        return Answer(data={"record": handout.record, "system": handout.system, "originals": texts}, says=says)


def _sealing(app: App, belt: Belt) -> None:
    @app.command
    def seal(
        system: str,
        *,
        reason: Reason,
        recipient: Annotated[list[str] | None, Parameter(help="Public key, age1… or ssh-ed25519 …")] = None,
        basis: Annotated[str, Parameter(help="The provision, contract or order it rests on.")] = "",
        proposal: Seconded = "",
    ) -> Answer:
        """Keep the originals of SYSTEM's exchanges, sealed to an auditor: propose it (exit 3), or second it."""
        if not proposal:
            return _waits(belt.propose_sealing(system, recipient or (), basis, reason, by=OWNER))
        _hold_about(belt.sealing(proposal), system)
        harness = belt.second_sealing(proposal, answer=reason, by=OWNER)
        return Answer(
            data=msgspec.to_builtins(harness),
            says=Text(
                zh=f"{system} 新往来的原文自此封存给：{'、'.join(harness.recipients)}",
                en=f"From now on the originals of {system}'s exchanges are sealed to {', '.join(harness.recipients)}",
            ),
        )


def _opening(app: App, belt: Belt) -> None:
    @app.command(name="open")
    def open_(
        record: str, *, reason: Reason, proposal: Seconded = "", output: Output = None, identity: Identity = None
    ) -> Answer:
        """Hand out the sealed originals of RECORD: propose it (exit 3), or second it and take the file."""
        belt.index()
        if not proposal:
            return _waits(belt.propose_opening(record, reason, by=OWNER))
        _hold_about(belt.opening(proposal), record)
        _hold_somewhere(output, identity)
        handed = belt.hand_out(proposal, answer=reason, by=OWNER, keys=_keys(identity) if identity else None)
        if output is not None:
            _write(output, handed.content)
        return Answer(data=_handed_data(handed), says=Text(**{lang: _handed(handed, output, lang) for lang in LANGS}))


def _hold_somewhere(output: Path | None, identity: Path | None) -> None:
    """Hold that what is handed out arrives, before anybody's word is spent."""
    if output is None and identity is None:
        raise _nowhere()
    if output is not None and output.exists():
        raise _there(output)


def _handed_data(handed: HandedOut) -> dict[str, Any]:
    handout = handed.handout
    data: dict[str, Any] = {"record": handout.record, "entry": handed.entry, "recipients": list(handout.recipients)}
    return data if handed.texts is None else data | {"originals": handed.texts}


def _handed(handed: HandedOut, output: Path | None, lang: Lang) -> str:
    lines = [Text(zh=f"已记入账本：{handed.entry}", en=f"The ledger remembers it: {handed.entry}").in_(lang)]
    if output is not None:
        lines.append(Text(zh=f"封存的文件：{output}", en=f"The sealed file: {output}").in_(lang))
    return "\n".join([*lines, *_told(handed.texts or {}, lang)])


def _waits(proposal: Proposal) -> Answer:
    return Answer(
        data={"proposal": proposal.id, "expires_at": proposal.expires_at.isoformat()},
        says=Text(
            zh=f"须由另一人同意：{proposal.id}。{proposal.says.zh}",
            en=f"Another person must second it: {proposal.id}. {proposal.says.en}",
        ),
        exit_code=NOT_EVALUATED,
    )


def _told(texts: dict[str, dict[str, str]], lang: Lang) -> list[str]:
    sides = {"intent": Text(zh="进来", en="in"), "outcome": Text(zh="出去", en="out")}
    lines = [(sides.get(half), path, text) for half, found in texts.items() for path, text in found.items()]
    return [f"  [{side.in_(lang) if side else '?'}] {path}: {text}" for side, path, text in lines]


def _hold_about(proposal: Proposal, subject: str) -> None:
    if proposal.subject != subject:
        raise Conflict(
            what=Text(
                zh=f"{proposal.id} 说的是 {proposal.subject}。", en=f"{proposal.id} is about {proposal.subject}."
            ),
            hint=Text(zh="请给出与之相符的编号。", en="Name what it is about."),
        )


def _keys(identity: Path) -> Keys:
    return identities(_content(identity, _MOST_KEY_BYTES).decode("utf-8", "replace"))


def _content(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(most + 1)
    except OSError as error:
        raise Invalid(
            what=Text(zh=f"无法读取 {file}：{error.strerror}。", en=f"Cannot read {file}: {error.strerror}."),
            hint=Text(zh="请检查路径。", en="Check the path."),
        ) from error


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise _there(path) from None
    except OSError as error:
        raise Unavailable(
            what=Text(
                zh=f"已记入账本，但无法写入 {path}：{error.strerror}。",
                en=f"It is on the ledger, but {path} cannot be written: {error.strerror}.",
            ),
            hint=Text(zh="请换一个位置，重新提出。", en="Choose another place, and propose it afresh."),
        ) from error


def _there(path: Path) -> Conflict:
    return Conflict(
        what=Text(zh=f"文件“{path}”已存在。", en=f"There is a file {str(path)!r} already."),
        hint=Text(zh="请另选文件名。", en="Choose another name."),
    )


def _nowhere() -> Invalid:
    return Invalid(
        what=Text(zh="没有说明原文去向。", en="Where the original goes was not said."),
        hint=Text(
            zh="请用 --output 写出封存的文件，或用 --identity 当场打开。",
            en="Write the sealed file with --output, or open it here with --identity.",
        ),
    )
