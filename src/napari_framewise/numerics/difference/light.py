"""The light of one image brought to that of another: smooth gains and offsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.difference.measures import Windows
from napari_framewise.numerics.difference.motion import binned, resized

FloatArray = NDArray[np.float64]
Light: TypeAlias = Literal["local", "global", "none"]
_DEGREE, _ROUNDS = 3, 3
# Cells that a side is averaged to; what the local gain is drawn to the overall one by.
_CELLS, _RIDGE = 64, 0.05
# Contrast of images of about one that is rounding.
_FLAT = 1e-9


@dataclass(frozen=True, eq=False)
class Lighting:
    """Gains and offsets that bring one image to the light of another, on cells.

    Attributes
    ----------
    gain, offset : (rows, columns) float64
        ``gain * reference + offset`` is as the image; linear between the middles of the cells.
    factor : int
        Pixels along a side of a cell.
    """

    gain: FloatArray
    offset: FloatArray
    factor: int

    def applied(self, reference: FloatArray, times: int = 1) -> FloatArray:
        """The reference in that light; `times` as many pixels along a side as it was found on."""
        factor, shape = self.factor * times, reference.shape
        # Cells of one pixel are not copied.
        return np.asarray(
            resized(self.gain, shape, factor) * reference + resized(self.offset, shape, factor)
        )


def lighting(
    reference: FloatArray,
    image: FloatArray,
    weight: FloatArray,
    light: Light,
    smoothness: float,
) -> Lighting | None:
    """Gains and offsets that bring a reference to the light of an image of the same scene.

    Parameters
    ----------
    reference, image : (y, x) float64
        Gaps filled from around them. The reference where the image has it, as far as is known: what
        is displaced correlates less, which would be taken for a lower gain.
    weight : (y, x) float64
        0 where one of them has a gap, else 1.
    light : {"local", "global", "none"}
        A gain and an offset that vary smoothly, one of each, or none.
    smoothness : float
        Sigma in pixels of the windows that local light is found in.

    Returns
    -------
    Lighting or None
        None where nothing is to be brought.

    Notes
    -----
    By least squares of ``image = gain * reference + offset``. Local light begins with polynomials
    of degree 3 over the frame for both, cells that do not follow counting less (Huber), for in
    windows alone a vignette would be taken for flat at the border; windows find what is left.

    Examples
    --------
    >>> scene = np.random.default_rng(0).normal(100, 20, (64, 64))
    >>> shade = np.linspace(0.8, 1.2, 64)
    >>> found = lighting(scene, scene * shade + 5, np.ones(scene.shape), "local", 20.0)
    >>> bool(np.abs(found.applied(scene) - (scene * shade + 5)).max() < 3)
    True
    """
    if light == "none" or not weight.any():
        return None
    factor = max(1, -(-max(reference.shape) // _CELLS))
    a, b, w = (binned(each, factor) for each in (reference * weight, image * weight, weight))
    a, b = (np.divide(each, w, out=np.zeros_like(each), where=w > 0) for each in (a, b))
    lift = float((a * w).sum() / w.sum())
    degree = 0 if light == "global" else _DEGREE
    gains, offsets = _polynomials(a - lift, b, w, degree)
    gain, offset = _field(gains, a.shape), _field(offsets, a.shape)
    offset -= gain * lift
    if light == "global":
        return Lighting(gain, offset, factor)
    a = gain * a + offset
    middle = float((a * w).sum() / w.sum())
    windows = Windows.of(w, max(smoothness / factor, 1.0))
    a, b = a - middle, b - middle
    mean_a, mean_b = windows.mean(a), windows.mean(b)
    spread = np.maximum(windows.mean(a * a) - mean_a**2, 0.0)
    both = windows.mean(a * b) - mean_a * mean_b
    ridge = _RIDGE * float(spread.mean()) + 1e-300
    more = np.clip((both + ridge) / (spread + ridge), 0.5, 2.0)
    rest = mean_b - more * mean_a
    # Windows are taken on cells of cells.
    more, rest = (resized(each, a.shape, windows.factor) for each in (more, rest))
    return Lighting(more * gain, more * (offset - middle) + rest + middle, factor)


def _polynomials(
    a: FloatArray, b: FloatArray, weight: FloatArray, degree: int
) -> tuple[FloatArray, FloatArray]:
    """Legendre coefficients (rows, columns) of gain and offset."""
    lines = [_legendre(length, degree) for length in a.shape]
    pairs = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    size = float(np.sqrt((weight * a * a).sum() / weight.sum()))
    if size < _FLAT:
        # A reference of one value: what rounding leaves of it has no gain.
        a, size = np.zeros_like(a), 1.0
    fields = np.stack([np.multiply.outer(lines[0][i], lines[1][j]).ravel() for i, j in pairs])
    design = np.concatenate([fields * (a / size).ravel(), fields])
    target, use = b.ravel(), weight.ravel().copy()
    found = np.zeros(len(design))
    for _ in range(_ROUNDS):
        gram = (design * use) @ design.T
        ridge = 1e-9 * float(np.trace(gram)) / len(gram) + 1e-300
        found = np.linalg.solve(gram + ridge * np.eye(len(gram)), design @ (use * target))
        left = np.abs(target - found @ design)
        spread = 1.4826 * float(np.median(left[use > 0])) + 1e-300
        use = weight.ravel() * np.minimum(1.0, 2 * spread / np.maximum(left, 1e-300))
    gains, offsets = np.zeros((2, degree + 1, degree + 1))
    for (i, j), gain, offset in zip(
        pairs, found[: len(pairs)] / size, found[len(pairs) :], strict=True
    ):
        gains[i, j], offsets[i, j] = gain, offset
    return gains, offsets


def _field(coefficients: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """The polynomial on the middles of equal cells."""
    degree = len(coefficients) - 1
    return np.asarray(_legendre(shape[0], degree).T @ coefficients @ _legendre(shape[1], degree))


def _legendre(length: int, degree: int) -> FloatArray:
    at = (2 * np.arange(length) + 1) / length - 1
    return np.asarray(np.polynomial.legendre.legvander(at, degree).T)
