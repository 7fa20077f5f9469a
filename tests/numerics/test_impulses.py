"""What a detector made is made up for; what optics drew is not."""

from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics.impulses import without_impulses, without_lines


def test_a_line_that_optics_drew_is_no_detector_s() -> None:
    at = np.indices((64, 72)).astype(float)
    noise = np.random.default_rng(9).normal(0, 1, (64, 72))
    for width in (0.9, 2.0):
        ridge = 100 * np.exp(-((at[1] - 30.0) ** 2) / (2 * width**2)) + noise
        planes = ridge[None].astype(np.float32)
        assert without_lines(planes) is planes
    ramp = (3 * at[0] + at[1] + noise)[None].astype(np.float32)
    assert without_lines(ramp) is ramp


@pytest.mark.parametrize("at", [(0, 0), (0, 9), (63, 30), (20, 71), (30, 30)])
def test_a_lone_pixel_is_found_at_the_border_as_well(at: tuple[int, int]) -> None:
    planes = np.random.default_rng(3).normal(100, 5, (1, 64, 72)).astype(np.float32)
    hot = planes.copy()
    hot[0][at] = 1e5
    found = without_impulses(hot)
    assert abs(found[0][at] - 100) < 15
    found[0][at] = hot[0][at]
    np.testing.assert_array_equal(found, hot)


def test_lines_are_made_up_for_by_those_beside_them() -> None:
    rows, columns = np.indices((64, 80)).astype(np.float32)
    plane = 2 * rows + 3 * columns + np.random.default_rng(4).normal(0, 1, rows.shape)
    broken = plane.copy()
    broken[:, 20], broken[:, 33:35], broken[40] = 0, 600, -500
    np.testing.assert_allclose(without_lines(broken[None])[0], plane, atol=6)
