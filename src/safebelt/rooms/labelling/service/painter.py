"""A process that puts notice and watermark into contents on their way, with bounded memory and nothing to lose.

Decoders of pictures, sound and films meet bytes that a model's service sent.  They run here, once for each answer: no
database, no key but the watermark's, no network (where the system lets a process give it up).  Whoever waits for it
ends it, and what it started, when it takes too long.
"""

import os
import sys
from pathlib import Path

import msgspec

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import files
from safebelt.rooms.labelling.formats.carrier import Broken
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Mark
from safebelt.rooms.labelling.provenance import scanning
from safebelt.rooms.labelling.provenance.pixels import RASTER
from safebelt.rooms.labelling.service.confining import confine
from safebelt.rooms.labelling.service.essence import NOT_READ_BACK, Essence
from safebelt.rooms.labelling.service.painting import MAX_MADE_BYTES, OUT_OF_MEMORY, Canvas, Job, Painted, made


def main(memory_bytes: int) -> None:
    """Be the process: do the job that comes by standard input, and say what became of it."""
    confine(memory_bytes, written_bytes=MAX_MADE_BYTES)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    try:
        asked = sys.stdin.buffer.read()
        if not asked:  # whoever started it is gone, or needs it no more
            return
        job = msgspec.msgpack.decode(asked, type=Job)
        answers.write(msgspec.msgpack.encode([_painted(one, job) for one in job.canvases]))
        answers.flush()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _painted(canvas: Canvas, job: Job) -> Painted:
    path, kind = Path(canvas.path), Kind(canvas.kind)
    watermark = (canvas.ident, job.key) if Mark.WATERMARK in canvas.marks and job.key else None
    essence = Essence(marks=canvas.marks, lang=canvas.lang, font=Path(job.font), watermark=watermark)
    try:
        with files.opened(path) as (_, data):
            whole = essence.into(path, data, kind, path)
            if whole is data or not essence.put:
                return Painted(left=essence.left)
            made(path).write_bytes(whole)
    except Broken as broken:
        return Painted(broken=str(broken))
    except OSError as error:
        why = error.strerror or type(error).__name__
        no = Text(zh=f"无法写入结果：{why}。", en=f"What was made could not be written: {why}.")
        return Painted(left=dict.fromkeys(canvas.marks, no))
    if kind in RASTER and Mark.WATERMARK in essence.put and not _is_read_back(made(path), kind, canvas, job.key):
        del essence.put[Mark.WATERMARK]
        essence.left[Mark.WATERMARK] = NOT_READ_BACK
    return Painted(is_changed=bool(essence.put), put=essence.put, left=essence.left)


def _is_read_back(path: Path, kind: Kind, canvas: Canvas, key: bytes) -> bool:
    """Whether a picture's watermark comes through the picture's own encoding; sound and films held theirs already."""
    with files.opened(path) as (_, data):
        try:
            return scanning.ident_in(path, data, kind, key) == canvas.ident
        except Broken:
            return False


if __name__ == "__main__":
    main(int(sys.argv[1]))
