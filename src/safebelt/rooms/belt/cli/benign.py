"""Over-blocking on the command line: benign texts from files, hits rule by rule."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Policy
from safebelt.rooms.belt.service.benign import measure_benign
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer, read_text

MAX_TEXTS = 100_000
_MAX_BYTES = 64 * 1024 * 1024


def measured(policy: Policy, where: Path, says: Text) -> Answer:
    """Measure a policy on the texts of a file or folder; exit 3 where there is no text."""
    found = measure_benign(policy, texts_of_file(where))
    lines = [f"  {one.rule}  {one.action}  {one.texts}/{found.texts}  {_numbers(one.examples)}" for one in found.rules]
    rules = "\n".join(line.rstrip() for line in lines)
    if any(rule.classifier for rule in policy.rules):
        rules += "\n  classifier: safebelt belt classifier measure"  # a trained model is measured by itself
    zh = f"无害文本 {found.texts} 条，命中 {found.hit} 条，其中会被遮盖或拒绝 {found.stopped} 条。"
    en = f"{found.texts} benign texts, {found.hit} hit, {found.stopped} would have been masked or refused."
    return Answer(
        data={"policy": policy.id, "version": policy.version, "benign": msgspec.to_builtins(found)},
        says=Text(zh=f"{says.zh}\n{zh}\n{rules}", en=f"{says.en}\n{en}\n{rules}"),
        exit_code=DONE if found.texts else NOT_EVALUATED,
    )


def _numbers(examples: tuple[int, ...]) -> str:
    return " ".join(f"#{number}" for number in examples)


def texts_of_file(where: Path) -> Iterator[str]:
    """Yield the lines of a file that are not blank, or the files of a folder in the order of their names."""
    if where.is_dir():
        texts = (read_text(path, limit=_MAX_BYTES) for path in sorted(where.iterdir()) if path.is_file())
    else:
        texts = (line for line in read_text(where, limit=_MAX_BYTES).splitlines())
    for count, text in enumerate(text for text in texts if text.strip()):
        if count >= MAX_TEXTS:
            raise Invalid(
                what=Text(zh=f"文本超过 {MAX_TEXTS} 条。", en=f"There are more than {MAX_TEXTS} texts."),
                hint=Text(zh="请分批测量。", en="Measure them in parts."),
            )
        yield text
