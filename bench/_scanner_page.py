"""The page that shows what `bench.scanner` measured."""

from typing import Any

from bench._evasions import EVASIONS


def page(result: dict[str, Any]) -> str:
    """Return the page of a measurement."""
    lines = [
        "# The scanner, measured",
        "",
        f"`python -m bench.scanner` on {result['machine']}, Python {result['python']}, {result['on']}. CPU time of one "
        "process, median of interleaved rounds; read ratios rather than absolutes.",
        "",
    ]
    for key, title in (("speed", "10,000 words"), ("large", "50,000 words")):
        lines += _speed_lines(title, result[key]) if key in result else []
    if "recall" in result:
        lines += ["## Evasions found", "", "| written | zh | en |", "|---|---|---|"]
        lines += [f"| {n} | {_share(row.get('zh'))} | {_share(row.get('en'))} |" for n, row in result["recall"].items()]
        lines.append("")
    if "false_hits" in result:
        false = result["false_hits"]
        lines += [
            "## Extra hits on honest texts",
            "",
            f"{false['extra']} in {false['texts']} texts of 1,500 characters (the repository's pages and laws, package "
            f"descriptions): {', '.join(map(repr, false['shown'])) or 'none'}.",
            "",
        ]
    if "stream" in result:
        one = result["stream"]
        held = ", ".join(f"{kind} {value:.2f}" for kind, value in one["mean_held"].items())
        lines += [
            "## Streams",
            "",
            f"{one['runs']} streams of {one['words']} words, each written in {len(EVASIONS)} ways and cut at many "
            "places and one character at a time: forbidden characters delivered in "
            f"**{one['leaked']}**. Characters held, mean: {held}. "
            f"{one['us_per_delta']:.1f} µs of CPU a delta of 1–6 characters.",
            "",
        ]
    return "\n".join(lines)


def _speed_lines(title: str, one: dict[str, Any]) -> list[str]:
    by_kind = ", ".join(f"{kind} {rate:.0f}" for kind, rate in one["by_kind"].items())
    return [
        f"## Speed, {title}",
        "",
        "| engine | MB/s |",
        "|---|---|",
        *(f"| {name} | {rate:.2f} |" for name, rate in one["mb_per_s"].items()),
        "",
        f"By language: {by_kind} MB/s. Texts of {one['mean_bytes']:.0f} bytes on average. {one['patterns']} spellings, "
        f"loaded in {one['load_s']:.2f} s of CPU, in {one['kept_s']:.2f} s once compiled; "
        f"{one['without_pinyin']} terms without pinyin.",
        "",
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
