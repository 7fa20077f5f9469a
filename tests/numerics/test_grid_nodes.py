"""Nodes of grids against scenes in closed form, with noise, gaps, and boards that are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import data

from napari_framewise.numerics.grid_nodes import Nodes, find_nodes, lattice_of, shift_between
from napari_framewise.numerics.grid_nodes.trusting import is_grid
from napari_framewise.samples.pressure import PITCH, Pattern, nodes_of, seen, view

PATTERNS: tuple[Pattern, ...] = ("chessboard", "dots", "lines")


def scene(pattern: Pattern, pressure: float = 5.0, noise: float = 3.0, seed: int = 1) -> np.ndarray:
    return view(pattern, pressure, shape=(300, 380), count=(5, 7), noise=noise, seed=seed)


def truth(pressure: float = 5.0) -> np.ndarray:
    return seen(nodes_of((300, 380), (5, 7)), pressure, (300, 380))


def misfit(found: Nodes, where: np.ndarray) -> np.ndarray:
    """Distance of every node to the true one of its row and column, which all must have."""
    rows, columns = found.shape
    return np.hypot(*(found.places - where.reshape(rows, columns, 2)[tuple(found.index.T)]).T)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("pressure", [0.0, 3.0, 5.0])
def test_nodes_are_where_they_are(pattern: Pattern, pressure: float) -> None:
    found = find_nodes(scene(pattern, pressure), pattern)
    assert found.shape == (5, 7)
    assert found.missing == 0
    off = misfit(found, truth(pressure))
    assert np.sqrt((off**2).mean()) < 0.04
    assert off.max() < 0.13


@pytest.mark.parametrize("pattern", PATTERNS)
def test_bright_ink_on_dark_ground_is_the_same_grid(pattern: Pattern) -> None:
    image = scene(pattern)
    dark, bright = find_nodes(image, pattern), find_nodes(255 - image, pattern)
    np.testing.assert_allclose(bright.places, dark.places, atol=2e-3)
    if pattern != "chessboard":
        said = find_nodes(255 - image, pattern, dark=False)
        np.testing.assert_array_equal(said.places, bright.places)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_stated_errors_are_the_scatter_over_noise(pattern: Pattern) -> None:
    runs = [find_nodes(scene(pattern, 2.0, seed=seed), pattern) for seed in range(8)]
    whole = [each for each in runs if each.missing == 0 and each.shape == (5, 7)]
    assert len(whole) >= len(runs) - 1
    runs = whole
    scatter = np.std([each.places for each in runs], axis=0, ddof=1)
    stated = np.mean([each.errors for each in runs], axis=0)
    assert np.sqrt((scatter**2).mean()) / np.sqrt((stated**2).mean()) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_board_cut_by_the_border_is_found_as_far_as_it_is_seen(pattern: Pattern) -> None:
    found = find_nodes(scene(pattern)[:, 130:], pattern)
    assert found.shape[0] == 5
    assert 3 <= found.shape[1] <= 5
    away, _ = cKDTree(truth() - [0, 130]).query(found.places)
    assert np.sqrt((away**2).mean()) < 0.05


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_lies_under_a_gap_has_no_say(pattern: Pattern) -> None:
    image = scene(pattern)
    mask = np.ones(image.shape, bool)
    mask[110:190, 150:230] = False
    one = find_nodes(np.where(mask, image, 1e6), pattern, mask=mask)
    other = find_nodes(np.where(mask, image, np.nan), pattern)
    np.testing.assert_array_equal(one.places, other.places)
    assert 0 < one.missing < 12
    assert np.sqrt((misfit(one, truth()) ** 2).mean()) < 0.05


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("power", [-40, 40])
def test_units_of_the_image_change_no_bit(pattern: Pattern, power: int) -> None:
    image = scene(pattern)
    plain, scaled = find_nodes(image, pattern), find_nodes(image * 2.0**power, pattern)
    np.testing.assert_array_equal(plain.places, scaled.places)
    np.testing.assert_array_equal(plain.errors, scaled.errors)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_board_turned_by_a_quarter_has_rows_that_run_down(pattern: Pattern) -> None:
    found = find_nodes(np.rot90(scene(pattern)), pattern)
    assert found.shape == (7, 5)
    steps = np.diff(found.places.reshape(7, 5, 2), axis=0)
    assert (steps[..., 0] > 0).all()


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((60, 80)),
        np.full((60, 80), np.nan),
        np.random.default_rng(0).normal(size=(120, 160)),
        np.add.outer(np.arange(60.0), np.arange(80.0)),
        np.ones((1, 1)),
        np.where(np.hypot(*(np.indices((90, 90)) - 45)) < 20, 1.0, 0.0),
    ],
    ids=["flat", "no data", "noise", "ramp", "pixel", "disc"],
)
def test_what_is_no_grid_has_no_nodes(pattern: Pattern, image: np.ndarray) -> None:
    found = find_nodes(image, pattern)
    assert len(found.places) == 0


@pytest.mark.parametrize(
    ("pattern", "image"),
    [
        ("lines", data.coins()),
        ("dots", data.page()),
        ("chessboard", data.text()),
        (
            "chessboard",
            ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(480, 640)), 9),
        ),
    ],
    ids=["coins", "page", "text", "smooth noise"],
)
def test_what_happens_to_lie_in_rows_is_no_grid(pattern: Pattern, image: np.ndarray) -> None:
    assert len(find_nodes(image, pattern).places) == 0


def test_rows_of_dots_are_no_lines_and_their_gaps_no_chessboard() -> None:
    image = scene("dots")
    assert len(find_nodes(image, "lines").places) == 0
    assert len(find_nodes(image, "chessboard").places) == 0


@pytest.mark.parametrize(("pattern", "most"), [("chessboard", 0.04), ("dots", 0.02)])
def test_uneven_light_moves_no_node(pattern: Pattern, most: float) -> None:
    """By 0.1 to 0.3 pixels where light is not looked at."""
    image = scene(pattern, noise=0.0)
    y, x = np.indices(image.shape)
    light = 0.1 + 0.9 * np.exp(-((y - 80) ** 2 + (x - 230) ** 2) / 2 / 150**2)
    noisy = image * light + np.random.default_rng(2).normal(0, 0.3, image.shape)
    found = find_nodes(noisy, pattern)
    assert found.missing == 0
    assert np.sqrt((misfit(found, truth()) ** 2).mean()) < most


@pytest.mark.parametrize("pattern", ["chessboard", "dots"])
def test_noise_as_strong_as_the_contrast_leaves_no_wrong_node(pattern: Pattern) -> None:
    found = find_nodes(scene(pattern, 2.0, noise=160.0), pattern)
    away, _ = cKDTree(truth(2.0)).query(found.places)
    assert len(away) > 20
    assert away.max() < 4


def test_a_second_board_is_counted() -> None:
    image = np.concatenate([scene("dots", 0.0), scene("dots", 2.0)[:, 150:]], axis=1)
    found = find_nodes(image, "dots")
    assert len(found.places) == 35
    assert found.others >= 15
    assert find_nodes(scene("dots"), "dots").others == 0


def test_thousands_of_nodes_are_a_grid_and_as_many_of_noise_are_none() -> None:
    index = np.argwhere(np.ones((70, 70)))
    rng = np.random.default_rng(0)
    places = 20.0 * index + rng.normal(0, 0.3, index.shape)
    assert is_grid(places, index, 50)
    assert not is_grid(20.0 * index + rng.uniform(-3, 3, index.shape), index, 50)


def test_a_disc_seen_through_a_bent_map_is_not_its_centroid() -> None:
    """Without the correction dots are off by several hundredths of a pixel at the rim."""
    found = find_nodes(view("dots", 5.0, noise=0.0), "dots")
    assert misfit(found, seen(nodes_of(), 5.0)).max() < 0.015


@given(
    angle=st.floats(0, 6.28),
    bend=st.floats(-0.02, 0.02),
    drop=st.integers(0, 12),
    extra=st.integers(0, 8),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=25, deadline=None)
def test_a_lattice_is_counted_whatever_its_turn(
    angle: float, bend: float, drop: int, extra: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    index = np.argwhere(np.ones((7, 9)))
    at = (index - [3, 4]).astype(float)
    at = at + bend * at * (at**2).sum(axis=1, keepdims=True) / 5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    places = 20 * at @ turn + rng.normal(0, 0.3, at.shape)
    kept = rng.permutation(63)[drop:]
    stray = rng.uniform(-60, 60, (extra, 2))
    stray = stray[cKDTree(places).query(stray)[0] > 8] if extra else stray
    given_places = np.concatenate([places[kept], stray])
    found = lattice_of(given_places)
    assert found is not None
    true = found.chosen < len(kept)
    assert true.sum() >= 0.85 * len(kept)
    rows = index[kept[found.chosen[true]]]
    # Counted alike up to a turn of the grid by quarters and a shift.
    differences = found.index[true] - found.index[true][0]
    expected = rows - rows[0]
    if np.mean(np.abs(differences) == np.abs(expected)) < 0.5:
        expected = expected[:, ::-1]
    # A stray place in line with the grid may be taken for a node, and lead to a few others.
    assert (np.abs(differences) == np.abs(expected)).all(axis=1).mean() > 0.9


def test_rows_and_columns_are_matched_by_the_least_motion() -> None:
    index = np.argwhere(np.ones((6, 8)))
    places = PITCH * index.astype(float)
    shifted = index[index[:, 1] > 1] - [0, 2]
    moved = places[index[:, 1] > 1] + [9.0, -14.0]
    assert shift_between(moved, shifted, places, index) == (0, 2)
    assert shift_between(places, index, places, index) == (0, 0)


def test_what_cannot_be_searched_is_said() -> None:
    with pytest.raises(ValueError, match="pattern 'circles'"):
        find_nodes(np.ones((20, 20)), "circles")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="plane of real"):
        find_nodes(np.ones((20, 20), complex), "dots")
    with pytest.raises(ValueError, match="same shape"):
        find_nodes(np.ones((20, 20)), "dots", mask=np.ones((3, 3)))


@pytest.mark.parametrize("asked", PATTERNS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_another_pattern_than_the_one_asked_for_is_refused(
    pattern: Pattern, asked: Pattern
) -> None:
    found = find_nodes(scene(pattern, 3.0, noise=20.0), asked)
    assert len(found.places) == (35 if asked == pattern else 0)
    assert found.lack in (("",) if asked == pattern else ("", "pattern"))


def test_what_an_image_lacks_is_said() -> None:
    flat = np.full((60, 80), 7.0)
    assert find_nodes(flat, "dots").lack == "contrast"
    assert find_nodes(np.full((60, 80), np.nan), "dots").lack == "data"
    assert find_nodes(scene("chessboard"), "dots").lack == "pattern"


@pytest.mark.parametrize(
    ("pattern", "noise", "lit"),
    [("lines", 80.0, False), ("dots", 80.0, False), ("chessboard", 3.0, True)],
)
def test_stated_errors_hold_in_strong_noise_and_in_a_spot_of_light(
    pattern: Pattern, noise: float, lit: bool
) -> None:
    shape, count = (300, 420), (5, 8)
    image = view(pattern, 2.0, shape=shape, count=count, noise=0.0)
    rows, columns = np.indices(shape)
    if lit:
        image *= 0.1 + 0.9 * np.exp(-((rows - 150) ** 2 + (columns - 210) ** 2) / (2 * 100.0**2))
    image += np.random.default_rng(3).normal(0, noise, shape)
    found = find_nodes(image, pattern)
    where = seen(nodes_of(shape, count), 2.0, shape)
    away, _ = cKDTree(where).query(found.places)
    assert len(away) >= 38
    true, stated = np.sqrt((away**2).mean() / 2), np.sqrt((found.errors**2).mean())
    assert true / stated == pytest.approx(1, abs=0.35)
    if lit:
        assert true < 0.045
