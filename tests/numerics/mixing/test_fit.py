from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.numerics import mixing

MODELS: list[dict[str, Any]] = [
    {"constraint": "sum_to_one"},
    {"constraint": "sum_to_one", "offset": True},
    {"constraint": "none"},
    {"constraint": "none", "offset": True},
    {"constraint": "sum_to_one", "gain": True},
    {"constraint": "sum_to_one", "gain": True, "offset": True},
]


def plain_solution(
    frames: np.ndarray, references: np.ndarray, weight: np.ndarray, **model: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients, classical errors and residual sums by np.linalg.lstsq on the written model."""
    count = len(references)
    flat = references.reshape(count, -1)
    target = frames.reshape(len(frames), -1)
    tied = model["constraint"] == "sum_to_one" and not model.get("gain")
    columns = (flat[:-1] - flat[-1]).T if tied else flat.T
    if tied:
        target = target - flat[-1]
    if model.get("offset"):
        columns = np.column_stack([columns, np.ones(flat.shape[1])])
    root = np.sqrt(weight.reshape(-1))
    scaled = columns * root[:, None]
    solution, _, _, _ = np.linalg.lstsq(scaled, (target * root).T, rcond=None)
    left = (target - (columns @ solution).T) * root
    rss = (left**2).sum(axis=1)
    variance = rss / (np.count_nonzero(root) - columns.shape[1])
    covariance = np.linalg.inv(scaled.T @ scaled)
    b = solution.T
    if tied:
        last = 1 - b[:, : count - 1].sum(axis=1, keepdims=True)
        spread = np.zeros((count, columns.shape[1]))
        spread[: count - 1, : count - 1] = np.eye(count - 1)
        spread[-1, : count - 1] = -1
        b = np.hstack([b[:, : count - 1], last])
        covariance = spread @ covariance @ spread.T
    else:
        b, covariance = b[:, :count], covariance[:count, :count]
    if model.get("gain"):
        errors = np.empty_like(b)
        for i, row in enumerate(b):
            slope = (np.eye(count) - np.outer(row / row.sum(), np.ones(count))) / row.sum()
            errors[i] = np.sqrt(np.diag(slope @ covariance @ slope.T) * variance[i])
        return b / b.sum(axis=1, keepdims=True), errors, rss
    return b, np.sqrt(np.outer(variance, np.diag(covariance))), rss


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("weighted", [False, True])
def test_agrees_with_least_squares_of_the_written_model(scene, model, count, weighted) -> None:
    references, _, frames = scene(count=count)
    weight = np.ones(references.shape[1:])
    if weighted:
        weight = np.random.default_rng(1).uniform(0.2, 3.0, weight.shape)
        weight[2, 3:6] = 0
    design = mixing.prepare(references, weights=weight if weighted else None, **model)
    fit = mixing.fit(frames, design)
    b, errors, rss = plain_solution(frames, references, weight, **model)
    np.testing.assert_allclose(fit.coefficients, b, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(fit.unconstrained, b, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(fit.errors, errors, rtol=1e-9)
    np.testing.assert_allclose(fit.rss, rss, rtol=1e-10)
    np.testing.assert_allclose(fit.rmse, np.sqrt(rss / weight.sum()), rtol=1e-10)
    used = weight.reshape(-1)
    flat = frames.reshape(len(frames), -1)
    mean = flat @ used / used.sum()
    tss = ((flat - mean[:, None]) ** 2) @ used
    np.testing.assert_allclose(fit.r2, 1 - rss / tss, atol=1e-11)
    diagonal = np.diagonal(fit.covariance, axis1=1, axis2=2)
    np.testing.assert_allclose(diagonal, errors**2, rtol=1e-9)
    assert (fit.n_pixels == np.count_nonzero(used)).all()
    assert (fit.dof == fit.n_pixels - design.n_unknowns).all()
    assert not fit.status.any()
    if model["constraint"] == "sum_to_one":
        np.testing.assert_allclose(fit.coefficients.sum(axis=1), 1, atol=1e-14)


@pytest.mark.parametrize("model", MODELS[:4:3])
def test_gives_offset_and_its_error(scene, model) -> None:
    references, _shares, frames = scene(n=400, count=3)
    shifts = np.linspace(-300, 300, len(frames))
    design = mixing.prepare(references, **{**model, "offset": True})
    fit = mixing.fit(frames + shifts[:, None, None], design)
    z = (fit.offset - shifts) / fit.offset_errors
    assert 0.9 < z.std() < 1.1
    plain = mixing.fit(frames, mixing.prepare(references, **{**model, "offset": False}))
    assert (plain.offset == 0).all()
    assert np.isnan(plain.offset_errors).all()


def test_gives_gain_and_its_error(scene) -> None:
    references, shares, frames = scene(n=400)
    gains = np.linspace(0.5, 1.5, len(frames))
    noise = frames - np.tensordot(shares, references, 1)
    frames = gains[:, None, None] * (frames - noise) + noise
    fit = mixing.fit(frames, mixing.prepare(references, gain=True))
    assert 0.9 < ((fit.gain - gains) / fit.gain_errors).std() < 1.1
    assert 0.9 < ((fit.coefficients - shares) / fit.errors).std() < 1.1


def test_a_frame_without_positive_gain_has_no_shares(scene) -> None:
    references, _, frames = scene()
    frames[3] = -frames[3]
    fit = mixing.fit(frames, mixing.prepare(references, gain=True))
    assert np.isnan(fit.coefficients[3]).all()
    assert np.isnan(fit.errors[3]).all()
    assert fit.status[3] == mixing.Status.NO_GAIN
    assert np.isfinite(np.delete(fit.coefficients, 3, axis=0)).all()


DTYPES = "uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64 longdouble"


@pytest.mark.parametrize("dtype", [*DTYPES.split(), ">u2", ">f4", ">f8", "bool"])
def test_every_real_dtype_gives_what_its_values_say(dtype) -> None:
    rng = np.random.default_rng(3)
    references = rng.integers(0, 2 if dtype == "bool" else 100, (2, 6, 11)).astype(dtype)
    frames = rng.integers(0, 2 if dtype == "bool" else 100, (9, 6, 11)).astype(dtype)
    fit = mixing.fit(frames, mixing.prepare(references, offset=True))
    same = mixing.fit(
        frames.astype(np.float64), mixing.prepare(references.astype(np.float64), offset=True)
    )
    np.testing.assert_allclose(fit.coefficients, same.coefficients, rtol=1e-12)
    np.testing.assert_allclose(fit.errors, same.errors, rtol=1e-12)


@pytest.mark.parametrize("model", [{}, {"offset": True, "errors": "consistent"}])
def test_layout_does_not_matter(scene, model) -> None:
    references, _, frames = scene(n=21)
    frames = np.rint(frames).astype(np.uint16)
    design = mixing.prepare(references, **model)
    expected = mixing.fit(frames, design)
    frozen = frames.copy()
    frozen.flags.writeable = False
    padded = np.zeros((42, 9, 13), np.uint16)
    padded[::2, 1:8, 2:11] = frames
    for other in (np.asfortranarray(frames), frozen, padded[::2, 1:8, 2:11], frames[::-1][::-1]):
        fit = mixing.fit(other, design)
        for field in fields(mixing.MixingFit):
            np.testing.assert_array_equal(getattr(fit, field.name), getattr(expected, field.name))


@pytest.mark.parametrize("model", [{}, {"errors": "consistent"}, {"constraint": "non_negative"}])
@given(n=st.integers(0, 13), cut=st.integers(0, 13))
def test_blocks_of_any_size_give_the_same_rows(model, n, cut) -> None:
    rng = np.random.default_rng(5)
    references = rng.uniform(0, 100, (2, 5, 5))
    frames = rng.uniform(0, 100, (n, 5, 5)).astype(np.float32)
    design = mixing.prepare(references, **model)
    whole = mixing.fit(frames, design)
    joined = mixing.concatenate([mixing.fit(part, design) for part in np.split(frames, [cut])])
    for field in fields(mixing.MixingFit):
        np.testing.assert_array_equal(getattr(whole, field.name), getattr(joined, field.name))
    assert len(whole) == n


@pytest.mark.parametrize("shape", [(40,), (3, 4, 5), (6, 7, 3)])
def test_frames_of_any_shape(scene, shape) -> None:
    references, shares, frames = scene(shape=shape, noise=1e-6)
    design = mixing.prepare(references)
    fit = mixing.fit(frames, design)
    np.testing.assert_allclose(fit.coefficients, shares, atol=1e-8)
    one = mixing.fit(frames[4], design)
    assert len(one) == 1
    np.testing.assert_array_equal(one.coefficients[0], fit.coefficients[4])
    assert mixing.predict(design, one).shape == (1, *shape)
    assert mixing.residual(frames[4], design, one).shape == (1, *shape)


@pytest.mark.parametrize("constraint", ["sum_to_one", "none", "fully_constrained"])
@pytest.mark.parametrize("errors", ["classical", "consistent"])
@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_pixels_without_data_are_left_out_of_their_frame_only(
    scene, constraint, errors, hole
) -> None:
    references, _, frames = scene(count=3)
    options = {"constraint": constraint, "errors": errors, "offset": True}
    plain = mixing.fit(frames, mixing.prepare(references, **options))
    keep = np.ones(frames.shape[1:], bool)
    keep[2, 1:7] = False
    expected = mixing.fit(frames, mixing.prepare(references, mask=keep, **options))
    holed = frames.copy()
    holed[1::2][:, ~keep] = hole
    fit = mixing.fit(holed, mixing.prepare(references, **options))
    for field in fields(mixing.MixingFit):
        own, masked, whole = (getattr(each, field.name) for each in (fit, expected, plain))
        np.testing.assert_array_equal(own[::2], whole[::2])
        if field.name == "status":
            assert (own[1::2] == masked[1::2] | mixing.Status.PARTIAL).all()
        else:
            np.testing.assert_allclose(own[1::2], masked[1::2], rtol=1e-9, atol=1e-12)


def test_frames_without_data_are_rows_of_nan_with_a_status(scene) -> None:
    references, _, frames = scene(n=6)
    frames[2] = np.nan
    frames[3] = np.nan
    frames[3, 0, 0] = 5.0
    fit = mixing.fit(frames, mixing.prepare(references, offset=True))
    assert fit.status.tolist() == [
        0,
        0,
        mixing.Status.NO_DATA,
        mixing.Status.UNDETERMINED | mixing.Status.PARTIAL,
        0,
        0,
    ]
    for name in ("coefficients", "errors", "unconstrained", "rss", "r2", "offset"):
        values = getattr(fit, name).reshape(6, -1)
        assert np.isnan(values[2:4]).all()
        assert np.isfinite(np.delete(values, [2, 3], axis=0)).all()
    assert mixing.diagnostics(fit) == (
        "1 frame held no data.",
        "1 frame had pixels without data, which were left out.",
        "1 frame had too few pixels left to tell the references apart.",
    )
    nothing = mixing.fit(np.full_like(frames, np.nan), mixing.prepare(references))
    assert np.isnan(nothing.coefficients).all()


def test_no_frames_give_no_rows(scene) -> None:
    references, _, frames = scene()
    design = mixing.prepare(references, constraint="fully_constrained", errors="consistent")
    fit = mixing.fit(frames[:0], design)
    assert len(fit) == 0
    assert fit.covariance.shape == (0, 2, 2)
    assert mixing.predict(design, fit).shape == (0, *frames.shape[1:])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300, -1e9])
@pytest.mark.parametrize("errors", ["classical", "consistent"])
def test_what_stands_under_a_mask_does_not_matter(scene, value, errors) -> None:
    references, _, frames = scene()
    mask = np.ones(frames.shape[1:])
    mask[1:3, 2:5] = 0
    hidden = mask == 0
    design = mixing.prepare(references, mask=mask, errors=errors)
    expected = mixing.fit(frames, design)
    frames[:, hidden] = value
    odd = references.copy()
    odd[:, hidden] = value
    fit = mixing.fit(frames, mixing.prepare(odd, mask=mask, errors=errors))
    for name in ("coefficients", "errors", "rss", "r2", "n_pixels", "status"):
        np.testing.assert_allclose(getattr(fit, name), getattr(expected, name), rtol=1e-11)


def test_pixels_where_a_reference_has_no_data_are_left_out_and_counted(scene) -> None:
    references, _, frames = scene()
    keep = np.ones(frames.shape[1:], bool)
    keep[0, :4] = False
    expected = mixing.fit(frames, mixing.prepare(references, mask=keep))
    references[0, 0, :3] = np.nan
    references[1, 0, 2:4] = np.inf
    design = mixing.prepare(references)
    assert design.reference_pixels_left_out == 4
    fit = mixing.fit(frames, design)
    np.testing.assert_allclose(fit.coefficients, expected.coefficients, rtol=1e-12)
    assert np.isnan(mixing.predict(design, fit)[:, 0, :4]).all()
    assert np.isfinite(mixing.predict(design, fit)[:, 1:]).all()


def test_a_masked_array_is_an_array_with_nan(scene) -> None:
    references, _, frames = scene()
    hidden = np.zeros(frames.shape, bool)
    hidden[3, 2, :4] = True
    design = mixing.prepare(references)
    fit = mixing.fit(np.ma.MaskedArray(frames, hidden), design)
    expected = mixing.fit(np.where(hidden, np.nan, frames), design)
    np.testing.assert_array_equal(fit.coefficients, expected.coefficients)
    assert fit.n_pixels[3] == design.n_pixels - 4


def test_constant_frames_have_no_r2(scene) -> None:
    references, _, frames = scene(n=4)
    frames[1] = 777.0
    frames[2] = 0.0
    fit = mixing.fit(np.rint(frames).astype(np.uint16), mixing.prepare(references))
    assert np.isnan(fit.r2[1:3]).all()
    assert (fit.r2[[0, 3]] > 0.5).all()
    assert np.isfinite(fit.coefficients).all()


def test_r2_is_negative_where_the_fit_is_worse_than_a_constant(scene) -> None:
    references, _, _ = scene()
    frames = np.random.default_rng(0).normal(9000, 1, (3, *references.shape[1:]))
    assert (mixing.fit(frames, mixing.prepare(references)).r2 < -100).all()


@pytest.mark.parametrize(
    ("dtype", "out"),
    [("uint16", "float32"), ("float32", "float32"), ("int32", "float64"), ("float64", "float64")],
)
def test_frame_is_fit_plus_residual(scene, dtype, out) -> None:
    references, _shares, frames = scene(count=3)
    frames = frames.astype(dtype)
    design = mixing.prepare(references, constraint="sum_to_one", gain=True, offset=True)
    fit = mixing.fit(frames, design)
    left = mixing.residual(frames, design, fit)
    assert left.dtype == out
    fitted = mixing.predict(design, fit, dtype=np.float64)
    np.testing.assert_allclose(fitted + left, frames, atol=1e-3 if out == "float32" else 1e-9)
    np.testing.assert_allclose((left.astype(float) ** 2).sum(axis=(1, 2)), fit.rss, rtol=1e-6)


def test_residual_wants_the_frames_of_the_fit(scene) -> None:
    references, _, frames = scene()
    design = mixing.prepare(references)
    with pytest.raises(ValueError, match="must be the same"):
        mixing.residual(frames[:5], design, mixing.fit(frames, design))


def test_designs_travel_and_stay_read_only(scene) -> None:
    references, _, frames = scene()
    design = mixing.prepare(references, bounds=(0.4, 0.7), errors="consistent")
    fit = mixing.fit(frames, design)
    sent = pickle.loads(pickle.dumps(design))  # noqa: S301
    again = mixing.fit(frames, sent)
    np.testing.assert_array_equal(again.coefficients, fit.coefficients)
    np.testing.assert_array_equal(again.errors, fit.errors)
    for each in (design, sent):
        with pytest.raises(ValueError, match="read-only"):
            each.basis[0, 0] = 1
    with pytest.raises(AttributeError):
        design.rank = 7


@pytest.mark.parametrize("offset", [False, True])
def test_says_how_far_the_references_differ(scene, offset) -> None:
    references, _, _ = scene()
    design = mixing.prepare(references, offset=offset)
    change = references[0] - references[1]
    change = change - change.mean() * offset
    assert design.difference == pytest.approx(np.linalg.norm(change), rel=1e-12)
    assert design.rank == 1 + offset
    assert design.condition == pytest.approx(1)


def test_condition_is_that_of_the_design_solved(scene) -> None:
    references, _, _ = scene(count=4)
    flat = references.reshape(4, -1)
    for offset in (False, True):
        for tied in (False, True):
            columns = flat[:3] - flat[3] if tied else flat
            columns = columns - columns.mean(axis=1, keepdims=True) * offset
            unit = columns / np.linalg.norm(columns, axis=1, keepdims=True)
            design = mixing.prepare(
                references, constraint="sum_to_one" if tied else "none", offset=offset
            )
            assert design.condition == pytest.approx(np.linalg.cond(unit.T), rel=1e-9)
            if not tied:
                least = np.linalg.svd(columns, compute_uv=False)[-1]
                assert design.difference == pytest.approx(least, rel=1e-9)


def test_the_order_of_references_does_not_matter(scene) -> None:
    references, _, frames = scene(count=4)
    order = [2, 0, 3, 1]
    first = mixing.prepare(references)
    second = mixing.prepare(references[order])
    assert second.difference == pytest.approx(first.difference, rel=1e-9)
    a, b = mixing.fit(frames, first), mixing.fit(frames, second)
    np.testing.assert_allclose(b.coefficients, a.coefficients[:, order], atol=1e-12)
    np.testing.assert_allclose(b.errors, a.errors[:, order], rtol=1e-10)


def test_the_middle_does_not_change_what_is_solved(scene) -> None:
    references, _, frames = scene(count=3)
    default = mixing.fit(frames, mixing.prepare(references))
    moved = mixing.fit(frames, mixing.prepare(references, middle=[0.9, -0.3, 0.4]))
    np.testing.assert_allclose(moved.coefficients, default.coefficients, atol=1e-12)
    np.testing.assert_allclose(moved.rss, default.rss, rtol=1e-10)
    np.testing.assert_allclose(moved.r2, default.r2, atol=1e-12)


def test_tells_the_smallest_difference_of_x_before_running(scene) -> None:
    references, _, _ = scene()
    rng = np.random.default_rng(8)
    same = 0.55 * references[0] + 0.45 * references[1] + rng.normal(0, 50, (3000, 7, 9))
    design = mixing.prepare(references)
    least = mixing.resolvable(design, same[:20])
    x = mixing.fit(same, design).coefficients
    told_apart = np.abs(x[::2] - x[1::2]) > least
    assert 0.03 < told_apart.mean() < 0.08
    assert np.isnan(mixing.resolvable(design, np.full((2, 7, 9), np.nan))).all()


def test_concatenate_needs_something() -> None:
    with pytest.raises(ValueError, match="at least one"):
        mixing.concatenate([])


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_interval_levels_are_between_0_and_1(scene, level) -> None:
    references, _, frames = scene()
    with pytest.raises(ValueError, match="between 0 and 1"):
        mixing.confidence_interval(mixing.fit(frames, mixing.prepare(references)), level)


def test_warm_up_takes_any_dtype() -> None:
    for dtype in ("uint16", "float32", ">u2"):
        mixing.warm_up(dtype)


def test_importing_mixing_compiles_nothing() -> None:
    code = "import sys, napari_framewise.numerics.mixing; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
