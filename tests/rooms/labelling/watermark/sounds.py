"""Sounds to mark, and what happens to sounds: seeded, the same on every machine."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
RATE = 16_000


def talk(seconds: float, seed: int, rate: int = RATE) -> Samples:
    """Return a made sound like speech: syllables of a gliding voice through moving resonances, hiss, and pauses."""
    rng = np.random.default_rng(seed)
    pieces, total = list[NDArray[np.float64]](), 0
    while total < seconds * rate:
        length = int(rng.uniform(0.08, 0.3) * rate)
        seconds_in = np.arange(length) / rate
        pitch = rng.uniform(95, 210) * (1 + rng.uniform(-0.3, 0.3) * seconds_in)
        phase = 2 * np.pi * np.cumsum(pitch) / rate
        formants = rng.uniform([300, 800, 2200, 3200], [900, 2000, 3000, 6000])
        voice = np.zeros(length)
        for harmonic in range(1, int(0.45 * rate / 220)):
            hertz = harmonic * float(pitch.mean())
            gain = sum(1 / (1 + ((hertz - formant) / (60 + 0.1 * formant)) ** 2) for formant in formants)
            voice += (0.02 + gain) / harmonic**0.5 * np.sin(harmonic * phase + rng.uniform(0, 6))
        hiss = rng.normal(size=length) * (0.6 if rng.random() < 0.25 else 0.03)
        pieces.append((voice + hiss) * np.sin(np.pi * np.arange(length) / length) ** 0.5 * rng.uniform(0.3, 1.0))
        pieces.append(rng.normal(size=int(rng.uniform(0, 0.08) * rate)) * 0.004)
        total += len(pieces[-1]) + length
    whole = np.concatenate(pieces)[: int(seconds * rate)]
    return (0.3 * whole / np.abs(whole).max()).astype(np.float32)


def chords(seconds: float, seed: int, rate: int = RATE) -> Samples:
    """Return a made sound like music: struck chords that ring on, and a beat."""
    rng = np.random.default_rng(seed)
    whole = np.zeros(int(seconds * rate))
    for at in np.arange(0, seconds, 0.25):
        start = int(at * rate)
        ring = np.arange(len(whole) - start) / rate
        for note in rng.choice(np.arange(36, 84), size=2):
            hertz = 440 * 2 ** ((note - 69) / 12)
            for overtone in range(1, 6):
                if hertz * overtone < 0.45 * rate:
                    whole[start:] += (
                        np.exp(-ring * (2 + overtone)) * np.sin(2 * np.pi * hertz * overtone * ring) / overtone
                    )
        whole[start:] += 0.5 * np.exp(-ring * 60) * rng.normal(size=len(ring))
    whole += 0.002 * rng.normal(size=len(whole))
    return (0.4 * whole / np.abs(whole).max()).astype(np.float32)


def faster(samples: Samples, factor: float) -> Samples:
    """Play faster: the pitch goes along."""
    at = np.arange(0, len(samples) - 1, factor)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def halved(samples: Samples) -> Samples:
    """Bring to half the rate, with what would fold down filtered out."""
    taps = np.sinc((np.arange(63) - 31) * 0.46) * 0.46 * np.hanning(63)
    return np.convolve(samples, taps, "same")[::2].astype(np.float32)


def noisy(samples: Samples, decibels: float) -> Samples:
    """Add noise so many decibels below."""
    noise = np.random.default_rng(5).normal(size=len(samples))
    return (samples + noise * np.sqrt((samples**2).mean() / 10 ** (decibels / 10))).astype(np.float32)


def ratio(plain: Samples, changed: Samples) -> float:
    """Return the ratio of a sound to its change, in decibels."""
    return float(10 * np.log10((plain**2).sum() / ((plain - changed) ** 2).sum()))
