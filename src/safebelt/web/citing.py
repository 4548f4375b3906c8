"""What a reason rests on, as people write it: `eu/ai-act#art_12__para_1` is *eu/ai-act, Art. 12, para. 1*.

The rulebook knows titles; this kit knows none, so it only reads what the ids themselves say, and leaves the rest.
"""

import re
from collections.abc import Iterable, Mapping

from safebelt.kernel.text import Lang, Text

_OWN_ID = re.compile(r"[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}")
"""An id of this house (`kernel.ids`): it says nothing to a reader."""
_NORM = re.compile(r"[a-z]{2,5}\.[a-z0-9.-]+\.[a-z0-9_]+")
_PIECE = re.compile(r"([a-z]+)_([0-9]+[a-z]*|[ivxlc]+|[a-z])(?:_([0-9]+))?")
"""What a place is called, its number or letter, and a number within: `annex_a_4` is *Annex A.4*."""
_WORDS: Mapping[str, Text] = {
    "art": Text(zh="第{}条", en="Art. {}"),
    "para": Text(zh="第{}款", en="para. {}"),
    "point": Text(zh="第{}项", en="point {}"),
    "annex": Text(zh="附件{} ", en="Annex {}"),
    "sec": Text(zh="{}节", en="Section {}"),
    "section": Text(zh="{}节", en="Section {}"),
    "line": Text(zh="第{}条", en="line {}"),
    "p": Text(zh="第{}段", en="p. {}"),
    "dim": Text(zh="维度{}", en="dimension {}"),
    "criterion": Text(zh="标准{}", en="criterion {}"),
}


def cite_label(cite: str, lang: Lang, names: Mapping[str, Text] | None = None) -> str:
    """Return a citation as people write it.

    Args:
        cite: A provision's id, `<instrument>#<place>`; anything else is returned as it is.
        lang: For whom.
        names: What instruments are called, by id; one that is not in it goes by its id.

    Example:
        >>> cite_label("eu/ai-act#annex_viii__sec_a__point_5", "en")
        'eu/ai-act, Annex VIII, Section A, point 5'
    """
    instrument, mark, place = cite.partition("#")
    if not mark:
        return cite
    name = names[instrument].in_(lang) if names and instrument in names else instrument
    told = [_piece(each, lang) for each in place.split("__")]
    return f"{name} {''.join(told)}".rstrip() if lang == "zh" else ", ".join((name, *told))


def cited(cites: Iterable[str], lang: Lang) -> list[tuple[str, str]]:
    """Return what a reason rests on as pairs of label and path after the language; a path is empty where none is known.

    Ids of this house are left out, except evidence, which has a page: the sentence before them says what they are.
    """
    found = []
    for cite in cites:
        if cite.startswith("evd_"):
            found.append((Text(zh="这份证据", en="this evidence").in_(lang), f"registry/evidence/{cite}"))
        elif not _OWN_ID.fullmatch(cite):
            found.append((cite_label(cite, lang), _path(cite)))
    return found


def _path(cite: str) -> str:
    if "#" in cite:
        return f"rulebook/instruments/{cite}"
    return f"rulebook/norms/{cite}" if _NORM.fullmatch(cite) else ""


def _piece(piece: str, lang: Lang) -> str:
    found = _PIECE.fullmatch(piece)
    if found is None or found[1] not in _WORDS:
        return piece.replace("_", " ")
    number = found[2].upper() if found[1] in ("annex", "sec", "section") else found[2]
    number += f".{found[3]}" if found[3] else ""
    return _WORDS[found[1]].in_(lang).format(number)
