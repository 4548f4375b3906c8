"""A keyed 64-bit id in sound, which the ear hardly hears and copying, cutting and compressing do not take out.

The id names an AI system or a record of one, never a person who used it.

Sound is seen as a grid: slots of 36 ms, bands of some hundred hertz.  The key deals each cell of a tile of 72 slots,
2.6 s, to one bit of the code word and gives it a sign; the cell is made a little louder or softer accordingly, and
the tile goes on and on from beginning to end, so that any cut carries the id.  How much is decided by what is heard
there: the quieter a cell is than the sound around it, the more it may change, until the ratio asked for is reached.

Nothing depends on phase or on absolute level, so that gain, resampling and codecs that keep only how loud which band
is leave it there.  How it is found again: `hearing`.

What it does not give: who has many sounds marked with one key can estimate the tile and take it off, or put it on
another sound.  A reading says that this mark is in the sound; no reading says nothing.
"""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.watermark import codes, keys

SLOT_SECONDS = 0.036
"""Length of a cell: shorter ones blur in the codecs' own windows (20 to 50 ms), longer ones are fewer."""
SLOTS = 72
"""Slots of a tile: 2304 cells with 32 bands, six for each code bit; two tiles are in any five seconds."""
_EDGES_LOW = np.linspace(300.0, 3500.0, 25)
_EDGES_HIGH = np.geomspace(3500.0, 7000.0, 9)[1:]
EDGES = np.concatenate([_EDGES_LOW, _EDGES_HIGH])
"""Edges of the bands in hertz, 33: three quarters of them within what a telephone passes (300 to 3400 Hz, ITU-T G.712);
the others are what wideband sound has beyond, as long as codecs of 24 kbit/s still keep it."""
BANDS = len(EDGES) - 1
MIN_RATE, MAX_RATE = 8_000, 192_000
"""Sample rates that are marked and read, in hertz."""
MAX_CHANNELS = 8
"""Channels of one sound; all are changed alike."""
SNR_DB = 23.0
"""Ratio of sound to change in each stretch of some seconds, in decibels, if no other is asked for; what overlapping
frames leave of the change is about one decibel less."""
_MOST_DB = 4.0
"""Largest change of a cell: more is heard as a flutter."""
_LEVEL_POWER = 0.6
"""How the change of a cell in decibels follows its level: a cell that has a tenth of the power of the mean changes
10^(0.6 / 2) times as much.  1 would be masking by the cell alone, and is what the ratio alone would ask for."""
_MOST_RELATIVE = 4.0
"""Most that a quiet cell changes more than a mean one."""
_WINDOW_SECONDS, _OVERLAP = 0.032, 4
_STRETCH_FRAMES = 1024
"""Frames worked on at a time, 8 s: memory does not grow with the sound."""
_MASKING_HERTZ = 200.0
"""Over which the level around a cell is taken: about one critical band (Zwicker 1961)."""

Samples = NDArray[np.float32]


class Unfit(ValueError):  # noqa: N818  it says what the sound is
    """The sound has a sample rate, a number of channels or values that are not marked here."""


@dataclass(frozen=True, slots=True)
class Tile:
    """What a key makes of the grid.

    Attributes:
        cells: Cells (slot × BANDS + band) in order of their code bits, each bit's beside each other, shape (n,).
        signs: Sign of each of these, shape (n,).
        each: Cells for each code bit.
    """

    cells: NDArray[np.int64]
    signs: NDArray[np.float32]
    each: int

    def chips(self, ident: int) -> NDArray[np.float32]:
        """Return +1 for each cell that is made louder and -1 for the others, shape (SLOTS, BANDS)."""
        word = np.repeat(codes.encode(ident).astype(np.float32), self.each)
        out = np.empty(SLOTS * BANDS, dtype=np.float32)
        out[self.cells] = word * self.signs
        return out.reshape(SLOTS, BANDS)


@functools.lru_cache(maxsize=64)
def tile(key: bytes) -> Tile:
    """Return the tile of a key.

    Raises:
        WeakKey: When the key is too short.
    """
    count = SLOTS * BANDS
    each = count // codes.CODE_BITS
    by_band = np.arange(count).reshape(SLOTS, BANDS).T.ravel()  # so that each bit has its part of every range of bands
    dealt = by_band.reshape(each, codes.CODE_BITS)
    rounds = [dealt[i][keys.order(key, f"audio/1/deal/{i}", codes.CODE_BITS)] for i in range(each)]
    return Tile(cells=np.stack(rounds, axis=1).ravel(), signs=keys.signs(key, "audio/1/signs", count), each=each)


def embed(samples: Samples, rate: int, ident: int, key: bytes, *, snr_db: float = SNR_DB) -> Samples:
    """Return the sound with the id in it.

    Args:
        samples: Between -1 and 1, shape (length, channels) or (length,).
        rate: Samples each second.
        ident: 64 bits.
        key: At least 16 bytes.
        snr_db: Least ratio of sound to change in decibels.

    Raises:
        Unfit: When the sound is none that is marked.
        ValueError: When the id has more bits.
        WeakKey: When the key is too short.
    """
    block = samples[:, None] if samples.ndim == 1 else samples
    marked = list(embed_blocks([block], rate, ident, key, snr_db=snr_db))
    return np.concatenate([np.empty_like(block[:0]), *marked]).reshape(samples.shape)


