"""The watermark in generated text: how often it is found, how often by mistake, and what it costs.

Run: `python -m bench.textmark` for a toy model, drawn from Zipf laws of several entropies.  With the small real model
that `make model` installs: `python -m bench.textmark --local`, which goes on where a run was broken off.  With another
real model, and
Hugging Face's own SynthID-Text processor beside ours, in an environment that has `torch`, `transformers` and `gguf`:
`python -m bench.textmark --model FOLDER --file MODEL.gguf`.  Texts are drawn at temperature 1 from the whole
vocabulary.  Rates are of this run: 0 of n found by mistake says less than 3/n (95 %).
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from safebelt.rooms.labelling.watermark import text_chance
from safebelt.rooms.labelling.watermark.text import CONTEXT, LAYERS, Processor, read, tournament

RESULTS = Path(__file__).parent / "results" / "textmark.json"
LENGTHS = (50, 100, 200, 400)
RATES = (1e-2, 1e-4)
_KEY, _OTHER = bytes(range(32)), bytes(range(1, 33))
_VOCABULARY = 2000
_OPENINGS = (
    "The history of the small harbour town begins", "Dear neighbours, last week the council decided",
    "To repair a bicycle wheel at home, first", "Once upon a time, a fox who could read",
    "In the laboratory the students measured", "My grandmother's recipe for soup starts with",
    "The report on water quality explains that", "When the train stopped in the tunnel,",
)  # fmt: skip


def toy(texts: int) -> list[dict[str, Any]]:
    """Return rates for toy models whose next token depends on the last two by a Zipf law."""
    chance, found = np.random.default_rng(11), list[dict[str, Any]]()
    for power in (2.9, 2.6, 2.0, 1.6, 1.3):
        base = np.arange(1, _VOCABULARY + 1, dtype=np.float64) ** -power
        base /= base.sum()
        logs, marked, plain = np.log(base), list[list[int]](), list[list[int]]()
        for group, processor in ((marked, Processor(_KEY)), (plain, None)):
            for _ in range(texts):
                group.append(_toy_text(logs, processor, chance))
        bits = float(-(base * np.log2(base)).sum())
        found.append({"bits_per_token": round(bits, 2), "texts": texts} | _rates(marked, plain))
    return found


def _toy_text(logs: np.ndarray[Any, Any], processor: Processor | None, chance: np.random.Generator) -> list[int]:
    ids = [int(one) for one in chance.integers(0, _VOCABULARY, CONTEXT)]
    while len(ids) < max(LENGTHS) + CONTEXT:
        scores = np.roll(logs, (ids[-1] * 7919 + ids[-2] * 104729) % _VOCABULARY)
        made = scores if processor is None else processor(np.array(ids), scores)
        chances = np.exp(made - made.max())
        ids.append(int(chance.choice(_VOCABULARY, p=chances / chances.sum())))
    return ids


def _rates(marked: Sequence[list[int]], plain: Sequence[list[int]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for length in LENGTHS:
        if length + CONTEXT > max(map(len, marked)):
            continue
        cut = [[one[: length + CONTEXT] for one in group] for group in (marked, plain)]
        chances = [[text_chance.chance(read(_KEY, one)) for one in group] for group in cut]
        other = [text_chance.chance(read(_OTHER, one)) for one in cut[0]]
        for rate in RATES:
            found[f"{length} tokens, rate {rate:g}"] = {
                "found": float(np.mean([one < rate for one in chances[0]])),
                "by_mistake": float(np.mean([one < rate for one in chances[1] + other])),
            }
    return found


def costs() -> dict[str, float]:
    """Return milliseconds a token, to put the mark in at a vocabulary of 150,000, and to read it."""
    chance = np.random.default_rng(3)
    scores, ids = chance.normal(0, 3, 150_000).astype(np.float32), chance.integers(0, 150_000, 500)
    processor = Processor(_KEY)
    put = _milliseconds(lambda: processor(ids, scores), 50)
    return {"put_ms_a_token": put, "read_ms_a_token": _milliseconds(lambda: read(_KEY, ids.tolist()), 10) / 496}


def _milliseconds(do: Callable[[], Any], times: int) -> float:
    taken = list[float]()
    for _ in range(times):
        began = time.perf_counter()
        do()
        taken.append((time.perf_counter() - began) * 1e3)
    return round(float(np.median(taken)), 4)


def real(folder: str, file: str, texts: int, tokens: int) -> dict[str, Any]:
    """Return the same for a real model, with Hugging Face's processor in the same run."""
    import torch  # noqa: PLC0415  only where a real model is measured
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415
    from transformers.generation.logits_process import SynthIDTextWatermarkLogitsProcessor  # noqa: PLC0415

    torch.manual_seed(5)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file).eval()
    keys = [int(one) for one in np.random.default_rng(9).integers(1, 1 << 30, LAYERS)]
    theirs = SynthIDTextWatermarkLogitsProcessor(CONTEXT + 1, keys, 1 << 16, 0, 1024, torch.device("cpu"))
    bits = list[float]()
    made = {
        name: _sampled(model, tokenizer, processor, texts, tokens, bits)
        for name, processor in (("ours", Processor(_KEY)), ("plain", None), ("theirs", theirs))
    }
    rates = _rates(made["ours"], made["plain"])
    return {
        "model": file,
        "texts": texts,
        "bits_per_token": round(float(np.mean(bits)), 2),
        "ours": rates,
        "theirs": _their_rates(theirs, made["theirs"], made["plain"]),
        "same_tournament": _same(theirs),
    }


