from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from napari_framewise.numerics.mixing import fit, prepare
from napari_framewise.numerics.mixing.consistent import pairs_of, products_of
from napari_framewise.numerics.mixing.own_pixels import (
    first_sums,
    residual_sums,
    reweighted,
    sizes,
)

N, PIXELS = 5, 700


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances with pixels missing, an orthonormal basis and solutions."""
    rng = np.random.default_rng(4)
    basis = np.ascontiguousarray(np.linalg.qr(rng.normal(size=(PIXELS, 2)))[0].T)
    points = rng.normal(0, 30, (N, 2))
    distance = points @ basis + rng.normal(0, 1, (N, PIXELS))
    distance[rng.random(distance.shape) < 0.2] = np.nan
    return distance, basis, points


def test_first_sums_are_those_of_the_written_formula() -> None:
    rng = np.random.default_rng(0)
    frames = rng.normal(100, 10, (N, PIXELS))
    frames[0, 3], frames[1, 4], frames[2] = np.nan, -np.inf, np.nan
    centre, scale, tilt = rng.normal(90, 5, (3, PIXELS))
    scale[600] = np.nan
    rows, seen_rows = rng.normal(size=(3, PIXELS)), rng.normal(size=(4, PIXELS))
    found = first_sums(frames, centre, scale, tilt, rows, seen_rows)
    seen = np.isfinite(frames) & np.isfinite(scale)
    distance = np.where(seen, (frames - centre) * scale, np.nan)
    np.testing.assert_array_equal(found.distance, distance)
    plain = np.where(seen, distance, 0)
    level = np.where(seen, distance + tilt, 0)
    np.testing.assert_allclose(found.gradient, plain @ rows[:2].T, rtol=1e-10)
    np.testing.assert_allclose(found.level, level @ rows[2], rtol=1e-9)
    np.testing.assert_allclose(found.square, (level**2).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.seen, seen @ seen_rows.T, rtol=1e-9, atol=1e-9)
    assert found.n_pixels.tolist() == seen.sum(axis=1).tolist()


@pytest.mark.parametrize("errors", ["hc2", "hc3"])
@pytest.mark.parametrize("robust", [False, True])
def test_sums_of_residuals_are_those_of_the_written_formula(
    scene: tuple[np.ndarray, ...], errors: str, robust: bool
) -> None:
    distance, basis, points = scene
    products = products_of(basis)
    pairs = pairs_of(products)
    # a leverage above what shows its noise, too
    inverse = np.random.default_rng(1).uniform(5, 300, (N, 3))
    limit = np.full(N, 1.3) if robust else None
    found = residual_sums(
        distance,
        basis,
        points,
        products=products,
        inverse=inverse,
        errors=errors,  # type: ignore[arg-type]
        limit=limit,
        pairs=pairs,
    )
    seen = np.isfinite(distance)
    left = np.where(seen, distance - points @ basis, 0)
    most = np.inf if limit is None else limit[:, None]
    square = np.minimum(np.abs(left), most) ** 2
    leverage = inverse @ products
    divisor = np.maximum(1 - leverage, 1e-9) ** (2 if errors == "hc3" else 1)
    shown = seen & (leverage <= 0.95)
    assert (seen & ~shown).any()
    weight = shown / divisor
    wanted = {
        "rss": (left**2).sum(axis=1),
        "meat": (seen * square / divisor) @ products.T,
        "shown": shown @ products.T,
        "trace": (weight * (1 - leverage)) @ products.T,
        "alone": (weight**2 * (1 - 2 * leverage)) @ pairs.T,
        "packed": weight @ pairs.T,
    }
    if limit is not None:
        inside = seen & (np.abs(left) <= most)
        wanted |= {
            "clipped": square.sum(axis=1),
            "inside": inside.sum(axis=1).astype(float),
            "inside_products": inside @ products.T,
        }
    for name, values in wanted.items():
        size = np.abs(values).max()
        np.testing.assert_allclose(getattr(found, name), values, rtol=1e-9, atol=1e-12 * size)


def test_weights_and_sizes_are_those_of_the_written_formula(
    scene: tuple[np.ndarray, ...],
) -> None:
    distance, basis, points = scene
    products = products_of(basis)
    seen = np.isfinite(distance)
    left = np.where(seen, np.abs(distance - points @ basis), np.inf)
    np.testing.assert_allclose(sizes(distance, basis, points), left, rtol=1e-9, atol=1e-12)
    limit = np.array([1.0, 0.2, 3.0, 0.0, 1e9])
    gram, gradient = reweighted(distance, basis, points, limit, products)
    floor = np.where(limit > 0, limit, 1.0)[:, None]
    weight = seen * limit[:, None] / np.maximum(np.where(seen, left, 0), floor)
    np.testing.assert_allclose(gram, weight @ products.T, rtol=1e-9, atol=1e-12)
    known = np.where(seen, distance, 0)
    np.testing.assert_allclose(gradient, (weight * known) @ basis.T, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("loss", ["linear", "huber"])
@pytest.mark.parametrize("constraint", ["sum_to_one", "fully_constrained"])
def test_a_frame_s_numbers_do_not_depend_on_the_frames_beside_it(
    loss: str, constraint: str
) -> None:
    rng = np.random.default_rng(2)
    references = rng.uniform(500, 3000, (3, 9, 11))
    shares = rng.dirichlet(np.ones(3), 40)
    frames = np.tensordot(shares, references, 1) + rng.normal(0, 20, (40, 9, 11))
    frames[rng.random(frames.shape) < 0.05] = np.nan
    frames[rng.random(frames.shape) < 0.03] = 30000
    design = prepare(references, constraint=constraint, loss=loss, errors="hc2")  # type: ignore[arg-type]
    together = fit(frames, design)
    for number in (0, 7, 39):
        alone = fit(frames[number], design)
        for each in fields(alone):
            first, second = getattr(alone, each.name)[0], getattr(together, each.name)[number]
            np.testing.assert_allclose(first, second, rtol=1e-12, err_msg=each.name)