def embed_blocks(
    blocks: Iterable[Samples], rate: int, ident: int, key: bytes, *, snr_db: float = SNR_DB
) -> Iterator[Samples]:
    """Yield the sound with the id in it, in blocks of other lengths but as many samples.

    Args:
        blocks: Each as `embed` takes it, shape (length, channels).
        rate: Samples each second.
        ident: 64 bits.
        key: At least 16 bytes.
        snr_db: As `embed` takes it.

    Raises:
        Unfit, ValueError, WeakKey: As `embed`.
    """
    if not MIN_RATE <= rate <= MAX_RATE:
        raise Unfit(f"a sample rate of {rate} Hz")
    marker = _Marker(rate, np.roll(tile(key).chips(ident), ident % SLOTS, axis=0), snr_db)
    for block in blocks:
        if block.ndim != 2 or not 0 < block.shape[1] <= MAX_CHANNELS or not np.isfinite(block).all():
            raise Unfit("samples that are none, or too many channels")
        yield from marker.through(block.astype(np.float32, copy=False))
    yield from marker.rest()


class _Marker:
    """Changes sound as it passes: overlapping frames, each band of each frame times its cell's gain.

    Args:
        rate: Samples each second.
        chips: Of one tile, shape (SLOTS, BANDS).
        snr_db: Ratio of each stretch.
    """

    def __init__(self, rate: int, chips: NDArray[np.float32], snr_db: float) -> None:
        self._rate, self._chips = rate, chips
        self._share = 10 ** (-snr_db / 10)
        self._hop = cv2.getOptimalDFTSize(round(_WINDOW_SECONDS * rate / _OVERLAP))
        self._size = self._hop * _OVERLAP
        self._window = np.sin(np.pi * (np.arange(self._size) + 0.5) / self._size).astype(np.float32)
        hertz = np.arange(self._size // 2 + 1) * rate / self._size
        band = np.searchsorted(EDGES, hertz, side="right") - 1
        self._inside = np.flatnonzero((band >= 0) & (band < BANDS))
        self._bands = band[self._inside]
        self._around = max(3, round(_MASKING_HERTZ * self._size / rate) | 1)
        self._frame = 0  # of the next stretch's first frame, from one window before the sound's beginning
        self._taken, self._given = 0, 0  # samples
        self._waiting: Samples | None = None
        self._tail: Samples | None = None

    def through(self, block: Samples) -> Iterator[Samples]:
        """Take samples in; yield those that are done."""
        if self._waiting is None:
            self._waiting = np.zeros((self._size, block.shape[1]), dtype=np.float32)
            self._tail = np.zeros((self._size - self._hop, block.shape[1]), dtype=np.float32)
        if block.shape[1] != self._waiting.shape[1]:
            raise Unfit("a number of channels that changes")
        self._taken += len(block)
        self._waiting = np.concatenate([self._waiting, block])
        need = (_STRETCH_FRAMES - 1) * self._hop + self._size
        while len(self._waiting) >= need:
            yield from self._out(self._stretch(self._waiting[:need], _STRETCH_FRAMES))
            self._waiting = self._waiting[_STRETCH_FRAMES * self._hop :]

    def rest(self) -> Iterator[Samples]:
        """Yield what is left when no more comes in."""
        if self._waiting is None:
            return
        frames = -(-len(self._waiting) // self._hop) + 1
        padding = (frames - 1) * self._hop + self._size - len(self._waiting)
        yield from self._out(self._stretch(np.pad(self._waiting, ((0, padding), (0, 0))), frames))

    def _out(self, done: Samples) -> Iterator[Samples]:
        """Yield the part of what is done that is sound: not the silence before it, and nothing after its end."""
        start = max(0, self._size - self._given)
        end = min(len(done), self._taken + self._size - self._given)
        self._given += len(done)
        if end > start:
            yield np.clip(done[start:end], -1.0, 1.0)

    def _stretch(self, samples: Samples, frames: int) -> Samples:
        """Return the first `frames` hops of what becomes of these samples; keep the rest for the next stretch."""
        rows = np.arange(frames)[:, None] * self._hop + np.arange(self._size)
        spectra = [np.fft.rfft(one[rows] * self._window, axis=1) for one in samples.T]
        power = np.sum([np.abs(one) ** 2 for one in spectra], axis=0).astype(np.float32)
        gain = self._gains(power)
        out = np.zeros_like(samples)
        for channel, spectrum in enumerate(spectra):
            spectrum[:, self._inside] *= gain
            back = np.fft.irfft(spectrum, self._size, axis=1) * self._window
            for part in range(_OVERLAP):
                lengths = back[part::_OVERLAP]
                start = part * self._hop
                out[start : start + lengths.size, channel] += lengths.ravel()
        out *= 2 / _OVERLAP  # the squares of four sine windows add up to two
        assert self._tail is not None  # noqa: S101  set with the first block
        out[: len(self._tail)] += self._tail
        whole = frames * self._hop
        self._tail = out[whole : whole + self._size - self._hop].copy()
        self._frame += frames
        return out[:whole]

    def _gains(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each frequency within the bands is multiplied by, shape (frames, len(self._inside))."""
        around = cv2.blur(power, (self._around, 3))[:, self._inside] + 1e-12
        relative = np.minimum((around / (float(power.mean()) + 1e-12)) ** (-_LEVEL_POWER / 2), _MOST_RELATIVE)
        seconds = ((self._frame + np.arange(len(power))) * self._hop - self._size / 2) / self._rate
        slots = np.floor(seconds / SLOT_SECONDS).astype(np.int64) % SLOTS
        chips = self._chips[slots][:, self._bands]
        inside, allowed = power[:, self._inside], self._share * float(power.sum())

        def gains(strength: float) -> NDArray[np.float32]:
            decibels = np.minimum(strength * relative, _MOST_DB)
            return np.asarray(10 ** (decibels * chips / 20), dtype=np.float32)

        low, high = 0.0, _MOST_DB
        for _ in range(10):
            middle = (low + high) / 2
            is_too_much = float((inside * (gains(middle) - 1) ** 2).sum()) > allowed
            low, high = (low, middle) if is_too_much else (middle, high)
        return gains(low)
