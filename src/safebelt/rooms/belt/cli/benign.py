"""Over-blocking on the command line: benign texts from files, hits rule by rule."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.belt.model import Policy
from safebelt.rooms.belt.model.over_blocking import OverBlockingNow, Share
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


_TOLD_EVERY = 500


def teller() -> Callable[[int, int], None]:
    """Return what tells of progress on the error stream, now and then."""

    def tell(done: int, of: int) -> None:
        if done % _TOLD_EVERY == 0:
            sys.stderr.write(f"{done}/{of}\n")

    return tell


def standing_told(now: OverBlockingNow) -> Answer:
    """Tell how a version stands; exit 3 where it is not evaluated."""
    says = Text(**{lang: _standing(now, lang) for lang in LANGS})
    return Answer(data=msgspec.to_builtins(now), says=says, exit_code=DONE if now.found else NOT_EVALUATED)


def _standing(now: OverBlockingNow, lang: Lang) -> str:
    named = f"{now.policy}@{now.version} ({now.digest[:12]})"
    if now.found is None:
        nothing = Text(zh="误拦率未评估；用 --measure 测量。", en="over-blocking not evaluated; --measure measures it.")
        return f"{named}  {nothing.in_(lang)}"
    stopped = Text(zh="会遮盖或拒绝的无害文本：", en="benign texts it would mask or refuse: ").in_(lang)
    lines = [f"{named}  {stopped}{_share(now.found.stopped, lang)}"]
    for one in now.found.rules:
        said = Text(zh="未评估", en="not evaluated").in_(lang) if one.share is None else _share(one.share, lang)
        lines.append(f"  {one.rule}  {one.action.value}  {said}")
    lines += [f"  {corpus.name}  {corpus.texts}  {corpus.licence}  {corpus.sha256}" for corpus in now.found.corpora]
    outdated = Text(zh="  文本或程序已变：应重新测量。", en="  Texts or program have changed: measure again.")
    return "\n".join([*lines, *([outdated.in_(lang)] if now.outdated else [])])


def _share(share: Share, lang: Lang) -> str:
    interval = Text(zh="95% 区间", en="95 % interval").in_(lang)
    return f"{share.hits}/{share.of}  {share.rate:.2%}  ({interval} {share.low:.2%}–{share.high:.2%})"


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
