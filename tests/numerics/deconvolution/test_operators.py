"""The blur is what scipy computes, and its adjoint is its adjoint, at every border."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_framewise.numerics.deconvolution.extension import Boundary
from napari_framewise.numerics.deconvolution.operators import blur_of
from napari_framewise.numerics.deconvolution.spectral import cosine_domain, fourier_domain

BOUNDARIES = get_args(Boundary)
OF_SCIPY = {"periodic": "wrap", "zero": "constant", "nearest": "nearest", "reflect": "reflect"}


def symmetric(kernel: np.ndarray) -> np.ndarray:
    for axis in range(kernel.ndim):
        kernel = kernel + np.flip(kernel, axis)
    return kernel


@pytest.mark.parametrize("boundary", BOUNDARIES)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_adjoint_is_the_adjoint(boundary: Boundary, data: st.DataObject) -> None:
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(5, 12)) for _ in range(ndim))
    size = tuple(data.draw(st.sampled_from([1, 3, 5])) for _ in range(ndim))
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    kernel = random.normal(size=size)
    if data.draw(st.booleans()):
        kernel = symmetric(kernel)
    blur = blur_of(kernel, shape, boundary)
    scene, seen = random.normal(size=blur.shape), random.normal(size=shape)
    one, other = np.vdot(blur.forward(scene), seen), np.vdot(scene, blur.adjoint(seen))
    size_of_it = np.linalg.norm(blur.forward(scene)) * np.linalg.norm(seen)
    assert abs(one - other) <= 1e-12 * max(1.0, size_of_it)


@pytest.mark.parametrize("boundary", OF_SCIPY)
@pytest.mark.parametrize(
    ("shape", "size"), [((17,), (5,)), ((13, 16), (5, 3)), ((7, 8, 9), (3, 5, 3)), ((5, 5), (5, 5))]
)
@pytest.mark.parametrize("even", [False, True])
def test_the_blur_is_that_of_scipy(
    boundary: Boundary, shape: tuple[int, ...], size: tuple[int, ...], even: bool
) -> None:
    random = np.random.default_rng(3)
    kernel = random.random(size)
    kernel = symmetric(kernel) if even else kernel
    scene = random.normal(size=shape)
    expected = ndimage.convolve(scene, kernel, mode=OF_SCIPY[boundary])
    blur = blur_of(kernel, shape, boundary)
    np.testing.assert_allclose(blur.forward(scene), expected, atol=1e-12 * kernel.sum())
    assert blur.diagonal == (boundary == "periodic" or (boundary == "reflect" and even))


def test_of_an_unknown_border_the_scene_is_larger_and_the_data_its_valid_part() -> None:
    random = np.random.default_rng(4)
    scene, kernel = random.normal(size=(20, 23)), random.random((5, 3))
    blur = blur_of(kernel, (16, 21), "unknown")
    assert blur.shape == (20, 23)
    expected = ndimage.convolve(scene, kernel)[2:-2, 1:-1]
    np.testing.assert_allclose(blur.forward(scene), expected, atol=1e-12)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_norm_is_the_largest_singular_value(boundary: Boundary) -> None:
    kernel = np.random.default_rng(5).random((3, 3))
    blur = blur_of(kernel, (6, 7), boundary)
    count = int(np.prod(blur.shape))
    columns = [blur.forward(each.reshape(blur.shape)).ravel() for each in np.eye(count)]
    largest = np.linalg.svd(np.array(columns))[1][0] ** 2
    assert blur.norm() >= largest * (1 - 1e-3)
    assert blur.norm() <= largest * 1.3


@pytest.mark.parametrize("shape", [(9,), (8,), (7, 8), (8, 9), (4, 5, 6)])
def test_energy_and_roughness_are_those_of_pixels(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(6).normal(size=shape)
    kernel = np.ones((3,) * len(shape))
    weights = (1.0, 0.5, 2.0)[: len(shape)]
    of_cosines, of_fourier = cosine_domain(kernel, shape), fourier_domain(kernel, shape)
    for domain, mode in ((of_cosines, "edge"), (of_fourier, "wrap")):
        coefficients = domain.transform(image)
        assert domain.energy(np.abs(coefficients) ** 2) == pytest.approx(np.sum(image**2))
        rough = 0.0
        for axis, weight in enumerate(weights):
            more = np.pad(image, [(0, int(n == axis)) for n in range(len(shape))], mode=mode)
            rough += weight**2 * np.sum(np.diff(more, axis=axis) ** 2)
        assert domain.energy(
            domain.roughness(weights) * np.abs(coefficients) ** 2
        ) == pytest.approx(rough)


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (np.ones((3, 3, 3)), "3 axes"),
        (np.ones((4, 3)), "even length"),
        (np.ones((3, 11)), "larger than the frames"),
    ],
)
def test_kernels_that_do_not_fit_are_refused(kernel: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        blur_of(kernel, (10, 10))
