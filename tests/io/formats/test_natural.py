"""File names sort as a person would."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.io.formats.natural import natural_key


def test_numbers_sort_by_value() -> None:
    names = ["img1.tif", "img2.tif", "Img10.tif", "img010b.tif", "img11.tif", "img100.tif"]
    mixed = names.copy()
    random.Random(0).shuffle(mixed)
    assert sorted(mixed, key=natural_key) == names


def test_names_may_begin_with_numbers_or_hold_several() -> None:
    names = ["2_t10.tif", "a.tif", "10_t1.tif", "2_t1.tif"]
    in_order = ["2_t1.tif", "2_t10.tif", "10_t1.tif", "a.tif"]
    assert sorted(names, key=natural_key) == in_order


@given(st.lists(st.text("aB1٢0 .", max_size=8), max_size=8), st.randoms())
def test_any_names_have_one_order(names: list[str], order: random.Random) -> None:
    mixed = names.copy()
    order.shuffle(mixed)
    assert sorted(names, key=natural_key) == sorted(mixed, key=natural_key)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_counter_is_in_order(first: int, second: int) -> None:
    keys = [natural_key(f"frame {number}.tif") for number in (first, second)]
    assert (keys[0] < keys[1]) == (first < second)
