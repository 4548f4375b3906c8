"""How much foreign input is taken, and how it is told what is wrong."""

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.imports import Trouble

MAX_FILE_BYTES = 64_000_000
"""One file: a hundred thousand records of the longest registers known."""
MAX_RECORDS = 100_000
"""Records of one import, all of which are held at once; a larger register comes in several files."""
MAX_FILES = 10_000
MAX_DEPTH = 12
"""Deepest nesting of a record; the deepest known, a model card's results, has six."""
MAX_CELL = 20_000
"""Characters of one value: four times the longest field of any register known."""
MAX_COLUMNS = 500


class Unfit(Exception):  # noqa: N818  it is no error of the program
    """A file or record that cannot be used.

    Args:
        trouble: What is wrong, where, and what to do.
    """

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.says.en)
        self.trouble = trouble


def unfit(where: str, says: Text, hint: Text | None = None) -> Unfit:
    """Return the exception that says what is wrong."""
    return Unfit(Trouble(where=where, says=says, hint=hint or Text(zh="请改正来源文件。", en="Correct the source.")))
