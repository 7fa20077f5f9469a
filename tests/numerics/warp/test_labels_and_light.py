from __future__ import annotations

import numpy as np
import pytest
from tests.numerics.warp.maps import at, turned

from napari_framewise.numerics.warp import (
    coded_light,
    interpolated,
    linear_light,
    warped_labels,
)


def test_a_pixel_takes_the_label_of_most_of_its_area() -> None:
    rng = np.random.default_rng(3)
    labels = np.kron(rng.integers(0, 9, (12, 12)), np.ones((4, 5), int)).astype(np.uint16)
    matrix, shape = turned((3.1, 3.1), 21, 48)
    where = at(matrix, shape)
    found = warped_labels(labels, where)
    k = 60
    aside = (np.arange(k) + 0.5) / k - 0.5
    for p in np.ndindex(shape):
        sub = np.stack(np.meshgrid(p[0] + aside, p[1] + aside, indexing="ij"), -1)
        near = np.rint(sub @ matrix[:2, :2].T + matrix[:2, 2]).astype(int)
        inside = ((near >= 0) & (near < labels.shape)).all(-1)
        if not inside.all():
            continue
        shares = np.bincount(labels[near[..., 0], near[..., 1]].ravel(), minlength=9) / k**2
        first, second = np.sort(shares)[[-1, -2]]
        if first - second > 0.02:
            assert found[p] == shares.argmax(), p


@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint64", "bool", ">u2"])
def test_the_identity_keeps_labels_of_any_type(dtype) -> None:
    labels = np.arange(20).reshape(4, 5).astype(dtype)
    found = warped_labels(labels, at(np.eye(3), (4, 6)))
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found[:, :5], labels)
    assert not found[:, 5].any()


def test_many_labels_under_one_pixel() -> None:
    labels = np.arange(40 * 40).reshape(40, 40)
    labels[:4, :4] = 7
    matrix, shape = turned((40, 40), 0, 40)
    assert warped_labels(labels, at(matrix, shape)).tolist() == [[7]]


def test_numbers_that_are_no_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        warped_labels(np.zeros((4, 4)), at(np.eye(3), (4, 4)))


def test_interpolation_keeps_types_and_marks_what_is_outside() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    places = np.array([[1.0, 1.5], [9.0, 9.0], [np.nan, 0.0], [2.0, 3.0]])
    assert interpolated(image, places, 1).tolist() == [[6, 0, 0, 11]]
    assert interpolated(image, places, 0)[0, [1, 2, 3]].tolist() == [0, 0, 11]
    found = interpolated(image.astype(np.float32), places, 3)
    assert found.dtype == np.float32
    assert np.isnan(found[0, 1:3]).all()
    volume = np.arange(60.0).reshape(1, 3, 4, 5)
    assert interpolated(volume, np.array([[1.0, 2.0, 3.0]]), 1)[0, 0] == volume[0, 1, 2, 3]


def test_light_is_that_of_srgb() -> None:
    codes = np.array([0, 10, 128, 255], np.float64)
    light = linear_light(codes, 255)
    np.testing.assert_allclose(light, [0, 0.00303527, 0.21586050, 1], atol=1e-7)
    np.testing.assert_allclose(coded_light(light, 255), codes, atol=1e-10)
    assert linear_light(codes.astype(np.float32), 255).dtype == np.float32
