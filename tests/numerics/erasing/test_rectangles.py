from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from napari_framewise.numerics.erasing import ImpossibleError, Rectangles, random_rectangles


def assert_as_asked(
    found: Rectangles, shape: tuple[int, int], pixels: int, count: int, gap: int = 0
) -> None:
    assert found.sizes.shape == (count, 2)
    assert (found.sizes >= 1).all()
    assert (found.places >= 0).all()
    assert (found.places + found.sizes <= shape).all()
    covered = np.zeros(shape, int)
    for (row, column), (height, width) in zip(found.places, found.sizes, strict=True):
        wide = (slice(max(0, row - gap), row + height + gap),)
        wide += (slice(max(0, column - gap), column + width + gap),)
        assert not covered[wide].any()
        covered[row : row + height, column : column + width] += 1
    assert covered.sum() == pixels == found.pixels
    assert covered.max() == 1
    np.testing.assert_array_equal(found.mask(shape) > 0, covered > 0)


def fits_one(shape: tuple[int, int], pixels: int, aspect: tuple[float, float]) -> bool:
    """By trying every height, another way than by divisors."""
    for height in range(1, shape[0] + 1):
        width = pixels / height
        if width == int(width) <= shape[1] and aspect[0] <= height / width <= aspect[1]:
            return True
    return False


