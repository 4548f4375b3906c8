"""The watermark in texts of the small real model that `make model` installs, in Chinese and English.

The model runs in this process, as the demonstration's does (llama.cpp).  For every token its own log-probabilities of
the 1,024 likeliest are taken, the logits processor puts the mark into them, and the next token is drawn: this is what
an engine does that has the plug-in.  Texts without a mark are drawn the same way, without the processor.
Every finished text is kept at once, so that a run that was broken off goes on where it was.
"""

import gettext
import json
import math
import pydoc_data.topics
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from safebelt.engines.models.local import find_model
from safebelt.rooms.labelling.watermark import text_chance
from safebelt.rooms.labelling.watermark.text import CONTEXT, Processor, read

RATES = (1e-2, 1e-3, 1e-4)
LENGTHS = (50, 100, 200)
_KEY = bytes(range(32))
_KEYS = 20
"""Other keys with which texts without a mark are read: each reading is one more chance of a mistake."""
_CONTEXT_TOKENS = 1024
_HUMAN_TEXTS = 100
_NEVER = -60.0
_LIKELIEST = 1024
"""Log-probabilities that are asked for: with them come 99.9 % of the chances in English, 98 % in Chinese."""
_ABOUT = {
    "en": ("a small harbour town", "repairing a bicycle", "soup for a cold evening", "the water of our river",
           "a fox who could read", "the night train", "a school garden", "old maps", "the first winter",
           "learning to swim", "a lost key", "bees and their keepers", "the town library"),
    "zh": ("港口小镇", "修理自行车", "冬天的一碗汤", "家乡的河", "会读书的狐狸", "夜行火车", "学校的菜园", "旧地图",
           "第一场雪", "学游泳", "丢失的钥匙", "养蜂人", "镇上的图书馆"),
}  # fmt: skip
_FORMS = {
    "en": ("The history of {} begins", "Dear friend, let me tell you about {}.", "In this article on {}, we",
           "Once upon a time there was a story about {}:"),
    "zh": ("下面是一篇关于{}的文章：", "亲爱的朋友，我想和你谈谈{}。", "从前有一个关于{}的故事：",
           "请介绍一下{}。答："),
}  # fmt: skip


