"""The pattern of the image mark: which frequencies carry what, as the key decides.

The pattern repeats every `PERIOD` pixels of the *canonical* picture (see `image`), so that it lives on a lattice of
frequencies (u, v) / PERIOD.  A few of them, the constellation, are strong and say where the pattern lies: scale,
angle and shift.  The others carry the code word, four-phase, each code bit on many of them at all radii.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.watermark import codes, keys

PERIOD = 256
"""Pixels of the canonical picture after which the pattern repeats, at its usual size (others: see `image`)."""
VARIANTS = 4
"""Patterns for one key; coarse content decides which is used (see `image`)."""
BEACONS = 20
"""Frequencies of the constellation: fewer stand out more, and are hit harder by a line of the picture."""
BEACON_SHARE = 0.25
"""Part of the mark's energy in the constellation: finding and reading fail at about the same damage."""
LOW, HIGH = 0.025, 0.11
"""Band of the code word, in cycles per canonical pixel: pictures are loud below, and resizing takes what is above."""
BEACON_LOW, BEACON_HIGH = 0.04, 0.09
"""Band of the constellation."""
AXIS = 6
"""Lattice steps kept free beside both axes by the constellation: horizontal and vertical edges live there."""

_Complex = NDArray[np.complex64]
_Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a key makes of the lattice.

    Attributes:
        beacons: Frequencies (u, v) of the constellation, in lattice steps down and right, shape (BEACONS, 2).
        beacon_phases: Their phases as unit numbers, shape (VARIANTS, BEACONS).
        carriers: Frequencies of the code word, shape (n, 2).
        bits: Which code bit each part of each carrier belongs to, shape (2n,): real parts, then imaginary parts.
        signs: Sign of each of these, shape (VARIANTS, 2n).
    """

    beacons: NDArray[np.int64]
    beacon_phases: _Complex
    carriers: NDArray[np.int64]
    bits: NDArray[np.int64]
    signs: NDArray[np.float32]

    def chips(self, ident: int, variant: int) -> _Complex:
        """Return what each carrier says of an id: ±1 ± i, shape (n,)."""
        said = self.signs[variant] * codes.encode(ident).astype(np.float32)[self.bits]
        n = len(self.carriers)
        return np.asarray(said[:n] + 1j * said[n:], dtype=np.complex64)

    def tile(self, ident: int, variant: int, period: int = PERIOD, loudness: _Plane | None = None) -> _Plane:
        """Return one period of the pattern, shape (period, period), mean 0 and variance 1.

        Args:
            ident: 64 bits.
            variant: Which of the key's patterns.
            period: Pixels after which it repeats; fewer make it finer.
            loudness: How loud the picture is at each frequency of the lattice, shape (PERIOD, PERIOD): what is quieter
                gets more.  Without it all get the same.
        """
        n = len(self.carriers)
        strength = np.sqrt(BEACON_SHARE / (1 - BEACON_SHARE) * 2 * n / BEACONS)
        spectrum = np.zeros((period, period), dtype=np.complex64)
        for lines, said in (
            (self.carriers, self.chips(ident, variant)),
            (self.beacons, strength * self.beacon_phases[variant]),
        ):
            u, v = lines.T
            quiet = np.ones(len(lines)) if loudness is None else 1 / loudness[u, v]
            spectrum[u, v] = said * (quiet / math.sqrt(float((quiet * quiet).mean())))
        tile = np.fft.ifft2(spectrum).real
        return np.asarray(tile / tile.std(), dtype=np.float32)


@functools.cache
def _band() -> NDArray[np.int64]:
    """Return the lattice frequencies of the band, one of each pair ±, in order of radius, shape (n, 2)."""
    steps = int(HIGH * PERIOD) + 1
    u, v = np.mgrid[-steps : steps + 1, 0 : steps + 1]
    radius = np.hypot(u, v) / PERIOD
    taken = (radius >= LOW) & (radius <= HIGH) & ((v > 0) | (u > 0))
    found = np.stack([u[taken], v[taken]], axis=1)
    return found[np.argsort(radius[taken], kind="stable")].astype(np.int64)


@functools.lru_cache(maxsize=64)
def pattern(key: bytes) -> Pattern:
    """Return the pattern of a key.

    Raises:
        WeakKey: When the key is too short.
    """
    band = _band()
    radius = np.hypot(band[:, 0], band[:, 1]) / PERIOD
    fit = (radius >= BEACON_LOW) & (radius <= BEACON_HIGH) & (np.abs(band).min(axis=1) >= AXIS)
    possible = np.flatnonzero(fit)
    chosen = possible[keys.order(key, "image/1/beacons", len(possible))[:BEACONS]]
    carriers = np.delete(band, chosen, axis=0)
    phases = keys.fractions(key, "image/1/beacon phases", VARIANTS * BEACONS).reshape(VARIANTS, BEACONS)
    count = 2 * len(carriers)
    return Pattern(
        beacons=band[chosen],
        beacon_phases=np.exp(2j * np.pi * phases).astype(np.complex64),
        carriers=carriers,
        bits=_spread(key, count),
        signs=keys.signs(key, "image/1/signs", VARIANTS * count).reshape(VARIANTS, count),
    )


def _spread(key: bytes, count: int) -> NDArray[np.int64]:
    """Deal carriers to code bits so that each bit gets its part of every radius."""
    rounds = -(-count // codes.CODE_BITS)
    dealt = [keys.order(key, f"image/1/deal/{i}", codes.CODE_BITS) for i in range(rounds)]
    n = count // 2
    by_radius = np.concatenate(dealt)[:count]
    return np.concatenate([by_radius[0::2][:n], by_radius[1::2][:n]])
