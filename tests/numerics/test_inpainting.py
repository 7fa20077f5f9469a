"""Filling by exemplars, against brute force, textures that go on, and invariants."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_framewise.numerics.inpainting import (
    Filling,
    Settings,
    Workspace,
    begun,
    fill,
    with_hole,
)
from napari_framewise.numerics.inpainting.front import Front, front_of
from napari_framewise.numerics.inpainting.kernels import best_patch

Array = npt.NDArray[Any]


def by_brute_force(
    image: Array, usable: Array, known: Array, place: tuple[int, int], radius: int
) -> tuple[float, float, int]:
    """Least sum, squared distance and number of the best centre, by trying all of them."""
    height, width = usable.shape
    found = []
    for row in range(radius, height - radius):
        for column in range(radius, width - radius):
            if not usable[
                row - radius : row + radius + 1, column - radius : column + radius + 1
            ].all():
                continue
            total = 0.0
            for down in range(-radius, radius + 1):
                for right in range(-radius, radius + 1):
                    at = place[0] + down, place[1] + right
                    inside = 0 <= at[0] < height and 0 <= at[1] < width
                    if inside and known[at]:
                        total += float(((image[row + down, column + right] - image[at]) ** 2).sum())
            away = (row - place[0]) ** 2 + (column - place[1]) ** 2
            found.append((total, float(away), row * width + column))
    return min(found)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([1, 3]), st.sampled_from([3, 5]))
def test_the_first_patch_is_the_best_of_all(seed: int, channels: int, size: int) -> None:
    random = np.random.default_rng(seed)
    # Few values, so that many patches tie.
    image = random.integers(0, 3, (14, 17, channels)).astype(float)
    hole = np.zeros((14, 17), bool)
    hole[5:10, 6:11] = True
    workspace = Workspace(image, Settings(size=size))
    for _ in workspace.step(begun(hole)):
        pass
    assert workspace.after is not None
    (patch,) = workspace.after.patches
    least, _, number = by_brute_force(image, ~hole, ~hole, (patch.row, patch.column), size // 2)
    assert (patch.source_row * 17 + patch.source_column) == number
    compared = channels * (
        (~hole)[
            patch.row - size // 2 : patch.row + size // 2 + 1,
            patch.column - size // 2 : patch.column + size // 2 + 1,
        ].sum()
    )
    assert patch.difference == pytest.approx(np.sqrt(least / compared))


def test_the_search_gives_up_nothing_where_many_patches_are_alike() -> None:
    planes = np.zeros((1, 5000))
    planes[0, 4321] = 1.0
    best = np.array([np.inf, np.inf, -1])
    runs = np.array([[0, 2000], [2500, 4999]])
    best_patch(planes, runs, np.array([0, 1]), np.array([[1.0], [0.0]]), 100, 0, best)
    assert best[2] == 4321
    best = np.array([np.inf, np.inf, -1])
    best_patch(planes, runs, np.array([0, 1]), np.array([[0.0], [0.0]]), 100, 1234, best)
    assert best.tolist() == [0.0, 0.0, 1234.0]


def checks(shape: tuple[int, int] = (30, 34)) -> Array:
    rows, columns = np.indices(shape)
    return np.asarray(60.0 * ((rows // 3 + columns // 3) % 2) + 2.0 * (columns % 3))


@pytest.mark.parametrize("place", [(10, 12), (0, 0), (0, 14), (24, 28)])
def test_a_texture_goes_on_through_a_hole_also_at_the_border(place: tuple[int, int]) -> None:
    hole = np.zeros((30, 34), bool)
    hole[place[0] : place[0] + 6, place[1] : place[1] + 6] = True
    filling = fill(np.where(hole, 7, checks()), hole, Settings(size=7))
    np.testing.assert_array_equal(filling.applied(np.where(hole, 7, checks())), checks())
    assert filling.done
    assert not filling.left


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_every_pixel_is_a_copy_and_what_stands_in_the_hole_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    image = random.normal(size=(22, 25))
    hole = np.zeros((22, 25), bool)
    for _ in range(3):
        row, column = random.integers(0, 20, 2)
        hole[row : row + random.integers(1, 6), column : column + random.integers(1, 6)] = True
    source = random.random((22, 25)) > 0.001
    filling = fill(image, hole, Settings(size=3), source=source)
    other = fill(np.where(hole, 1e9, image), hole, Settings(size=3), source=source)
    np.testing.assert_array_equal(other.source, filling.source)
    assert filling.patches == other.patches
    done = filling.source >= 0
    assert done.all() or filling.stuck
    assert (~hole & source).ravel()[filling.source[done]].all()
    np.testing.assert_array_equal(
        filling.applied(image)[hole][done], image.ravel()[filling.source[done]]
    )
    assert ((filling.confidence[done] > 0) & (filling.confidence[done] <= 1)).all()
    # Once filled, a pixel stays as it is.
    assert sorted(set(filling.order[done].tolist())) == list(range(len(filling.patches)))


@pytest.mark.parametrize("unit", [2.0**-60, 2.0**60, 1e6])
def test_units_change_no_choice(unit: float) -> None:
    image = np.random.default_rng(5).integers(0, 200, (24, 24)).astype(float)
    hole = np.zeros((24, 24), bool)
    hole[9:15, 8:16] = True
    plain, scaled = fill(image, hole, Settings(size=5)), fill(image * unit, hole, Settings(size=5))
    np.testing.assert_array_equal(plain.source, scaled.source)


def test_turned_and_mirrored_images_are_filled_alike() -> None:
    image = np.random.default_rng(1).normal(size=(26, 26))
    hole = np.zeros((26, 26), bool)
    hole[9:16, 11:17] = True
    expected = fill(image, hole, Settings(size=5)).applied(image)
    for turn in (lambda a: a.T, lambda a: a[::-1], np.rot90):
        got = fill(turn(image), turn(hole), Settings(size=5)).applied(turn(image))
        np.testing.assert_array_equal(got, turn(expected))


def test_missing_pixels_are_neither_filled_nor_copied_and_an_island_is_left() -> None:
    image = checks()
    image[:, 10:20] = np.nan
    hole = np.zeros((30, 34), bool)
    hole[12:16, 2:6] = hole[14:16, 14:16] = True
    filling = fill(image, hole, Settings(size=5))
    found = filling.applied(image)
    assert np.isfinite(found[12:16, 2:6]).all()
    assert np.isnan(found[:, 10:20]).all()
    assert filling.stuck
    assert filling.left == 4


def test_the_front_of_a_disc_has_radial_normals() -> None:
    rows, columns = np.indices((80, 80)) - 40.0
    target = np.hypot(rows, columns) <= 30
    places, found = front_of(target, 4.0)
    radial = places - 40.0
    radial /= np.hypot(*radial.T)[:, None]
    angles = np.degrees(np.arccos(np.clip((radial * found).sum(axis=1), -1, 1)))
    assert np.sqrt((angles**2).mean()) < 2
    assert target[tuple(places.T)].all()


def test_the_front_is_the_same_whatever_was_done_before() -> None:
    random = np.random.default_rng(2)
    target = np.zeros((150, 160), bool)
    target[20:130, 30:140] = True
    front = Front(target, 2.0)
    for _ in range(30):
        row, column = random.integers(15, 130, 2)
        box = slice(row, row + 9), slice(column, column + 9)
        target[box] = False
        front.changed(box)
    fresh = Front(target, 2.0)
    order = [np.lexsort(each.places.T) for each in (front, fresh)]
    np.testing.assert_array_equal(front.places[order[0]], fresh.places[order[1]])
    np.testing.assert_array_equal(front.normals[order[0]], fresh.normals[order[1]])


def test_a_straight_edge_goes_on_first_and_straight() -> None:
    rows, columns = np.indices((60, 60))
    image = np.where(columns + 0.3 * rows < 38, 40.0, 160.0)
    hole = np.hypot(rows - 30, columns - 29) < 11
    filling: Filling = fill(image, hole)
    wrong = (filling.applied(image) != image)[hole].mean()
    assert wrong < 0.03
    with pytest.raises(ValueError, match="odd"):
        Settings(size=4)
    with pytest.raises(ValueError, match="0 to 1"):
        Settings(structure=2.0)
    with pytest.raises(ValueError, match="same shape"):
        Workspace(image, Settings(), source=np.ones((3, 3)))


def test_a_filling_stays_what_it_is_whatever_is_done_after_it() -> None:
    """Fillings share what they have in common; going back and on otherwise leaves the first way."""
    image = np.random.default_rng(8).integers(0, 200, (40, 44)).astype(float)
    hole = np.zeros(image.shape, bool)
    hole[10:26, 12:30] = True
    workspace = Workspace(image, Settings(size=5))

    def after(filling: Filling) -> Filling:
        for _ in workspace.step(filling):
            pass
        assert workspace.after is not None
        return workspace.after

    def told(filling: Filling) -> list[np.ndarray]:
        maps = (filling.source, filling.order, filling.confidence, filling.priority, filling.log)
        return [each.copy() for each in maps]

    way = [begun(hole)]
    while not way[-1].done:
        way.append(after(way[-1]))
    assert len(way) > 6
    seen = [told(each) for each in way]
    smaller = hole.copy()
    smaller[10:13] = False
    other = with_hole(way[3], smaller)
    while not other.done:
        other = after(other)
    assert other.left == 0
    again = way[4]
    while not again.done:
        again = after(again)
    for each, before in zip(way, seen, strict=True):
        for now, then in zip(told(each), before, strict=True):
            np.testing.assert_array_equal(now, then)
    for mine, first in zip(told(again), seen[-1], strict=True):
        np.testing.assert_array_equal(mine, first)
    lefts = [each.left for each in way]
    assert lefts == [int(each.target.sum()) for each in way]
    assert lefts[0] == hole.sum()
    assert lefts[-1] == 0
