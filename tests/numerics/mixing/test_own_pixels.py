from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from napari_framewise.numerics.mixing import Status, fit, prepare
from napari_framewise.numerics.mixing.consistent import pairs_of, products_of
from napari_framewise.numerics.mixing.own_pixels import first_sums, residual_sums
from napari_framewise.numerics.mixing.robust_kernel import reweighted, robust_points
from napari_framewise.numerics.mixing.small_systems import solve_packed

N, PIXELS = 5, 700


CENTRE, SCALE = np.zeros(PIXELS), np.ones(PIXELS)


@pytest.fixture(params=[1, 2])
def scene(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances with pixels missing, an orthonormal basis and solutions."""
    rng = np.random.default_rng(4)
    size = request.param
    basis = np.ascontiguousarray(np.linalg.qr(rng.normal(size=(PIXELS, size)))[0].T)
    points = rng.normal(0, 30, (N, size))
    distance = points @ basis + rng.normal(0, 1, (N, PIXELS))
    distance[rng.random(distance.shape) < 0.2] = np.nan
    return distance, basis, points


@pytest.mark.parametrize(("unknowns", "others"), [(2, 4), (1, 2)])
def test_first_sums_are_those_of_the_written_formula(unknowns: int, others: int) -> None:
    rng = np.random.default_rng(0)
    frames = rng.normal(100, 10, (N, PIXELS))
    frames[0, 3], frames[1, 4], frames[2] = np.nan, -np.inf, np.nan
    centre, scale, tilt = rng.normal(90, 5, (3, PIXELS))
    scale[600] = np.nan
    rows, seen_rows = (rng.normal(size=(k, PIXELS)) for k in (unknowns + 1, others))
    if unknowns == 1:
        # what is summed over known pixels begins with the products
        seen_rows[0] = rows[0] ** 2
    found = first_sums(frames, centre, scale, tilt, rows, seen_rows)
    seen = np.isfinite(frames) & np.isfinite(scale)
    distance = np.where(seen, (frames - centre) * scale, np.nan)
    plain = np.where(seen, distance, 0)
    level = np.where(seen, distance + tilt, 0)
    np.testing.assert_allclose(found.gradient, plain @ rows[:-1].T, rtol=1e-10)
    np.testing.assert_allclose(found.level, level @ rows[-1], rtol=1e-9)
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
    inverse = np.random.default_rng(1).uniform(5, 300, (N, len(products)))
    limit = np.full(N, 1.3) if robust else None
    found = residual_sums(
        distance,
        CENTRE,
        SCALE,
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


def test_weights_are_those_of_the_written_formula(scene: tuple[np.ndarray, ...]) -> None:
    distance, basis, points = scene
    products = products_of(basis)
    seen = np.isfinite(distance)
    left = np.where(seen, np.abs(distance - points @ basis), np.inf)
    limit = np.array([1.0, 0.2, 3.0, 1e-9, 1e9])
    gram, gradient = reweighted(distance, CENTRE, SCALE, basis, products, points, limit)
    weight = seen * limit[:, None] / np.maximum(np.where(seen, left, 0), limit[:, None])
    np.testing.assert_allclose(gram, weight @ products.T, rtol=1e-9, atol=1e-12)
    known = np.where(seen, distance, 0)
    np.testing.assert_allclose(gradient, (weight * known) @ basis.T, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("pixels", [20, 21, 900])
def test_robust_points_are_where_the_gradient_of_the_loss_vanishes(size: int, pixels: int) -> None:
    rng = np.random.default_rng(size)
    basis = np.ascontiguousarray(np.linalg.qr(rng.normal(size=(pixels, size)))[0].T)
    frames = 50 * rng.normal(size=(40, size)) @ basis + rng.normal(size=(40, pixels))
    frames += 300 * (rng.random(frames.shape) < 0.15)
    frames[::2][rng.random(frames[::2].shape) < 0.1] = np.nan
    seen = np.isfinite(frames)
    products, known = products_of(basis), seen.sum(axis=1)
    start, _, determined = solve_packed(
        seen @ products.T, np.where(seen, frames, 0) @ basis.T, 1e-10
    )
    assert determined.all()
    found = robust_points(frames, np.zeros(pixels), np.ones(pixels), basis, products, known, start)
    assert found.settled.all()
    left = np.where(seen, frames - found.points @ basis, 0)
    limit = 1.345 * found.scale[:, None]
    gradient = np.clip(left, -limit, limit) @ basis.T
    assert np.abs(gradient).max() < 1e-7 * limit.max()
    for frame, scale in zip(frames[:6], found.scale, strict=False):
        d, rows = frame[np.isfinite(frame)], basis[:, np.isfinite(frame)]
        assert scale == pytest.approx(scale_after_four_steps(d, rows), rel=1e-9)


def scale_after_four_steps(d: np.ndarray, rows: np.ndarray) -> float:
    """What iterated reweighting from the linear solution holds, as one writes it in NumPy."""
    t, scale = np.linalg.lstsq(rows.T, d, rcond=None)[0], 0.0
    for _ in range(4):
        e = np.abs(d - t @ rows)
        scale = float(np.median(e) / 0.6744897501960817)
        weight = np.minimum(1, 1.345 * scale / e)
        t = np.linalg.solve((weight * rows) @ rows.T, (weight * rows) @ d)
    return scale


def test_frames_of_which_the_references_noise_leaves_nothing_are_told_and_harm_none() -> None:
    rng = np.random.default_rng(0)
    references = rng.uniform(100, 3000, (2, 60))
    # beyond the first pixels the references hardly differ
    references[1, 8:] = references[0, 8:] + rng.normal(0, 1, 52)
    frames = rng.uniform(0, 1, (3, 2)) @ references + rng.normal(0, 90, (3, 60))
    frames[1, :8] = np.nan
    noise = np.full(references.shape, 40.0)
    found = fit(frames, prepare(references, constraint="none", reference_noise=noise))
    assert found.status.tolist() == [0, Status.PARTIAL | Status.UNDETERMINED, 0]
    assert np.isnan(found.coefficients[1]).all()
    assert np.isfinite(found.coefficients[[0, 2]]).all()


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
