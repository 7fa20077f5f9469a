"""Kernels are compiled once, and their flags keep NaN tests alive."""

from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics import compiling


def _nan_free_sum(values, total):  # type: ignore[no-untyped-def]
    total[0] = 0.0
    for value in values:
        if not np.isnan(value):
            total[0] += value


def test_a_kernel_is_compiled_once_for_the_same_kinds() -> None:
    first = compiling.compiled(_nan_free_sum, "float64/1", "=float64/1")
    assert compiling.compiled(_nan_free_sum, "float64/1", "=float64/1") is first
    assert compiling.compiled(_nan_free_sum, "float32/1", "=float64/1") is not first


def test_reordered_sums_still_see_nan() -> None:
    total = np.zeros(1)
    kernel = compiling.compiled(_nan_free_sum, "float64/1", "=float64/1")
    kernel(np.array([1.0, np.nan, 2.0]), total)
    assert total[0] == 3.0


def test_a_writable_array_may_be_read() -> None:
    total = np.zeros(1)
    values = np.arange(4.0)
    values.setflags(write=False)
    compiling.compiled(_nan_free_sum, "float64/1", "=float64/1")(values, total)
    assert total[0] == 6.0


@pytest.mark.parametrize("decorate", [compiling.in_order, compiling.reordered])
def test_both_sets_of_flags_keep_nan(decorate) -> None:  # type: ignore[no-untyped-def]
    total = np.zeros(1)
    decorate(_nan_free_sum)(np.array([np.nan, 5.0]), total)
    assert total[0] == 5.0


def test_sums_in_order_divide_by_zero_as_numpy_does() -> None:
    @compiling.in_order
    def ratio(a, b):  # type: ignore[no-untyped-def]
        return a / b

    assert ratio(1.0, 0.0) == np.inf


def test_what_is_compiled_is_told_and_what_is_known_is_not() -> None:
    @compiling.in_order
    def twice(a):  # type: ignore[no-untyped-def]
        return a + a

    before = compiling.COMPILATION.count
    assert twice(2.0) == 4.0
    assert compiling.COMPILATION.count == before + 1
    assert compiling.COMPILATION.spent > 0
    assert twice(3.0) == 6.0
    assert compiling.COMPILATION.count == before + 1
    assert not compiling.COMPILATION.active


@pytest.mark.parametrize("passes", [0, 1, 5, 12, 18])
def test_compiling_is_given_up_between_two_passes_and_done_anew_when_asked_again(
    passes: int,
) -> None:
    left = [passes]

    def wanted() -> bool:
        left[0] -= 1
        return left[0] >= 0

    @compiling.in_order
    def inside(a):  # type: ignore[no-untyped-def]
        return a * 3.0

    inner = inside.dispatcher

    @compiling.in_order
    def outside(a):  # type: ignore[no-untyped-def]
        total = 0.0
        for k in range(3):
            total += inner(a) + k
        return total

    with pytest.raises(compiling.Abandoned), compiling.compiled_while(wanted):
        outside(1.0)
    assert not compiling.COMPILATION.active
    assert outside(1.0) == 12.0
    with compiling.compiled_while(lambda: False):
        assert outside(2.0) == 21.0


def test_kernels_call_kernels() -> None:
    assert _outer(3.0) == 10.0


@compiling.reordered
def _inner(a):  # type: ignore[no-untyped-def]
    return a * a


@compiling.reordered
def _outer(a):  # type: ignore[no-untyped-def]
    return _inner(a) + 1.0
