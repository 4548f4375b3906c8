"""What `_words.c` offers; see `native`."""

class Words:
    """Words to be looked for, as a tree of their letters."""

    def __new__(cls, words: list[str], gap: int, table: bytes | None = None, /) -> Words: ...
    def find(self, text: bytes, is_ascii: bool, /) -> list[tuple[int, int, int]]:
        """Return the words that stand alone in a text, each with where it begins and ends."""

    def spelled(self, text: bytes, is_ascii: bool, /) -> list[int]:
        """Return where runs of letters begin that stand alone and spell words, a few signs between every two."""
