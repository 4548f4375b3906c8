"""What a reading of a text's watermark comes to.  Pure."""

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model import Verdict
from safebelt.rooms.labelling.model.textmarks import LEAST_TOKENS, TextRead


def judged(*, tokens: int, p_value: float, keys: int, mean: float, key_id: str, rate: float) -> TextRead:
    """Judge the best of several readings of one text.

    Args:
        tokens: How many tokens could witness.
        p_value: Of the key that fits best.
        keys: How many keys were tried: each is one more chance to be wrong.
        mean: Of that key.
        key_id: That key.
        rate: How often, at most, a text without the mark may be taken for one that has it.
    """
    over_all = min(1.0, p_value * max(keys, 1))
    seen = Text(
        zh=f"加权均值 {mean:.4f}（无水印时为 0.5），{tokens} 个词元，p = {over_all:.2g}",
        en=f"weighted mean {mean:.4f} (0.5 without a mark) over {tokens} tokens, p = {over_all:.2g}",
    )
    verdict = Verdict.UNKNOWN
    if not keys:
        says = Text(zh="该系统没有文本水印密钥。", en="The system has no text watermark key.")
    elif tokens < LEAST_TOKENS:
        says = _too_few(tokens)
    elif over_all < rate:
        says, verdict = _there(seen, key_id, rate), Verdict.OK
    else:
        says = _not_found(seen, rate)
    reason = Reason(says=says, holds=Truth.TRUE if verdict is Verdict.OK else Truth.UNKNOWN)
    return TextRead(verdict=verdict, reason=reason, tokens=tokens, p_value=over_all, mean=mean, key_id=key_id)


def _too_few(tokens: int) -> Text:
    return Text(
        zh=f"可供检测的词元只有 {tokens} 个，至少需要 {LEAST_TOKENS} 个，未能判断。",
        en=f"Only {tokens} tokens can witness, and {LEAST_TOKENS} are the least: this cannot be told.",
    )


def _there(seen: Text, key_id: str, rate: float) -> Text:
    return Text(
        zh=f"找到密钥 {key_id} 的水印：{seen.zh}，低于 {rate:g}。"
        "文本或其一部分由持有该密钥的引擎生成；这不说明此后未被改动。",
        en=f"The watermark of key {key_id} was found: {seen.en}, below {rate:g}. An engine that holds the key "
        "generated the text or a part of it; that says nothing of changes since.",
    )


def _not_found(seen: Text, rate: float) -> Text:
    return Text(
        zh=f"没有找到水印，无法判断：{seen.zh}，不低于 {rate:g}。这不表示文本出自人手：改写、翻译都会使水印丢失。",
        en=f"No watermark was found, so this cannot be told: {seen.en}, not below {rate:g}. It does not mean that a "
        "human wrote the text: rewriting or translating loses the mark.",
    )
