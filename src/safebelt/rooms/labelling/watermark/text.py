"""A keyed watermark in generated text, put in while the text is generated: tournament sampling.

The scheme is SynthID-Text (Dathathri et al., "Scalable watermarking for identifying large language model outputs",
Nature 634, 2024): the key and the last four tokens give every candidate token 30 bits; thirty rounds of a tournament
each shift probability from candidates whose bit is 0 to those whose bit is 1.  Averaged over keys the model's own
distribution stays as it is.  The bits here come from a keyed hash and a block cipher instead of that paper's example
hash, so that a text tells nothing about the key, and a p-value can be computed instead of a threshold tuned.

This module needs numpy and `cryptography`, and no part of any model's library: `Processor` is called as those call
their logits processors, with a row of tokens and a row of scores (llama.cpp's bindings) or with batches of both
(`transformers`, whose tensors are met only by the methods that they have themselves).
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

CONTEXT = 4
"""Tokens before a token that decide its bits: what `transformers` sets by default (`ngram_len` 5)."""
LAYERS = 30
"""Rounds of the tournament: as the paper's experiments."""
KEY_BYTES = 32
MAX_TOKEN = (1 << 31) - 1
"""Largest token number."""
CANDIDATES = 2048
"""Likeliest tokens that enter the tournament; the rest keep their probability, which is next to nothing."""
_PERSON = b"safebelt-text-1"
_WORD_BYTES, _BLOCK_BYTES = 4, 16
_PER_BLOCK = _BLOCK_BYTES // _WORD_BYTES

Floats = NDArray[np.float64]
Words = NDArray[np.uint32]


def words(key: bytes, context: Sequence[int], tokens: NDArray[np.int64]) -> Words:
    """Return the bits of tokens after a context, 30 in a word, the first round's in the lowest.

    Args:
        key: 32 bytes.
        context: The four tokens before.
        tokens: Token numbers, shape (n,).

    Returns:
        Shape (n,).  For one key, words of different contexts or tokens owe nothing to each other.

    Raises:
        ValueError: The key, the context or a token is of another size.
    """
    if len(key) != KEY_BYTES or len(context) != CONTEXT:
        raise ValueError("a key of 32 bytes and four tokens")
    if tokens.size and (tokens.min() < 0 or tokens.max() > MAX_TOKEN):
        raise ValueError("tokens are numbers below 2³¹")
    said = np.asarray(context, dtype="<u4").tobytes()
    seed = hashlib.blake2b(said, digest_size=_BLOCK_BYTES, key=key, person=_PERSON).digest()
    counters = np.zeros((tokens.size, _BLOCK_BYTES // 8), dtype=">u8")
    counters[:, 1] = tokens // _PER_BLOCK
    cipher = Cipher(algorithms.AES(seed), modes.ECB()).encryptor()  # noqa: S305  one block a counter: a function, no secrecy
    blocks = np.frombuffer(cipher.update(counters.tobytes()), dtype="<u4").reshape(-1, _PER_BLOCK)
    return blocks[np.arange(tokens.size), tokens % _PER_BLOCK].astype(np.uint32)


def tournament(probabilities: Floats, bits: Words) -> Floats:
    """Return what probabilities become after all rounds.

    Args:
        probabilities: Of the candidates, adding up to 1, shape (n,).
        bits: Their words, shape (n,).
    """
    left = probabilities
    for layer in range(LAYERS):
        ones = ((bits >> np.uint32(layer)) & np.uint32(1)).astype(np.float64)
        left = left * np.maximum(1.0 + ones - ones @ left, 0.0)  # rounding may take the sum beyond 1
    return left


class Processor:
    """Puts the watermark into a text while it is generated.

    Call it last, after whatever cuts or scales the scores.  Where temperature is applied afterwards, say which: the
    scores are then such that what is drawn has the probabilities they should have.

    Args:
        key: 32 bytes.
        temperature: What scores will still be divided by; 1 where that is done already.

    Raises:
        ValueError: The key has another length, or the temperature is not above 0.
    """

    def __init__(self, key: bytes, *, temperature: float = 1.0) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a text watermark's key has 32 bytes")
        if not temperature > 0:
            raise ValueError("without chance there is no room for a watermark: a temperature above 0")
        self._key, self._temperature = key, temperature

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Return scores with the watermark, as the kind of array they came in.

        Args:
            input_ids: Tokens so far: shape (n,), or (batch, n).
            scores: Unnormalised log-probabilities of the next token: shape (vocabulary,), or (batch, vocabulary).
        """
        is_tensor = hasattr(scores, "detach")
        given = scores.detach().float().cpu().numpy() if is_tensor else np.asarray(scores)
        ids = input_ids.detach().cpu().numpy() if hasattr(input_ids, "detach") else np.asarray(input_ids)
        if given.ndim == 1:
            made = self.row(ids, given)
        else:
            made = np.stack([self.row(one, row) for one, row in zip(ids, given, strict=True)])
        return scores.new_tensor(made) if is_tensor else made.astype(given.dtype)

    def row(self, ids: NDArray[Any], scores: NDArray[Any]) -> NDArray[np.float64]:
        """Return one row of scores with the watermark.

        A context that the text had before is passed over: a second use of its bits would show in the text, and would
        count what is no second witness.

        Args:
            ids: Tokens so far, shape (n,).
            scores: Shape (vocabulary,).
        """
        plain: Floats = np.asarray(scores, dtype=np.float64)
        if len(ids) < CONTEXT or _is_repeated(ids) or not np.isfinite(plain).any():
            return plain
        scaled = plain / self._temperature
        top = float(scaled.max())
        logs = scaled - top - np.log(np.exp(scaled - top).sum())
        tokens = _likeliest(logs)
        chances = np.exp(logs[tokens])
        mass = chances.sum()
        bits = words(self._key, [int(one) for one in ids[-CONTEXT:]], tokens)
        with np.errstate(divide="ignore"):
            logs[tokens] = np.log(tournament(chances / mass, bits) * mass)
        lowest = float(np.finfo(np.float32).min) / 4  # a library may divide it once more, or add to it
        made: Floats = np.maximum(logs * self._temperature, lowest)
        return made


def _likeliest(logs: Floats) -> NDArray[np.int64]:
    if len(logs) <= CANDIDATES:
        return np.arange(len(logs), dtype=np.int64)
    return np.argpartition(logs, -CANDIDATES)[-CANDIDATES:].astype(np.int64)


def _is_repeated(ids: NDArray[Any]) -> bool:
    """Say whether the last four tokens stood in this order before."""
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(ids), CONTEXT)
    return bool((windows[:-1] == windows[-1]).all(axis=1).any())


def read(key: bytes, ids: Iterable[int]) -> Words:
    """Return the words of the tokens of a text that can witness: each after four others that stood so only once.

    Args:
        key: 32 bytes.
        ids: The text's tokens.

    Raises:
        ValueError: A token is no number below 2³¹.
    """
    tokens, seen, found = list(ids), set[tuple[int, ...]](), list[Words]()
    if any(not 0 <= one <= MAX_TOKEN for one in tokens):
        raise ValueError("tokens are numbers below 2³¹")
    for at in range(CONTEXT, len(tokens)):
        context = tuple(tokens[at - CONTEXT : at])
        if context not in seen:
            seen.add(context)
            found.append(words(key, context, np.array([tokens[at]], dtype=np.int64)))
    return np.concatenate(found) if found else np.zeros(0, dtype=np.uint32)
