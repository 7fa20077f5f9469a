"""Copies inside kernels are NumPy's."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.copying import copy_line, copy_table


def test_a_line_is_copied_into_its_place() -> None:
    target = np.zeros((2, 5))
    copy_line(np.arange(5.0), target[1])
    assert target.tolist() == [[0.0] * 5, [0.0, 1.0, 2.0, 3.0, 4.0]]


def test_a_table_is_copied_whatever_its_order_in_memory() -> None:
    source = np.arange(12.0).reshape(3, 4)
    target = np.zeros((4, 3)).T
    copy_table(source, target)
    np.testing.assert_array_equal(target, source)
