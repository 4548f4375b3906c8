"""The last step of finding the image mark: from a place that is nearly right to the right one."""

import numpy as np
import pytest

from safebelt.rooms.labelling.watermark.aligning import aligned

RNG = np.random.default_rng(11)
LATTICE = RNG.uniform(-0.09, 0.09, (20, 2))
CENTRES = np.stack(np.mgrid[40:640:80, 40:640:80], axis=-1).reshape(-1, 2).astype(float)
CHANGE, SHIFT = np.array([[0.002, -0.001], [0.0015, -0.002]]), (71.4, 12.8)


def _tones(change, shift, noise):
    """What cells say at the frequencies when the pattern lies askew by `change`, and at `shift`."""
    phase = 2 * np.pi * ((CENTRES @ (LATTICE @ change.T).T).T - (LATTICE @ np.array(shift))[:, None])
    return np.exp(1j * phase) + noise * (RNG.normal(size=phase.shape) + 1j * RNG.normal(size=phase.shape))


@pytest.mark.parametrize(("noise", "within"), [(0, 1e-6), (1, 1e-3)])
def test_scale_angle_and_shift_are_found_together(noise, within):
    change, shift = aligned(_tones(CHANGE, SHIFT, noise), CENTRES, LATTICE, (72.0, 13.0))

    assert np.abs(change - CHANGE).max() < within
    assert np.hypot(*np.subtract(shift, SHIFT)) < 400 * within


def test_a_place_that_is_right_is_kept():
    change, shift = aligned(_tones(np.zeros((2, 2)), SHIFT, 0), CENTRES, LATTICE, SHIFT)

    assert np.abs(change).max() < 1e-9
    assert shift == pytest.approx(SHIFT)


def test_one_cell_moves_the_pattern_and_nothing_breaks():
    one = CENTRES[:1]
    heard = np.exp(-2j * np.pi * (LATTICE @ np.array([3.2, 4.1])))[:, None]

    change, shift = aligned(heard, one, LATTICE, (3.0, 4.0))

    there = -(LATTICE @ change.T) @ one[0] + LATTICE @ np.array(shift)
    assert there == pytest.approx(LATTICE @ np.array([3.2, 4.1]), abs=1e-3)


@pytest.mark.parametrize("nothing", [np.zeros((20, 64), complex), -np.ones((20, 64), complex)])
def test_where_nothing_is_in_phase_the_place_stays(nothing):
    change, shift = aligned(nothing, CENTRES, LATTICE, (0.0, 0.0))

    assert not change.any()
    assert shift == (0.0, 0.0)
