"""Every number of the records, and why it is that number."""

from dataclasses import dataclass

HEAD_EVERY_SECONDS = 1.0
"""What was written longer ago than this is signed: the promise 'a change older than one second is found'.  One
Ed25519 signature and one sync a second cost about 0.5 % of one core and of the disk's time."""

ROOM_BYTES = 1024 * 1024
"""After a failure the disk must have room for this much before records are accepted again: some hundreds of them."""

SYNC_AFTER_SECONDS = 0.01
"""Records that nobody waits for are synced this long after the first of them, all together: a sync costs some 100 µs of
a core, so a hundred a second are 1 %.  A loss of power takes at most these and what the sync under way holds."""

MAX_ID = 80
"""The house's ids have 30 characters; 80 is what its tables hold."""

MAX_LINE_BYTES = 64 * 1024 * 1024
"""No line is longer, so that a reader's memory is bounded: a 10 MiB body (the largest the belt accepts by default)
grows at most six-fold when every character must be escaped (RFC 8259, section 7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a writer keeps to.

    Attributes:
        segment_records: A segment is sealed at this many records: proving one reads one segment, and 65 536 lines
            of 1.6 KB are read in about a second.
        segment_bytes: Or at this size, for records that are large: a quarter gigabyte is still read in seconds.
        segment_seconds: Or at this age: an hour after an exchange at the latest the ledger holds its root, and
            24 ledger entries a day drown nobody.
        queue_records: Over this many waiting records the belt fails closed: at 24 000 records a second (measured
            with groups of 128) a full queue is a third of a second of lag.
        queue_bytes: Or over this many waiting bytes, so that large bodies cannot exhaust memory.
        lag_seconds: Or when the disk has not answered for so long: a healthy sync takes 5 ms, a busy one 100 ms;
            two seconds is a disk that hangs.
        probe_seconds: How often a failed writer tries the disk again: soon enough that people see traffic resume
            at once, rare enough to cost nothing.
    """

    segment_records: int = 65_536
    segment_bytes: int = 256 * 1024 * 1024
    segment_seconds: float = 3600.0
    queue_records: int = 8_192
    queue_bytes: int = 128 * 1024 * 1024
    lag_seconds: float = 2.0
    probe_seconds: float = 0.5
