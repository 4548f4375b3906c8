"""`safebelt labelling text-watermark`: keys of the watermark in generated text, and reading a text by them."""

import importlib
import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model import VERDICTS, Verdict
from safebelt.rooms.labelling.model.textmarks import DEFAULT_RATE, TextKey, TextRead
from safebelt.rooms.labelling.service import Labelling
from safebelt.rooms.labelling.service.textmarks import text_key
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer

_MAX_BYTES = 4 << 20


def add_textmarks(app: App, labelling: Labelling) -> None:
    """Add the group to the room's."""
    group = App(name="text-watermark", help="The watermark in generated text: its keys, and reading it. 文本水印。")
    app.command(group)
    _keys(group, labelling)

    @group.command
    def detect(
        file: Path,
        *,
        system: Annotated[str, Parameter(help="Try this system's keys.")] = "",
        key: Annotated[Path | None, Parameter(help="Try the key in this file: what an authority opened.")] = None,
        tokenizer: Annotated[
            Path | None, Parameter(help="The model's tokenizer.json; without it FILE is a JSON list of token numbers.")
        ] = None,
        rate: Annotated[
            float, Parameter(help="How often, at most, to be wrong about a text without it.")
        ] = DEFAULT_RATE,
    ) -> Answer:
        """Look for the watermark in a text, with a computed p-value.

        Exits 0 where it was found, 3 otherwise: that none was found does not say who wrote the text.
        """
        keys = [text_key(key)] if key is not None else labelling.text_keys(system)
        return _read(labelling.read_text(_tokens(file, tokenizer), keys, rate=rate))


def _keys(group: App, labelling: Labelling) -> None:
    @group.command
    def make(
        system: str,
        *,
        authority: Annotated[list[str], Parameter(help="Public key of the authority that may read: age1… or ssh-….")],
        escrow: Annotated[Path, Parameter(help="Where the sealed file for the authority goes.")],
    ) -> Answer:
        """Make a system's key, its first or the next, and seal it for an authority, which can then read without you."""
        made = labelling.make_text_key(system, authority, escrow, by=OWNER)
        says = Text(
            zh=f"{made.id}：{system} 的第 {made.number} 个密钥。请把 {escrow} 交给主管机构。",
            en=f"{made.id}: key {made.number} of {system}. Give {escrow} to the authority.",
        )
        return Answer(data=_as_data(made) | {"escrow": str(escrow)}, says=says)

    @group.command
    def release(
        system: str,
        *,
        recipient: Annotated[list[str], Parameter(help="Public key of who gets it: age1… or ssh-….")],
        output: Annotated[Path, Parameter(name=["--output", "-o"], help="Where the sealed file goes.")],
        to: Annotated[str, Parameter(help="Who gets it.")],
        reason: Annotated[str, Parameter(help="Why.")],
    ) -> Answer:
        """Write a system's newest key, sealed, for an engine that generates or for somebody who reads."""
        given = labelling.release_text_key(system, recipient, output, to=to, reason=reason, by=OWNER)
        says = Text(
            zh=f"{given.id} 已封存于 {output}，账本已记录。",
            en=f"{given.id} is sealed in {output}; the ledger says so.",
        )
        return Answer(data=_as_data(given) | {"file": str(output)}, says=says)

    @group.command
    def keys(system: str) -> Answer:
        """List a system's keys, the newest last; the keys themselves are not shown."""
        found = labelling.text_keys(system)
        none = Text(zh="没有密钥。", en="There is no key.")
        lines = "\n".join(f"{one.number:3} {one.id}" for one in found)
        says = Text(zh=lines, en=lines) if found else none
        return Answer(data=[_as_data(one) for one in found], says=says)


def _as_data(one: TextKey) -> dict[str, Any]:
    return {"id": one.id, "system": one.system_id, "number": one.number}


def _read(found: TextRead) -> Answer:
    data = {
        "verdict": found.verdict.value,
        "why": found.reason.as_data(),
        "tokens": found.tokens,
        "p_value": found.p_value,
        "mean": found.mean,
        "key": found.key_id,
    }
    word, says = VERDICTS[found.verdict], found.reason.says
    said = Text(zh=f"{word.zh}：{says.zh}", en=f"{word.en}: {says.en}")
    return Answer(data=data, says=said, exit_code=DONE if found.verdict is Verdict.OK else NOT_EVALUATED)


def _tokens(file: Path, tokenizer: Path | None) -> list[int]:
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _no_text(file, error.strerror or str(error)) from error
    if len(data) > _MAX_BYTES:
        raise _no_text(file, "more than 4 MiB")
    if tokenizer is not None:
        return _tokenized(data.decode("utf-8", "replace"), tokenizer)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(type(one) is int for one in found):
        raise _no_text(file, "no JSON list of whole numbers")
    return found


def _tokenized(text: str, tokenizer: Path) -> list[int]:
    try:
        tokenizers = importlib.import_module("tokenizers")
    except ImportError as error:
        raise Unavailable(
            what=Text(zh="没有安装 tokenizers。", en="The package `tokenizers` is not installed."),
            hint=Text(
                zh="安装它，或自行分词后给出词元编号的 JSON 列表。",
                en="Install it, or give token numbers as a JSON list, made by the model's own tokenizer.",
            ),
        ) from error
    try:
        made = tokenizers.Tokenizer.from_file(str(tokenizer))
        ids: list[int] = made.encode(text, add_special_tokens=False).ids
    except Exception as error:  # the library raises plain exceptions for whatever is wrong with the file
        raise _no_text(tokenizer, f"no tokenizer: {str(error)[:200]}") from error
    return ids


def _no_text(path: Path, why: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"无法读取“{path}”：{why}。", en=f"{str(path)!r} cannot be read: {why}."),
        hint=Text(
            zh="请给出词元编号的 JSON 列表，或文本及其模型的 tokenizer.json。",
            en="Give a JSON list of token numbers, or a text and its model's tokenizer.json.",
        ),
        details={"field": "file"},
    )
