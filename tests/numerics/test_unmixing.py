from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics import mixing
from napari_framewise.numerics.unmixing import prepare_spectra, unmix


def cube_of(count: int, bands: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    spectra = rng.uniform(100, 3000, (count, bands))
    abundances = rng.dirichlet(np.full(count, 0.6), (13, 47))
    cube = np.moveaxis(abundances @ spectra, -1, 0) + rng.normal(0, 60, (bands, 13, 47))
    return spectra, np.moveaxis(abundances, -1, 0), cube


@pytest.mark.parametrize("constraint", ["none", "sum_to_one", "non_negative", "fully_constrained"])
@pytest.mark.parametrize(("count", "bands"), [(2, 4), (3, 16), (5, 7)])
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64", ">i4"])
def test_is_the_fit_of_every_pixel(constraint, count, bands, offset, dtype) -> None:
    spectra, _, cube = cube_of(count, bands)
    cube = np.maximum(cube, 0).astype(dtype)
    cube[:, 3, 5] = 0
    cube[:, 4, 6] = 500
    weights = np.linspace(0.5, 2, bands)
    design = prepare_spectra(spectra, constraint=constraint, offset=offset, weights=weights)
    result = unmix(cube, design)
    rows = np.moveaxis(cube, 0, -1).reshape(-1, bands)
    fit = mixing.fit(rows, design)
    single = dtype in ("uint16", "float32")
    assert result.abundances.dtype == (np.float32 if single else np.float64)
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if single else {"rtol": 1e-8, "atol": 1e-10}
    np.testing.assert_allclose(
        result.abundances.reshape(count, -1).T, fit.coefficients, **tolerance
    )
    # a pixel that is fitted exactly leaves rounding only
    np.testing.assert_allclose(result.errors.reshape(count, -1).T, fit.errors, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result.residual.reshape(-1), fit.rmse, rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(result.at_bound.reshape(count, -1).T, fit.at_bound)
    np.testing.assert_array_equal(result.status.reshape(-1), fit.status)


def test_finds_the_abundances() -> None:
    spectra, truth, cube = cube_of(3, 16)
    result = unmix(cube, prepare_spectra(spectra))
    np.testing.assert_allclose(result.abundances, truth, atol=0.1)
    np.testing.assert_allclose(result.abundances.sum(axis=0), 1, atol=1e-12)
    assert (result.abundances >= 0).all()
    inside = ~result.at_bound
    z = ((result.abundances - truth) / result.errors)[inside]
    assert 0.8 < np.sqrt(np.nanmean(z**2)) < 1.3


def test_pixels_lacking_bands_use_those_they_have() -> None:
    spectra, _, cube = cube_of(3, 16)
    whole = unmix(cube, prepare_spectra(spectra))
    cube[4, 2, 3] = np.nan
    cube[:, 5, 6] = np.inf
    result = unmix(cube, prepare_spectra(spectra))
    keep = np.arange(16) != 4
    other = unmix(cube[keep, 2:3, 3:4], prepare_spectra(spectra[:, keep]))
    np.testing.assert_allclose(result.abundances[:, 2, 3], other.abundances[:, 0, 0], atol=1e-10)
    assert np.isnan(result.abundances[:, 5, 6]).all()
    assert result.status[5, 6] == mixing.Status.NO_DATA
    assert result.status[2, 3] & mixing.Status.PARTIAL
    rest = np.ones((13, 47), bool)
    rest[[2, 5], [3, 6]] = False
    np.testing.assert_array_equal(result.abundances[:, rest], whole.abundances[:, rest])


def test_flat_and_zero_spectra_are_spectra() -> None:
    spectra = np.stack([np.linspace(1, 5, 8), np.zeros(8), np.full(8, 3.0)])
    truth = np.array([0.2, 0.3, 0.5])
    result = unmix((truth @ spectra)[:, None], prepare_spectra(spectra))
    np.testing.assert_allclose(result.abundances[:, 0], truth, atol=1e-12)


@pytest.mark.parametrize("constraint", ["none", "fully_constrained"])
def test_tiles_of_any_shape_and_layout(constraint) -> None:
    spectra, _, cube = cube_of(3, 5)
    design = prepare_spectra(spectra, constraint=constraint)
    whole = unmix(cube, design)
    for tile in (cube[:, 2:9, 5:30], np.asfortranarray(cube)[:, 2:9, 5:30]):
        np.testing.assert_array_equal(
            unmix(tile, design).abundances, whole.abundances[:, 2:9, 5:30]
        )
    assert unmix(cube[:, :0], design).abundances.shape == (3, 0, 47)
    assert unmix(cube[:, 0, 0], design).abundances.shape == (3,)


@pytest.mark.parametrize("constraint", ["non_negative", "fully_constrained"])
def test_no_abundance_is_below_its_bound_by_rounding(constraint) -> None:
    """Pixels of pure spectra, free of noise: the other abundances are 0 to rounding."""
    rng = np.random.default_rng(3)
    spectra = rng.uniform(0, 1000, (4, 12))
    cube = np.repeat(spectra, 500, axis=0).T * rng.uniform(0.9, 1.1, (12, 1))
    design = prepare_spectra(spectra * rng.uniform(0.9, 1.1, 12), constraint=constraint)
    exact = unmix(np.ascontiguousarray(np.repeat(spectra, 50, axis=0).T), prepare_spectra(spectra))
    for found in (unmix(cube, design), exact):
        assert found.abundances.min() >= 0
        assert (mixing.fit(cube.T, design).coefficients >= 0).all()


@pytest.mark.parametrize("level", [1.0, 1e-9])
def test_residuals_of_clear_data_keep_their_digits(level) -> None:
    spectra, _, _ = cube_of(3, 16)
    rng = np.random.default_rng(2)
    exact = rng.uniform(0.5, 1, (3, 40))
    noise = rng.normal(0, 1e-6, (16, 40))
    basis, _ = np.linalg.qr(spectra.T)
    left = noise - basis @ (basis.T @ noise)
    found = unmix(level * (spectra.T @ exact + noise), prepare_spectra(spectra, constraint="none"))
    np.testing.assert_allclose(found.residual, level * np.sqrt((left**2).mean(axis=0)), rtol=1e-5)


@pytest.mark.parametrize(
    ("spectra", "sentence"),
    [
        (np.ones((1, 5)), "at least two"),
        (np.ones(5), "at least two"),
        (np.ones((3, 4, 5)), "at least two"),
        (np.ones((2, 5)), "span only"),
    ],
)
def test_spectra_that_cannot_be(spectra, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        prepare_spectra(spectra)


@pytest.mark.parametrize(
    ("cube", "sentence"),
    [
        (np.zeros((4, 3, 3)), "must hold the 5 bands"),
        (np.zeros((5, 3, 3), complex), "complex"),
        (np.float64(3), "must hold the 5 bands"),
    ],
)
def test_cubes_that_cannot_be(cube, sentence) -> None:
    spectra, _, _ = cube_of(2, 5)
    with pytest.raises(ValueError, match=sentence):
        unmix(cube, prepare_spectra(spectra))
