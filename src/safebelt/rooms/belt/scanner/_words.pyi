"""What `_words.c` offers; see `native`."""

class Words:
    """Words to be looked for, as a tree of their letters."""

    def __new__(cls, words: list[str], gap: int, table: bytes | None = None, /) -> Words: ...
    def find(self, text: bytes, is_ascii: bool, /) -> list[tuple[int, int, int]]:
        """Return the words that stand alone in a text, each with where it begins and ends."""

    def spelled(self, text: bytes, is_ascii: bool, /) -> list[int]:
        """Return where runs of letters begin that stand alone and spell words, a few signs between every two."""

class Glance:
    """Words of two views, and the table that folds, to ask of whole texts whether they hold nothing."""

    def __new__(
        cls, block_of: bytes, entries: bytes, spans: bytes, flat: bytes, plain: Words, spelled: Words, /
    ) -> Glance: ...
    def look(self, text: str, /) -> bytes | None:
        """Return a text folded, every blank a space; None where a character may have moved, or a word may be there."""
