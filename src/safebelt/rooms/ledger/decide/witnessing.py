"""What a witness is asked, how it stands to what was cosigned before, and what it answers (C2SP tlog-witness)."""

from safebelt.kernel import merkle
from safebelt.rooms.ledger.decide.steps import encode, hash_of, number, parse_checkpoint
from safebelt.rooms.ledger.model import Standing, Submission

MAX_PATH = 63
"""Most lines of a proof; the specification allows no more."""
MAX_SUBMISSION_BYTES = 512 * 1024
"""A proof, and a note with a hundred signatures, the longest of which have 3.3 kB."""
SIZE_MEDIA_TYPE = "text/x.tlog.size"


def read_submission(text: str) -> Submission:
    """Read the body of `add-checkpoint`.

    Raises:
        ValueError: It is none.
    """
    head, separator, note = text.partition("\n\n")
    old, *path = head.split("\n")
    if not separator or not old.startswith("old ") or len(path) > MAX_PATH:
        raise ValueError("not a submission")
    return Submission(
        old=number(old.removeprefix("old ")),
        path=tuple(hash_of(line) for line in path),
        checkpoint=parse_checkpoint(note),
    )


def write_submission(submission: Submission) -> str:
    """Return the body of `add-checkpoint`."""
    lines = [f"old {submission.old}", *map(encode, submission.path), "", submission.checkpoint.note]
    return "\n".join(lines)


def stand(asked: Submission, size: int, root: bytes | None) -> Standing:
    """Judge a submission whose signature was verified.

    Args:
        asked: What is to be cosigned.
        size: Of the largest checkpoint of that log cosigned before; 0 where there is none.
        root: Its root; None where there is none.
    """
    new = asked.checkpoint
    if asked.old > new.size:
        return Standing.IMPOSSIBLE
    if asked.old != size:
        return Standing.STALE
    if new.size == 0 or size == 0:
        is_fit = not asked.path and (new.size > 0 or new.root == merkle.EMPTY_ROOT)
    else:
        is_fit = root is not None and merkle.verify_consistency(size, new.size, asked.path, root, new.root)
    return Standing.FIT if is_fit else Standing.INCONSISTENT


def read_size(text: str) -> int:
    """Read the body of a 409: the size that the witness knows.

    Raises:
        ValueError: It is something else.
    """
    if not text.endswith("\n"):
        raise ValueError("a size ends in a newline")
    return number(text.removesuffix("\n"))
