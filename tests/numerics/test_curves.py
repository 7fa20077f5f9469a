"""Outlines: paths through drawn sections, curves with gaps, measures of known shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_framewise.numerics.curves import (
    OutlineCurve,
    Sightings,
    curve_measures,
    curve_vertices,
    outline_curve,
    outline_paths,
    outline_sightings,
    outline_strength,
)
from napari_framewise.samples.section import boundaries, drawn

Array = Any
SHAPE = (300, 450)


def section(seed: int, layers: int = 3, shape: tuple[int, int] = SHAPE) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    rows = boundaries(rng, shape, layers)
    return drawn(rows, rng, shape[0]), rows


def curves_of(image: Array, form: Any = "spline", **options: Any) -> list[OutlineCurve]:
    strength = outline_strength(image)
    paths = outline_paths(strength, **options)
    span = (0.0, image.shape[1] - 1.0)
    return [outline_curve(outline_sightings(path, strength), span, form) for path in paths]


def seen(x: Array, rows: Array, stretch: float = 4.0) -> Sightings:
    return Sightings(np.asarray(x, np.float64), np.asarray(rows), np.ones(len(x)), stretch)


@pytest.mark.parametrize(("form", "mean", "most"), [("spline", 0.45, 1.2), ("pieces", 0.6, 1.9)])
def test_every_outline_of_a_section_becomes_one_curve_near_its_truth(
    form: str, mean: float, most: float
) -> None:
    away = []
    x = np.arange(SHAPE[1])
    for seed in range(3):
        image, rows = section(seed)
        found = curves_of(image, form)
        assert len(found) == len(rows)
        for curve, row in zip(found, rows, strict=True):
            away.append(np.abs(curve.values(x) - row) / np.hypot(1, np.gradient(row)))
    assert np.mean(away) < mean
    assert np.percentile(away, 95) < most


@pytest.mark.parametrize("kind", ["noise", "flat", "smooth noise", "missing"])
def test_where_there_are_no_outlines_none_is_found(kind: str) -> None:
    rng = np.random.default_rng(5)
    frame = rng.normal(size=(120, 160))
    if kind == "flat":
        frame[:] = 3
    elif kind == "smooth noise":
        frame = ndimage.gaussian_filter(frame, 2)
    elif kind == "missing":
        frame[:] = np.nan
    assert outline_paths(outline_strength(frame)) == ()


def test_outlines_that_nearly_touch_do_not_change_places_in_a_gap() -> None:
    rng = np.random.default_rng(2)
    x, rows = np.arange(300), np.arange(120)[:, np.newaxis]
    upper, lower = np.full(300, 50.0), np.full(300, 62.0)
    image = rng.normal(0, 0.08, (120, 300))
    for line, gap in ((upper, slice(100, 150)), (lower, slice(200, 240))):
        shown = np.ones(300)
        shown[gap] = 0
        image -= np.exp(-((rows - line) ** 2) / 3) * shown
    found = curves_of(image)
    assert len(found) == 2
    for curve, line in zip(found, (upper, lower), strict=True):
        assert np.abs(curve.values(x) - line).max() < 1.0


def test_steep_sides_are_climbed_and_no_outline_is_made_up() -> None:
    rng = np.random.default_rng(3)
    rows, columns = np.indices((240, 300))
    line = 200 - 150 / (1 + np.exp(-(columns[0] - 150) / 6.0))
    slope = np.gradient(line)
    distance = (rows - line) / np.hypot(1, slope)
    image = rng.normal(0, 0.2, rows.shape) - np.exp(-(distance**2) / 3)
    (curve,) = curves_of(image)
    x = np.arange(300)
    assert np.abs(slope).max() > 5
    assert (np.abs(curve.values(x) - line) / np.hypot(1, slope)).max() < 2


def test_a_way_point_keeps_the_path_to_its_outline() -> None:
    frame = np.random.default_rng(0).normal(0, 0.1, (60, 80))
    frame[20] -= 2.0
    frame[40] -= 0.5
    strength = outline_strength(frame)
    (path,) = outline_paths(strength, 1)
    assert (np.abs(path.rows - 20) <= 1).all()
    (path,) = outline_paths(strength, 1, way_points=[[(40, 10), (40, 70)]])
    assert (np.abs(path.rows[10:71] - 40) <= 1).all()
    with pytest.raises(ValueError, match="row 90, column 10, outside of a frame of 60 x 80"):
        outline_paths(strength, 1, way_points=[[(90, 10)]])
    with pytest.raises(ValueError, match="0 outlines were asked for"):
        outline_paths(strength, 0)


def test_what_stands_under_a_mask_does_not_matter() -> None:
    image, _ = section(1, 1, (120, 160))
    mask = np.ones(image.shape, bool)
    mask[30:60, 40:90] = False
    strength = outline_strength(image, mask=mask)
    for value in (np.nan, 1e30, -5.0):
        again = outline_strength(np.where(mask, image, value), mask=mask)
        np.testing.assert_array_equal(again.strength, strength.strength)
        np.testing.assert_array_equal(again.detail, strength.detail)
    assert (strength.strength[~mask] == 0).all()


@given(st.floats(-8, 8), st.sampled_from([1e-9, 1e-3, 7.0, 1e9]))
@settings(max_examples=8, deadline=None)
def test_offset_and_unit_of_the_frame_do_not_matter(offset: float, unit: float) -> None:
    image, _ = section(3, 1, (60, 80))
    wanted = outline_strength(image).strength
    found = outline_strength(unit * (image + offset)).strength
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_the_number_of_straight_pieces_is_found_and_outliers_do_not_pull() -> None:
    rng = np.random.default_rng(4)
    x = np.arange(0.0, 800.0, 2.0)
    truth = np.interp(x, [0, 170, 390, 610, 798], [80, 20, 60, 30, 90])
    rows = truth + rng.normal(0, 0.5, 400)
    rows[rng.random(400) < 0.08] += 40
    keep = (x < 260) | (x > 320)
    curve = outline_curve(seen(x[keep], rows[keep]), (0, 798), "pieces")
    assert len(curve.knots) - 1 in (4, 5, 6)
    assert np.abs(curve.values(x) - truth).mean() < 0.2
    assert len(curve_vertices(curve)) == len(curve.knots)


@pytest.mark.parametrize("noise", [0.02, 0.3])
def test_an_outlier_at_the_edge_of_a_gap_swings_no_curve(noise: float) -> None:
    rng = np.random.default_rng(8)
    x = np.concatenate([np.arange(0.0, 200, 4), np.arange(260.0, 460, 4)])
    truth = 100 + 30 * np.sin(x / 90)
    rows = truth + rng.normal(0, noise, len(x))
    rows[49] += 6
    curve = outline_curve(seen(x, rows), (0, 456))
    at = np.arange(457.0)
    assert np.abs(curve.values(at) - 100 - 30 * np.sin(at / 90)).max() < 2.0 + 3 * noise
    assert curve.trust[49] < 0.1


def test_stated_errors_cover_the_truth() -> None:
    rng = np.random.default_rng(6)
    x = np.arange(0.0, 320.0, 4.0)
    at = np.arange(317.0)
    truth = 60 - 30 * np.exp(-(((at - 160) / 60) ** 2))
    scores, lengths = [], []
    for _ in range(30):
        rows = np.interp(x, at, truth) + rng.normal(0, 0.5, len(x))
        curve = outline_curve(seen(x, rows), (0, 316))
        scores.append((curve.values(at) - truth) / curve.deviation(at))
        length = curve_measures(curve).length
        lengths.append((length.value - np.hypot(np.diff(truth), 1).sum()) / length.error)
    assert 0.7 < np.sqrt(np.mean(np.square(scores))) < 1.3
    assert 0.6 < np.sqrt(np.mean(np.square(lengths))) < 2.2


def test_a_circular_arc_has_its_length_height_and_angles_in_units_of_its_pixels() -> None:
    radius, half = 200.0, 120.0
    x = np.arange(241.0)
    rows = 300 - np.sqrt(radius**2 - (x - half) ** 2)
    span = (0.0, 240.0)
    flat = outline_curve(seen(x, np.full(241, 300.0), 1.0), span)
    found = curve_measures(outline_curve(seen(x, rows, 1.0), span), (0.5, 0.5), flat)
    angle = np.arcsin(half / radius)
    assert found.length.value == pytest.approx(radius * angle, rel=1e-3)
    high = 0.5 * (radius - np.sqrt(radius**2 - half**2))
    assert found.height.value == pytest.approx(high, rel=1e-3)
    assert found.left.value == pytest.approx(np.degrees(angle), rel=0.02)
    assert found.right.value == pytest.approx(np.degrees(angle), rel=0.02)
    segment = radius**2 * angle + half * np.sqrt(radius**2 - half**2)
    assert found.area.value == pytest.approx(0.25 * segment, rel=1e-3)


@pytest.mark.parametrize("up", [1, -1])
def test_toes_are_where_a_bead_leaves_its_plate(up: int) -> None:
    x = np.arange(0.0, 400.0, 2.0)
    cap = np.sqrt(np.maximum(150.0**2 - (x - 200) ** 2, 0)) - np.sqrt(150.0**2 - 100.0**2)
    rows = 200 - up * np.maximum(cap, 0)
    found = curve_measures(outline_curve(seen(x, rows, 2.0), (0, 398), "pieces"))
    assert found.left_toe.value == pytest.approx(100, abs=8)
    assert found.right_toe.value == pytest.approx(300, abs=8)
    assert found.height.value == pytest.approx(up * (150 - np.sqrt(150.0**2 - 100.0**2)), rel=0.03)
    corner = np.degrees(np.arcsin(100 / 150))
    assert up * found.left.value == pytest.approx(corner, abs=8)
    assert up * found.right.value == pytest.approx(corner, abs=8)


def test_bad_input_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="an image"):
        outline_strength(np.zeros((3, 4, 5)))
    with pytest.raises(ValueError, match="sigma of 0"):
        outline_strength(np.eye(9), sigma=0)
    with pytest.raises(ValueError, match="one of equal shape"):
        outline_strength(np.eye(9), mask=np.ones((3, 3)))
    with pytest.raises(ValueError, match="seen in 2 places"):
        outline_curve(seen([1, 2], [1.0, 2.0]), (0, 9))
    with pytest.raises(ValueError, match="first must lie before"):
        outline_curve(seen(np.arange(9), np.arange(9.0)), (5, 5))


def test_a_high_bead_is_not_cut_short_along_its_neighbour() -> None:
    image, rows = section(7, shape=(600, 900))
    paths = outline_paths(outline_strength(image))
    assert len(paths) == len(rows)
    away = [np.abs(path.rows - row).mean() for path, row in zip(paths, rows, strict=True)]
    assert max(away) < 2
