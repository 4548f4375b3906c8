"""The ledger's command line: `safebelt ledger list|show|verify|prove|check|consistency|key|…`.

`check` and `check-consistency` touch neither database nor key file: a stranger needs the file and the public key.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.engines.signing import VerifierKey
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Problem, Unavailable
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.ledger.cli.files import keys_of, policy_of, read_bytes
from safebelt.rooms.ledger.cli.peers import add_monitor, witness_group
from safebelt.rooms.ledger.model import Entry, Verification
from safebelt.rooms.ledger.service import Judged, Ledger, check, check_consistency, check_evidence, witnesses_of
from safebelt.rooms.ledger.verifier import tools, write_tools
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer

Output = Annotated[Path | None, Parameter(name=["--output", "-o"])]
Key = Annotated[str, Parameter(name="--key")]
_LONG = 50_000  # entries: fewer are verified before anybody wonders
_PROOF_FILE_BYTES = 4 * 1024 * 1024  # a proof carries one entry of at most 64 KiB and some sixty hashes


def commands(ledger: Ledger) -> App:
    """Build the group `ledger`."""
    app = App(name="ledger", help="Remember, and prove it. 存证账本：记住，并能证明。")
    _reading(app, ledger)
    _proving(app, ledger)
    _checking(app)
    add_monitor(app)
    app.command(witness_group(ledger))
    _keeping(app, ledger)
    return app


def _reading(app: App, ledger: Ledger) -> None:
    @app.command(name="list")
    def list_(
        *,
        search: str = "",
        kind: str = "",
        subject: str = "",
        actor: str = "",
        before: int | None = None,
        limit: int = 20,
    ) -> Answer:
        """List entries, newest first."""
        found = ledger.entries(search=search, kind=kind, subject=subject, actor=actor, before=before, limit=limit)
        none = Text(zh="没有符合的存证条目。", en="No entry matches.")
        lines = "\n".join(_line(entry) for entry in found)
        return Answer(data=[_data(entry) for entry in found], says=Text(zh=lines or none.zh, en=lines or none.en))

    @app.command
    def show(entry_id: str) -> Answer:
        """Show one entry."""
        entry = ledger.entry(entry_id)
        data = _data(entry)
        lines = "\n".join(f"{name}: {value}" for name, value in data.items() if value is not None)
        return Answer(data=data, says=Text(zh=lines, en=lines))

    @app.command
    def verify(*, is_files: Annotated[bool, Parameter(name="--files", negative="")] = False) -> Answer:
        """Verify the whole log: rows, personal data, checkpoints, signatures, rotations, tiles and the tree.

        Parameters
        ----------
        is_files
            Hold bundles, tiles, the tree and checkpoints against each other, without the rows: quicker by far.
        """
        if is_files:
            return verification(ledger.verify_files(_progress))
        problem: Problem | None = None
        try:
            ledger.advance()
        except Problem as met:  # what stops the signing is what verifying must name: say both
            problem = met
        return verification(ledger.verify(_progress), problem)


def _proving(app: App, ledger: Ledger) -> None:
    @app.command
    def prove(entry_id: str, *, output: Output = None) -> Answer:
        """Write a self-contained proof of one entry, and name the witnesses that cosigned its checkpoint."""
        proof = ledger.prove(entry_id)
        names = witnesses_of(proof, ledger.origin)
        written = _written(proof, output, {"entry": entry_id, "witnesses": list(names)})
        if output is None:  # what is printed is the file itself
            return written
        zh = f"已联署的见证人：{'、'.join(names)}。" if names else "尚无见证人联署此检查点。"
        en = f"Witnesses that cosigned: {', '.join(names)}." if names else "No witness has cosigned its checkpoint yet."
        return replace(written, says=Text(zh=f"{written.says.zh}\n{zh}", en=f"{written.says.en}\n{en}"))

    @app.command
    def consistency(old: int, new: int | None = None, *, output: Output = None) -> Answer:
        """Write a self-contained proof that the log only grew between two checkpoints, named by their sizes."""
        ledger.advance()
        return _written(ledger.consistency(old, new), output, {"old": old, "new": new})

    @app.command
    def key(*, is_all: Annotated[bool, Parameter(name="--all", negative="")] = False) -> Answer:
        """Print the verifier key in force; with --all also those before it, oldest first."""
        keys = [str(each) for each in ledger.verifier_keys()]
        lines = "\n".join(keys if is_all else keys[-1:])
        return Answer(data={"key": keys[-1], "retired": keys[:-1]}, says=Text(zh=lines, en=lines))


def _checking(app: App) -> None:
    @app.command(name="check")
    def check_(file: Path, *, key: Key, policy: Path | None = None) -> Answer:
        """Check a proof with nothing but the public key (its text, or a file that holds it).

        Parameters
        ----------
        file
            The proof.
        key
            The log's public key: its text, or a file with one or more.
        policy
            Whose cosignatures are asked for (C2SP tlog-policy); without one, witnesses are not evaluated.
        """
        asked = policy_of(policy)
        return _judged(lambda proof, keys: check(proof, keys, asked), file, key)

    @app.command(name="check-consistency")
    def check_consistency_(file: Path, *, key: Key) -> Answer:
        """Check a proof of consistency with nothing but the public key."""
        return _judged(check_consistency, file, key)

    @app.command(name="check-contradiction")
    def check_contradiction(file: Path, *, key: Key) -> Answer:
        """Check evidence that a log signed two histories: exits 0 where it is proven."""
        return _judged(check_evidence, file, key)

    @app.command(name="verifier")
    def verifier_(*, output: Annotated[Path, Parameter(name=["--output", "-o"])]) -> Answer:
        """Write the two files with which a stranger checks receipts offline: a page and a Python file."""
        try:
            written = [str(path) for path in write_tools(output)]
        except OSError as error:
            raise _unwritable(output, error) from error
        sums = "\n".join(f"{tool.sha256}  {tool.name}" for tool in tools().values())
        zh, en = "已写入（SHA-256）：", "Written (SHA-256):"
        return Answer(data={"files": written}, says=Text(zh=f"{zh}\n{sums}", en=f"{en}\n{sums}"))


def _keeping(app: App, ledger: Ledger) -> None:
    @app.command(name="rotate-key")
    def rotate_key(*, reason: str) -> Answer:
        """Replace the signing key; the old one signs the new one, and the log remembers it."""
        new = str(ledger.rotate_key(reason=reason, by=OWNER))
        return Answer(
            data={"key": new},
            says=Text(zh=f"密钥已轮换，新的验证公钥：\n{new}", en=f"The key was rotated. The new verifier key:\n{new}"),
        )

    @app.command
    def erase(entry_id: str, *, reason: str) -> Answer:
        """Erase the personal data of an entry; its proof stands."""
        remembered = ledger.erase(entry_id, reason=reason, by=OWNER)
        return Answer(
            data={"entry": entry_id, "remembered_as": remembered},
            says=Text(
                zh=f"已删除 {entry_id} 的个人信息，删除行为记为 {remembered}。",
                en=f"Erased the personal data of {entry_id}; remembered as {remembered}.",
            ),
        )


def _progress(done: int, total: int) -> None:
    """One line on the error stream, so that the answer itself stays clean."""
    if total > _LONG:
        sys.stderr.write(f"{done:,} / {total:,}" + ("\n" if done >= total else "\r"))
        sys.stderr.flush()


def verification(found: Verification, problem: Problem | None = None) -> Answer:
    """Say what verifying the log came to; a problem met while advancing is said too."""
    exit_code = {Truth.TRUE: DONE, Truth.FALSE: NEGATIVE, Truth.UNKNOWN: NOT_EVALUATED}[found.holds]
    data: dict[str, Any] = {
        "verdict": {Truth.TRUE: "intact", Truth.FALSE: "broken", Truth.UNKNOWN: "nothing to verify"}[found.holds],
        "entries": found.entries,
        "checkpoints": found.checkpoints,
        "waiting": found.waiting,
        "erased": found.erased,
        "faults": [
            {"code": f.code, "where": f.where, "index": f.index, "says": {"zh": f.says.zh, "en": f.says.en}}
            for f in found.faults
        ],
        "more_faults": found.more,
        "problem": None if problem is None else problem.code,
    }
    zh, en = (_verification_lines(found, problem, lang) for lang in LANGS)
    if problem is not None and exit_code == DONE:
        exit_code = NEGATIVE if problem.exit_code == NEGATIVE else NOT_EVALUATED
    return Answer(data=data, says=Text(zh=zh, en=en), exit_code=exit_code)


def _verification_lines(found: Verification, problem: Problem | None, lang: Lang) -> str:
    head = {
        Truth.TRUE: Text(
            zh=f"完整：{found.entries} 条存证、{found.checkpoints} 个检查点逐一核对，均未被改动。",
            en=f"Intact: {found.entries} entries and {found.checkpoints} checkpoints, each as it was written.",
        ),
        Truth.FALSE: Text(
            zh=f"受损：发现 {len(found.faults) + found.more} 处问题。",
            en=f"Broken: {len(found.faults) + found.more} faults.",
        ),
        Truth.UNKNOWN: Text(zh="没有可核验的内容。", en="Nothing to verify."),
    }[found.holds].in_(lang)
    lines = [head, *(f"  {fault.where}: {fault.says.in_(lang)}" for fault in found.faults)]
    if found.more:
        lines.append(Text(zh=f"  另有 {found.more} 处。", en=f"  and {found.more} more.").in_(lang))
    if problem is not None:
        lines.append(problem.in_(lang))
    return "\n".join(lines)


def _judged(judge: Callable[[str, tuple[VerifierKey, ...]], Judged], file: Path, key: str) -> Answer:
    keys = keys_of(key)
    reason, proven = judge(read_bytes(file, _PROOF_FILE_BYTES).decode("utf-8", errors="surrogateescape"), keys)
    zh, en = (reason.as_text(lang) + _proven_lines(proven) for lang in LANGS)
    is_held = reason.holds is Truth.TRUE
    data = {"holds": is_held, "reason": reason.as_data(), "proven": None if proven is None else dict(proven)}
    return Answer(data=data, says=Text(zh=zh, en=en), exit_code=DONE if is_held else NEGATIVE)


def _proven_lines(proven: Mapping[str, Any] | None) -> str:
    return "".join(f"\n{name}: {value}" for name, value in (proven or {}).items())


def _written(proof: str, output: Path | None, data: dict[str, Any]) -> Answer:
    if output is None:
        return Answer(data={**data, "proof": proof}, says=Text(zh=proof.rstrip("\n"), en=proof.rstrip("\n")))
    try:
        output.write_text(proof, "utf-8", newline="\n")
    except OSError as error:
        raise _unwritable(output, error) from error
    return Answer(
        data={**data, "file": str(output)},
        says=Text(
            zh=f"证明已写入 {output}。请把它与公钥（`safebelt ledger key`）一并交给需要核验的人。",
            en=f"Wrote the proof to {output}. Hand it over with the public key (`safebelt ledger key`).",
        ),
    )


def _unwritable(output: Path, error: OSError) -> Unavailable:
    return Unavailable(
        what=Text(zh=f"无法写入 {output}：{error.strerror}。", en=f"Cannot write {output}: {error.strerror}."),
        hint=Text(zh="请核对路径、权限和磁盘空间。", en="Check the path, its permissions and the disk's free space."),
    )


def _line(entry: Entry) -> str:
    place = "-" if entry.index is None else str(entry.index)
    return f"{place:>7}  {entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.kind:<36}  {entry.subject}  {entry.actor}  {entry.id}"


def _data(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "index": entry.index,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "door": entry.door,
        "kind": entry.kind,
        "subject": entry.subject,
        "data": dict(entry.data),
        "personal": None if entry.personal is None else dict(entry.personal),
        "is_erased": entry.is_erased,
    }
