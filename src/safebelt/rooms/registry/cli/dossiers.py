"""Command line for the dossier as a signed package."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.service import read_keys
from safebelt.rooms.registry.exports.package import MAX_BYTES
from safebelt.rooms.registry.model.dossiers import HandOver, PartMade
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.registry.service.packaging import check_dossier
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer, read_text

_EXITS = {Truth.TRUE: DONE, Truth.FALSE: NEGATIVE, Truth.UNKNOWN: NOT_EVALUATED}
_KEY_FILE_BYTES = 64 * 1024


def add(app: App, registry: Registry) -> None:
    """Add this piece's commands to the group `registry`."""

    @app.command
    def dossier(
        system_id: str,
        *,
        output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
        to: str = "",
        basis: str = "",
        part: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    ) -> Answer:
        """Hand a system's dossier out as one signed file; without -o, only show what would go into it.

        Parameters
        ----------
        to
            To whom; kept apart from the public log.
        basis
            On what basis: the request, the provision.
        part
            A part to hand out, may be repeated; all that hold no personal data where left out.
        """
        if output is None:
            asked = HandOver(recipient=to or "-", basis=basis or "-", parts=part)
            return _listed(registry.preview_dossier(system_id, asked))
        given = registry.hand_over_dossier(system_id, HandOver(recipient=to, basis=basis, parts=part), by=OWNER)
        _write(output, given.body)
        listed = _listed(given.parts)
        says = Text(
            zh=f"已写入 {output}，清单摘要 {given.sha256}。\n{listed.says.zh}",
            en=f"Written to {output}; digest of the manifest {given.sha256}.\n{listed.says.en}",
        )
        return Answer(data={"file": str(output), "manifest_sha256": given.sha256, "parts": listed.data}, says=says)

    @app.command
    def check(file: Path, *, key: str) -> Answer:
        """Check a dossier file with nothing but the log's public key; exits 1 where it was altered.

        Parameters
        ----------
        key
            The key's text, or a file that holds it, one key a line.
        """
        reason = check_dossier(_read(file), read_keys(key_text(key)))
        says = Text(zh=reason.as_text("zh"), en=reason.as_text("en"))
        return Answer(data=reason.as_data(), says=says, exit_code=_EXITS[reason.holds])


def _listed(parts: tuple[PartMade, ...]) -> Answer:
    data = [
        {
            "id": one.part.id,
            "included": one.is_chosen,
            "personal": one.part.is_personal,
            "records": one.records,
            "bytes": len(one.content),
        }
        for one in parts
    ]
    zh = "\n".join(
        f"{'✓ 交出' if one.is_chosen else '— 不交出'}  {one.part.title.zh}（{one.records}）" for one in parts
    )
    en = "\n".join(f"{'+ in ' if one.is_chosen else '- out'}  {one.part.title.en} ({one.records})" for one in parts)
    return Answer(data=data, says=Text(zh=zh, en=en))


def key_text(given: str) -> str:
    """Return the keys given as text, or what stands in the file of that name.

    Raises:
        Invalid: The file is too long, or no text.
    """
    path = Path(given)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # a key's own text is no path
        return given
    return read_text(path, limit=_KEY_FILE_BYTES) if is_file else given


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(
            what=Text(zh=f"无法读取“{path}”：{error.strerror}。", en=f"Cannot read {str(path)!r}: {error.strerror}."),
            hint=Text(zh="请给出一个可读的卷宗文件。", en="Name a dossier file that can be read."),
        ) from error
    return body


def _write(path: Path, body: bytes) -> None:
    try:
        path.write_bytes(body)
    except OSError as error:
        raise Unavailable(
            what=Text(zh=f"无法写入“{path}”：{error.strerror}。", en=f"Cannot write {str(path)!r}: {error.strerror}."),
            hint=Text(zh="请换一个可写的位置。", en="Name a place that can be written."),
        ) from error
