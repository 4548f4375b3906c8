"""What was measured of the watermark in text, as a page."""

from typing import Any

_LANGS = {"en": "English", "zh": "Chinese"}
_SAID = {
    "unmarked": "texts of the same model without a mark",
    "human": "texts that people wrote",
    "marked, other keys": "marked texts, read with other keys",
}


def written(kept: dict[str, Any]) -> str:
    """Return the page."""
    lines = ["# The watermark in generated text", "", *_local(kept.get("local")), *_toy(kept.get("toy") or [])]
    costs = kept.get("costs")
    if costs:
        lines += [
            f"Cost at a vocabulary of 150,000: {costs['put_ms_a_token']} ms a token to put the mark in, "
            f"{costs['read_ms_a_token']:.3f} ms to read it (`python -m bench.textmark`).",
            "",
        ]
    return "\n".join(lines)


def _local(found: dict[str, Any] | None) -> list[str]:
    if not found:
        return []
    lines = [
        f"## A real model: {found['model']}",
        "",
        f"{found['date']}, one thread. `make model`, then `python -m bench.textmark --local` (a quarter of an hour of "
        "processor time; broken off, it goes on where it was). The logits processor works on the model's own "
        "log-probabilities; a text is found where its computed p-value is below the rate.",
        "",
        "| | marked texts | bits of choice a token | found at 50 tokens, p < 10⁻⁴ | at 100 | at 200 |",
        "|---|---|---|---|---|---|",
    ]
    for lang, name in _LANGS.items():
        one = found[lang]
        rates = " | ".join(f"{one['found'][f'{length} tokens']['rate 0.0001']:.0%}" for length in (50, 100, 200))
        lines.append(f"| {name} | {one['marked']} | {one['bits_per_token']:.2f} | {rates} |")
    lines += ["", "| found by mistake | readings | p < 0.01 | p < 0.001 | p < 0.0001 |", "|---|---|---|---|---|"]
    for lang, name in _LANGS.items():
        for key, said in _SAID.items():
            one = found[lang]["by_mistake"][key]
            counts = " | ".join(str(one[f"rate {rate}"]) for rate in ("0.01", "0.001", "0.0001"))
            lines.append(f"| {name}: {said} | {one['readings']} | {counts} |")
    lines += ["", "| quality | marked | unmarked |", "|---|---|---|"]
    for lang, name in _LANGS.items():
        for key in ("mean_log_probability", "perplexity", "distinct_words_of_four"):
            one = found[lang][key]
            lines.append(f"| {name}: {key.replace('_', ' ')} | {one['marked']} | {one['plain']} |")
    for lang, name in _LANGS.items():
        one = found[lang]["marked_over_unmarked"]
        lines += [
            "",
            f"{name}: a token of a marked text is {one['mean']:+.2f} ± {one['standard_error']:.2f} (natural logarithm, "
            f"standard error, {one['pairs']} pairs) likelier to the model than one of an unmarked text to the same "
            "opening.",
        ]
    alone = found.get("alone_ms_a_token")
    return [
        *lines,
        "",
        f"The model takes {found['model_ms_a_token']} ms a token here (with the transfer of its log-probabilities, "
        f"on a machine that others used too), the processor {found['put_ms_a_token']} ms more."
        + (f" With the machine to itself (60 tokens): {alone[0]} and {alone[1]} ms." if alone else ""),
        "",
        "People's texts: Python's language reference; the Chinese of programs' help and messages. Quality is what the "
        "model itself thinks of the drawn tokens, no reader's judgment; the model is small, and its Chinese is poor, "
        "so that there is more to choose from than in a large model's. One key makes the same choice after the same "
        "four tokens in every text: texts of one key are less varied than the model's own, where such contexts come "
        "again. "
        "Texts that were edited, translated or mixed "
        "with others were not tried.",
        "",
    ]


def _toy(found: list[dict[str, Any]]) -> list[str]:
    if not found:
        return []
    lengths = (50, 100, 200, 400)
    lines = [
        "## Toy models (Zipf laws)",
        "",
        "`python -m bench.textmark`; found at a rate of 10⁻⁴, and by mistake at 10⁻².",
        "",
        "| bits a token | " + " | ".join(f"{one} tokens" for one in lengths) + " | by mistake at 200 |",
        "|---|" + "---|" * (len(lengths) + 1),
    ]
    for one in found:
        rates = " | ".join(f"{one[f'{length} tokens, rate 0.0001']['found']:.0%}" for length in lengths)
        mistaken = one["200 tokens, rate 0.01"]["by_mistake"]
        lines.append(f"| {one['bits_per_token']} | {rates} | {mistaken:.1%} |")
    return [*lines, ""]
