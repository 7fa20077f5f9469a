"""Transforms of a family nearest to a matrix, and through landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from napari_framewise.numerics.transforms.matrices import (
    FloatArray,
    Motion,
    composed,
    mapped,
    normalised,
)


def nearest(matrix: ArrayLike, motion: Motion) -> FloatArray:
    """A transform's nearest kin within a family.

    The linear part loses its perspective, then its shear, its scale and its rotation, as the
    family asks; the shift stays.

    Examples
    --------
    >>> matrix = np.diag([1.1, 1.1, 1.0])
    >>> matrix[0, 2] = 3.0
    >>> np.round(nearest(matrix, "translation"), 9).tolist()
    [[1.0, 0.0, 3.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    given = normalised(matrix)
    if motion == "homography":
        return given
    linear = given[:2, :2]
    if motion != "affine":
        cosine = linear[0, 0] + linear[1, 1]
        sine = linear[1, 0] - linear[0, 1]
        length = np.hypot(cosine, sine)
        scale = 1.0 if motion != "similarity" else length / 2
        if length == 0 or motion == "translation":
            linear = np.eye(2)
        else:
            linear = scale / length * np.array([[cosine, -sine], [sine, cosine]])
    result = np.eye(3)
    result[:2, :2], result[:2, 2] = linear, given[:2, 2]
    return result


def fitted_to_points(source: ArrayLike, target: ArrayLike, motion: Motion) -> FloatArray:
    """The transform that brings points (n, 2) nearest to others, by least squares.

    Euclidean and similarity in closed form (Umeyama 1991), homography by the normalised direct
    linear transform (Hartley & Zisserman 2004, algorithm 4.2).

    Raises
    ------
    ValueError
        Where there are fewer points than the family needs.

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [0.0, 4.0], [3.0, 0.0]])
    >>> found = fitted_to_points(points, points + [1.0, -2.0], "euclidean")
    >>> np.abs(found[:2, 2]).round(9).tolist()
    [1.0, 2.0]
    """
    here, there = np.asarray(source, float), np.asarray(target, float)
    needed = {"translation": 1, "euclidean": 2, "similarity": 2, "affine": 3, "homography": 4}
    if here.shape != there.shape or len(here) < needed[motion]:
        raise ValueError(
            f"Points of shapes {here.shape} and {there.shape} were given for a {motion}; two "
            f"equal sets of {needed[motion]} or more (row, column) are needed."
        )
    before, after = _to_unit(here), _to_unit(there)
    p, q = mapped(before, here), mapped(after, there)
    if motion == "homography":
        rows = np.zeros((2 * len(p), 9))
        ones = np.column_stack([p, np.ones(len(p))])
        rows[0::2, 0:3], rows[0::2, 6:9] = ones, -q[:, :1] * ones
        rows[1::2, 3:6], rows[1::2, 6:9] = ones, -q[:, 1:] * ones
        matrix = np.linalg.svd(rows)[2][-1].reshape(3, 3)
    elif motion == "affine":
        ones = np.column_stack([p, np.ones(len(p))])
        matrix = np.vstack([np.linalg.lstsq(ones, q, rcond=None)[0].T, [0, 0, 1]])
    else:
        cosine = float(np.sum(p * q))
        sine = float(np.sum(p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]))
        linear = np.array([[cosine, -sine], [sine, cosine]]) / max(float(np.sum(p * p)), 1e-300)
        matrix = np.eye(3)
        matrix[:2, :2] = linear
    whole = composed(np.linalg.solve(after, matrix), before)
    if motion in ("translation", "euclidean"):
        whole = nearest(whole, motion)
        whole[:2, 2] = there.mean(axis=0) - whole[:2, :2] @ here.mean(axis=0)
    return whole


def _to_unit(points: FloatArray) -> FloatArray:
    """Similarity that brings points around 0, at a distance of about 1."""
    centre = points.mean(axis=0)
    spread = np.sqrt(((points - centre) ** 2).sum(axis=1).mean()) or 1.0
    return np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, spread]]) / spread
