"""The element of a rank is that of the sorted values."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.numerics.ranked import select

NUMBERS = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40)


@given(NUMBERS, st.data())
def test_it_is_that_of_the_sorted_values(numbers: list[float], data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, len(numbers) - 1))
    values = np.array(numbers)
    assert select(values, rank) == np.sort(numbers)[rank]
    np.testing.assert_array_equal(np.sort(values), np.sort(numbers))
    assert (values[:rank] <= values[rank]).all()