def exhaustive(shape: tuple[int, int], pixels: int, count: int, gap: int) -> bool:
    """Whether there are such rectangles of any aspect: by trying all arrangements."""
    every = [
        (top, left, bottom, right)
        for top, left in product(range(shape[0]), range(shape[1]))
        for bottom, right in product(range(top + 1, shape[0] + 1), range(left + 1, shape[1] + 1))
    ]

    def apart(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
        return any(
            one[axis + 2] + gap <= other[axis] or other[axis + 2] + gap <= one[axis]
            for axis in (0, 1)
        )

    def search(start: int, left: int, chosen: list[tuple[int, ...]]) -> bool:
        if len(chosen) == count:
            return left == 0
        for number in range(start, len(every)):
            box = every[number]
            area = (box[2] - box[0]) * (box[3] - box[1])
            fits = area <= left and all(apart(box, each) for each in chosen)
            if fits and search(number + 1, left - area, [*chosen, box]):
                return True
        return False

    return search(0, pixels, [])


@settings(max_examples=300, deadline=None)
@given(
    st.integers(15, 130),
    st.integers(15, 130),
    st.floats(0.01, 0.9),
    st.integers(1, 4),
    st.integers(0, 2**31),
)
def test_exact_and_disjoint_or_proved_impossible(
    half_rows: int, half_columns: int, share: float, count: int, seed: int
) -> None:
    """Of odd sizes, from 1 to 90 %: what is refused is one rectangle whose sides there are not."""
    shape = (2 * half_rows + 1, 2 * half_columns + 1)
    pixels = round(share * shape[0] * shape[1])
    aspect = (0.3, 3.3)
    try:
        found = random_rectangles(shape, pixels, count, aspect=aspect, seed=seed)
    except ImpossibleError:
        assert count == 1
        free = (0.0, np.inf) if pixels > 0.7 * shape[0] * shape[1] else aspect
        assert not fits_one(shape, pixels, free)
        return
    assert_as_asked(found, shape, pixels, count)
    if pixels <= 0.7 * shape[0] * shape[1]:
        assert found.aspect_kept
    if found.aspect_kept:
        ratio = found.sizes[:, 0] / found.sizes[:, 1]
        assert (ratio >= 0.3 - 1e-9).all()
        assert (ratio <= 3.3 + 1e-9).all()


@pytest.mark.parametrize("gap", [0, 1])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_called_impossible_is(count: int, gap: int) -> None:
    """In small images, beside a search of all arrangements; and nothing is left undecided."""
    for shape in ((3, 4), (2, 5), (4, 4), (1, 7)):
        for pixels in range(1, shape[0] * shape[1] + 1):
            wanted = exhaustive(shape, pixels, count, gap)
            try:
                found = random_rectangles(shape, pixels, count, aspect=(0.01, 100.0), gap=gap)
            except ImpossibleError:
                assert not wanted, (shape, pixels)
            else:
                assert_as_asked(found, shape, pixels, count, gap)


@pytest.mark.parametrize("gap", [0, 1])
def test_four_are_found_also_around_a_middle(gap: int) -> None:
    """A pinwheel, which no straight cut parts, beside a search of all arrangements."""
    for shape, least in (((3, 3), 5), ((4, 4), 10), ((3, 5), 9)):
        for pixels in range(least, shape[0] * shape[1] + 1):
            wanted = exhaustive(shape, pixels, 4, gap)
            try:
                found = random_rectangles(shape, pixels, 4, aspect=(0.01, 100.0), gap=gap)
            except ImpossibleError:
                assert not wanted, (shape, pixels)
            else:
                assert_as_asked(found, shape, pixels, 4, gap)


def test_no_request_in_a_small_image_stays_open() -> None:
    random = np.random.default_rng(11)
    said: Counter[str] = Counter()
    for number in range(150):
        shape = tuple(random.integers(4, 15, 2).tolist())
        count, gap = int(random.integers(3, 5)), int(random.integers(1, 4))
        pixels = int(random.integers(count, shape[0] * shape[1] + 1))
        try:
            found = random_rectangles(shape, pixels, count, gap=gap, seed=number)
        except ImpossibleError:
            said["impossible"] += 1
        else:
            assert_as_asked(found, shape, pixels, count, gap)
            said["met"] += 1
    assert set(said) == {"impossible", "met"}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_gaps_are_kept(count: int) -> None:
    for seed in range(40):
        found = random_rectangles((80, 91), 2500, count, gap=5, seed=seed)
        assert_as_asked(found, (80, 91), 2500, count, 5)


def test_squares() -> None:
    """7 = 4 + 1 + 1 + 1 is no sum of three squares."""
    found = random_rectangles((20, 20), 7, 4, aspect=(1.0, 1.0))
    assert sorted(found.sizes[:, 0].tolist()) == [1, 1, 1, 2]
    with pytest.raises(ImpossibleError, match="no sum of 3 areas"):
        random_rectangles((20, 20), 7, 3, aspect=(1.0, 1.0))


def test_one_rectangle_lies_everywhere_alike() -> None:
    """Chi-square over all places of all shapes with the area."""
    sizes: Counter[tuple[int, ...]] = Counter()
    places: Counter[tuple[int, ...]] = Counter()
    for seed in range(4000):
        found = random_rectangles((7, 9), 12, seed=(5, seed))
        sizes[tuple(found.sizes[0])] += 1
        if tuple(found.sizes[0]) == (3, 4):
            places[tuple(found.places[0])] += 1
    assert set(sizes) == {(2, 6), (3, 4), (4, 3), (6, 2)}
    assert stats.chisquare(list(sizes.values())).pvalue > 1e-3
    assert len(places) == 5 * 6
    assert stats.chisquare(list(places.values())).pvalue > 1e-3


def test_arrangements_of_two_are_all_as_likely() -> None:
    """Chi-square over all disjoint arrangements of a size that can be counted."""
    shape, wanted = (4, 5), ((1, 3), (2, 2))
    every = {
        (top, left, below, right)
        for top, left in product(range(4), range(3))
        for below, right in product(range(3), range(4))
        if below > top or below + 2 <= top or right >= left + 3 or right + 2 <= left
    }
    counts: Counter[tuple[int, ...]] = Counter()
    for seed in range(9000):
        found = random_rectangles(shape, 7, 2, seed=(11, seed))
        if tuple(map(tuple, found.sizes.tolist())) == wanted and found.even:
            counts[tuple(found.places.ravel().tolist())] += 1
    assert set(counts) <= every
    seen = [counts[each] for each in sorted(every)]
    assert sum(seen) > 8 * len(every)
    assert stats.chisquare(seen).pvalue > 1e-3


def test_the_seed_decides() -> None:
    one, same, other = (random_rectangles((50, 60), 900, 3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.places, same.places)
    np.testing.assert_array_equal(one.sizes, same.sizes)
    assert (one.places != other.places).any()


@pytest.mark.parametrize(
    ("shape", "pixels", "options", "sentence"),
    [
        ((97, 101), 1949, {}, "1,949 is prime .* Ask for 1,9"),
        ((97, 101), 1959, {}, "1,959 = 3 x 653 .* or for two rectangles"),
        ((97, 101), 97 * 101 + 1, {}, "1 to 9,797 pixels can be covered"),
        ((97, 101), 3, {"count": 4}, "4 to 9,797 pixels"),
        ((3, 200), 300, {"count": 4}, "at most 30 pixels; ask for at most 120"),
        ((20, 20), 390, {"count": 2, "gap": 3}, "no room|at most"),
        ((20, 20), 20, {"count": 5}, "ask for 1 to 4"),
        ((20, 20), 20, {"aspect": (2.0, 1.0)}, "the least first"),
        ((20, 20), 20, {"gap": -1}, "must not be negative"),
        ((0, 20), 20, {}, "at least one"),
    ],
)
def test_what_can_t_be_met_is_said(shape, pixels, options, sentence) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        random_rectangles(shape, pixels, **options)
    assert "\n" not in str(caught.value)
