"""The belt's scanner: finds words and personal data in texts, whole or as they stream.

    >>> scanner = Scanner(policy)
    >>> scanner.scan("电话13812345678。", Side.INPUT)
    [RawHit(rule='personal.phone', detector='cn_mobile', start=2, end=13)]

The seam for a faster engine is `engine.Scanner`: `scan`, `words`, `finders`.  Everything else (folding, policies,
messages, streams, masking) works with any engine that gives the same findings.
"""

from safebelt.rooms.belt.scanner.engine import Scanner, mask_all
from safebelt.rooms.belt.scanner.policies import load_policies
from safebelt.rooms.belt.scanner.stream import Released, StreamScreen

__all__ = ["Released", "Scanner", "StreamScreen", "load_policies", "mask_all"]