class Engine:
    """The model, one token at a time.

    Args:
        port: A free one, on loopback, for the tokenizer alone.
    """

    def __init__(self, port: int) -> None:
        import xllamacpp  # noqa: PLC0415  only where the real model is measured

        params = xllamacpp.CommonParams()
        params.model.path = str(find_model())
        params.n_ctx, params.n_parallel, params.warmup = _CONTEXT_TOKENS, 1, False
        params.cpuparams.n_threads = 1
        params.hostnames, params.port = ["127.0.0.1"], port
        self._server = xllamacpp.Server(params)
        ends = [self.tokens(one, is_special=True) for one in ("<|endoftext|>", "<|im_end|>", "<|im_start|>")]
        self._ends = {one[0] for one in ends if len(one) == 1}
        self._line_end = self.tokens("\n")[0]
        self.vocabulary = 49152
        self.model_ms, self.put_ms = list[float](), list[float]()

    def tokens(self, text: str, *, is_special: bool = False) -> list[int]:
        """Return a text's tokens by the model's own tokenizer."""
        body = json.dumps({"content": text, "add_special": False, "parse_special": is_special}).encode()
        url = f"{self._server.listening_address}/tokenize"
        request = urllib.request.Request(url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return [int(one) for one in json.load(answer)["tokens"]]

    def _asked(self, ids: list[int], tokens: int, probabilities: int, **more: Any) -> list[dict[str, Any]]:
        asked = {
            "prompt": ids, "n_predict": tokens, "n_probs": probabilities, "cache_prompt": True, "ignore_eos": True,
            "temperature": 1.0, "top_k": _LIKELIEST, "top_p": 1.0, "min_p": 0.0, "stream": False,
            "repeat_penalty": 1.0, "samplers": ["top_k", "temperature"],
        } | more  # fmt: skip
        answer = self._server.handle_completions(asked)
        return list(answer["choices"][0]["logprobs"]["content"])

    def scores(self, ids: list[int]) -> np.ndarray[Any, Any]:
        """Return log-probabilities of the next token, shape (vocabulary,); all but the likeliest are next to none."""
        made = np.full(self.vocabulary, _NEVER, dtype=np.float32)
        whole = [[self._line_end, 1000.0]]  # drawn and thrown away: of a part of a character nothing would be said
        for one in self._asked(ids, 1, _LIKELIEST, logit_bias=whole)[0]["top_logprobs"]:
            made[one["id"]] = one["logprob"]
        made[list(self._ends)] = -np.inf  # every text is as long as the next
        return made

    def drawn(
        self, ids: list[int], tokens: int, seed: int, processor: Processor | None
    ) -> tuple[list[int], list[float], list[float]]:
        """Return a text, with the mark or without, each token's log-probability, and the bits of choice it had."""
        chance, all_ids = np.random.default_rng(seed), list(ids)
        logs, bits = list[float](), list[float]()
        for _ in range(tokens):
            began = time.perf_counter()
            scores = self.scores(all_ids)
            asked = time.perf_counter()
            made = np.asarray(scores if processor is None else processor(np.array(all_ids), scores), dtype=np.float64)
            put = time.perf_counter()
            chances, plain = np.exp(made - made.max()), np.exp(scores.astype(np.float64))
            token = int(chance.choice(self.vocabulary, p=chances / chances.sum()))
            plain /= plain.sum()
            bits.append(float(-(plain[plain > 0] * np.log2(plain[plain > 0])).sum()))
            logs.append(float(np.log(plain[token])))
            all_ids.append(token)
            self.model_ms.append((asked - began) * 1e3)
            self.put_ms.append((put - asked) * 1e3)
        return all_ids[len(ids) :], logs, bits


def prompts(lang: str) -> list[str]:
    """Return the openings in a language."""
    return [form.format(about) for about in _ABOUT[lang] for form in _FORMS[lang]]


def run(state: Path, port: int, tokens: int, minutes: float) -> dict[str, Any]:
    """Draw what is not drawn yet, and return what all of it shows.

    Args:
        state: File with one finished text a line.
        port: A free one.
        tokens: Of each text.
        minutes: Of processor time, after which no new text is begun.

    Returns:
        The figures; of fewer texts, where time was over before.
    """
    done = [json.loads(line) for line in state.read_text("utf-8").splitlines()] if state.exists() else []
    known, engine = {(one["lang"], one["prompt"], one["kind"]) for one in done}, Engine(port)
    with state.open("a", encoding="utf-8") as out:
        for lang, prompt, kind, seed in _wanted():
            if (lang, prompt, kind) in known or time.process_time() > minutes * 60:
                continue
            mark, processor = len(engine.put_ms), Processor(_KEY) if kind == "marked" else None
            ids, logs, bits = engine.drawn(engine.tokens(prompt), tokens + CONTEXT, seed, processor)
            one = {
                "lang": lang, "prompt": prompt, "kind": kind, "ids": ids, "log": float(np.mean(logs)),
                "bits": float(np.mean(bits)),
                "put_ms": float(np.median(engine.put_ms[mark:])),
                "model_ms": float(np.median(engine.model_ms[mark:])),
            }  # fmt: skip
            done.append(one)
            out.write(json.dumps(one) + "\n")
            out.flush()
    return _shown(done, {lang: list(_human(lang, engine, tokens + CONTEXT)) for lang in _ABOUT}, tokens)


def _wanted() -> Iterator[tuple[str, str, str, int]]:
    """Yield language, opening, kind and seed, the languages in turn, so that a run cut short has both."""
    for number, pair in enumerate(zip(prompts("en"), prompts("zh"), strict=True)):
        for lang, prompt in zip(("en", "zh"), pair, strict=True):
            for kind in _KINDS[: 2 - number % 2]:  # for every second opening, a text without
                yield lang, prompt, kind, 2 * number + (kind == "plain")


def _human(lang: str, engine: Engine, tokens: int) -> Iterator[list[int]]:
    """Yield pieces of what people wrote: Python's language reference; the Chinese of programs' help and messages."""
    text = "\n".join(pydoc_data.topics.topics.values()) if lang == "en" else "\n".join(_messages())
    ids = engine.tokens(text[:600_000])
    for at in range(0, min(len(ids) - tokens, _HUMAN_TEXTS * tokens), tokens):
        yield ids[at : at + tokens]


def _messages() -> Iterator[str]:
    for path in sorted(Path("/usr/share/locale/zh_CN/LC_MESSAGES").glob("*.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
        for said in getattr(catalogue, "_catalog", {}).values():  # it has no other way to list them
            if isinstance(said, str) and len(said) > 60:
                yield said


def _shown(done: list[dict[str, Any]], human: dict[str, list[list[int]]], tokens: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": "SmolLM2-135M-Instruct.Q4_1 (Apache-2.0), llama.cpp, temperature 1, top 1,024",
        "date": datetime.now(UTC).date().isoformat(),
        "tokens": tokens,
        "threads": 1,
    }
    for lang in _ABOUT:
        groups = {kind: [one for one in done if (one["lang"], one["kind"]) == (lang, kind)] for kind in _KINDS}
        found[lang] = {kind: len(group) for kind, group in groups.items()} | {
            "human": len(human[lang]),
            "bits_per_token": _mean([one["bits"] for one in groups["marked"]]),
            "found": _found([one["ids"] for one in groups["marked"]]),
            "mean_log_probability": {kind: _mean([one["log"] for one in group]) for kind, group in groups.items()},
            "marked_over_unmarked": _paired(groups),
            "perplexity": {
                kind: round(math.exp(-_mean([one["log"] for one in group])), 2) for kind, group in groups.items()
            },
            "distinct_words_of_four": {
                kind: _mean([_distinct(one["ids"]) for one in group]) for kind, group in groups.items()
            },
            "by_mistake": {
                "unmarked": _mistaken([one["ids"] for one in groups["plain"]]),
                "human": _mistaken(human[lang]),
                "marked, other keys": _mistaken([one["ids"] for one in groups["marked"]], is_own_key=False),
            },
        }
    marked = [one for one in done if one["kind"] == "marked"]
    found["model_ms_a_token"] = round(float(np.median([one["model_ms"] for one in marked])), 2)
    found["put_ms_a_token"] = round(float(np.median([one["put_ms"] for one in marked])), 2)
    return found


_KINDS = ("marked", "plain")


def _paired(groups: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Return by how much marked texts are likelier than those without a mark to the same opening, a token."""
    plain = {one["prompt"]: one["log"] for one in groups["plain"]}
    more = [one["log"] - plain[one["prompt"]] for one in groups["marked"] if one["prompt"] in plain]
    error = float(np.std(more) / math.sqrt(len(more))) if more else math.nan
    return {"pairs": len(more), "mean": _mean(more), "standard_error": round(error, 4)}


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 4) if values else math.nan


def _distinct(ids: list[int]) -> float:
    fours = [tuple(ids[at : at + CONTEXT]) for at in range(len(ids) - CONTEXT + 1)]
    return len(set(fours)) / len(fours)


def _found(texts: list[list[int]]) -> dict[str, dict[str, float]]:
    shown = {}
    for length in LENGTHS:
        chances = [text_chance.chance(read(_KEY, one[: length + CONTEXT])) for one in texts]
        shown[f"{length} tokens"] = {f"rate {rate:g}": _mean([one < rate for one in chances]) for rate in RATES}
    return shown


def _mistaken(texts: list[list[int]], *, is_own_key: bool = True) -> dict[str, float]:
    """Return how many readings there were of texts that do not carry the key's mark, and how many found one."""
    keys = [bytes([number + 1]) * 32 for number in range(_KEYS)] + ([_KEY] if is_own_key else [])
    chances = [text_chance.chance(read(key, one)) for one in texts for key in keys]
    return {"readings": len(chances)} | {f"rate {rate:g}": sum(one < rate for one in chances) for rate in RATES}