def _sampled(model: Any, tokenizer: Any, processor: Any, texts: int, tokens: int, bits: list[float]) -> list[list[int]]:
    import torch  # noqa: PLC0415  as above

    openings = [_OPENINGS[i % len(_OPENINGS)] for i in range(texts)]
    tokenizer.padding_side, tokenizer.pad_token = "left", tokenizer.eos_token
    given = tokenizer(openings, return_tensors="pt", padding=True)
    ids, mask, past, made = given["input_ids"], given["attention_mask"], None, list[Any]()
    with torch.no_grad():
        for _ in range(tokens + CONTEXT):
            out = model(ids if past is None else ids[:, -1:], attention_mask=mask, past_key_values=past, use_cache=True)
            past, scores = out.past_key_values, out.logits[:, -1, :].float()
            scores[:, tokenizer.eos_token_id] = -torch.inf  # every text is as long as the next
            logs = torch.log_softmax(scores, dim=1)
            bits.append(float(-(logs.exp() * logs.clamp(min=-80)).sum(dim=1).mean() / np.log(2)))
            drawn = torch.multinomial(torch.softmax(scores if processor is None else processor(ids, scores), 1), 1)
            made.append(drawn)
            ids, mask = torch.cat([ids, drawn], 1), torch.cat([mask, torch.ones_like(drawn)], 1)
    return [[int(one) for one in row] for row in torch.cat(made, 1)]


def _their_rates(theirs: Any, marked: Sequence[list[int]], plain: Sequence[list[int]]) -> dict[str, Any]:
    """Read their marks with their functions, and take the chance of the mean as ours is taken."""
    import torch  # noqa: PLC0415  as above

    found: dict[str, Any] = {}
    for length in (one for one in LENGTHS if one + CONTEXT <= len(marked[0])):
        chances = list[list[float]]()
        for group in (marked, plain):
            ids = torch.tensor([one[: length + CONTEXT] for one in group])
            bits = theirs.compute_g_values(ids).numpy()
            kept = theirs.compute_context_repetition_mask(ids).numpy().astype(bool)
            packed = [
                (row[mask] << np.arange(LAYERS)).sum(axis=1).astype(np.uint32)
                for row, mask in zip(bits, kept, strict=True)
            ]
            chances.append([text_chance.chance(one) for one in packed])
        for rate in RATES:
            found[f"{length} tokens, rate {rate:g}"] = {
                "found": float(np.mean([one < rate for one in chances[0]])),
                "by_mistake": float(np.mean([one < rate for one in chances[1]])),
            }
    return found


def _same(theirs: Any) -> float:
    """Return the largest difference between their tournament and ours, given the same bits."""
    import torch  # noqa: PLC0415  as above

    chance = np.random.default_rng(2)
    scores, bits = chance.normal(0, 2, 500), chance.integers(0, 2, (500, LAYERS))
    packed = (bits << np.arange(LAYERS)).sum(axis=1).astype(np.uint32)
    ours = tournament(np.exp(scores) / np.exp(scores).sum(), packed)
    made = theirs.update_scores(torch.tensor(scores)[None], torch.tensor(bits)[None])
    return float(np.abs(np.exp(made[0].numpy()) - ours).max())


def page(kept: dict[str, Any]) -> str:
    """Return the figures for readers."""
    from bench._textmark_page import written  # noqa: PLC0415  words

    return written(kept)


def main() -> None:
    """Measure, print, and keep the results."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--texts", type=int, default=60)
    ask.add_argument("--tokens", type=int, default=200)
    ask.add_argument("--model", default="", help="folder of a real model")
    ask.add_argument("--file", default="", help="its GGUF file")
    ask.add_argument("--local", action="store_true", help="the small real model of `make model`")
    ask.add_argument("--minutes", type=float, default=15.0, help="processor time after which no new text is begun")
    ask.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "textmark-local.jsonl")
    ask.add_argument("--port", type=int, default=18977, help="a free one, for the local model's tokenizer")
    given = ask.parse_args()
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    if given.local:
        from bench._textmark_local import run  # noqa: PLC0415  only where a model is installed

        kept["local"] = run(given.state, given.port, given.tokens, given.minutes)
    elif given.model:
        kept["real"] = real(given.model, given.file, given.texts, given.tokens)
    else:
        kept |= {"toy": toy(given.texts), "costs": costs()}
    print(json.dumps(kept, indent=2))
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")
    RESULTS.with_suffix(".md").write_text(page(kept), "utf-8")


if __name__ == "__main__":
    main()
