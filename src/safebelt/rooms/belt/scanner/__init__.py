"""The belt's scanner: finds words and personal data in texts, whole or as they stream.

    >>> scanner = Scanner(policy)
    >>> scanner.scan("电话13812345678。", Side.INPUT)
    [RawHit(rule='personal.phone', detector='cn_mobile', start=2, end=13)]

A text is read through its encodings (`source`, `decode`), folded (`chars`, `fold`), and read for words in three views
(`terms`, `views`, `words`) and for personal data (`detectors`).  `engine` does so for whole texts: words by trees in C
(`_words.c`), hints of everything else by one Hyperscan database (`patterns`); where there is no wheel for that, in
plain Python with the same findings.  `stream` does so piece by piece.  `policies` reads what to look for, and is
imported where files are read: what a belt serves by was read before.  The tables (`tables`) come from published data,
see `tools/gen_scanner_tables.py`.
"""

from typing import TYPE_CHECKING

from safebelt.kernel.rooms import later
from safebelt.rooms.belt.scanner.engine import Scanner, mask_all
from safebelt.rooms.belt.scanner.stream import Released, StreamScreen

if TYPE_CHECKING:
    from safebelt.rooms.belt.scanner.policies import Source, load_policies, read_kept, read_source

__all__ = [
    "Released",
    "Scanner",
    "Source",
    "StreamScreen",
    "load_policies",
    "mask_all",
    "read_kept",
    "read_source",
]

__getattr__ = later(__name__, {"policies": "Source load_policies read_kept read_source"})
