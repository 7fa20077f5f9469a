"""Richardson-Lucy: counts of photons, a flat field to the border, and two ways to stop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from napari_framewise.numerics.deconvolution.data import Data, Step
from napari_framewise.numerics.deconvolution.extension import Array, Floats
from napari_framewise.numerics.deconvolution.operators import Blur

_TINY = 1e-12
_ROUNDED: dict[type, float] = {np.float64: 1e-12, np.float32: 1e-6}
_LEAST_LIGHT = 1e-3


def richardson_lucy_steps(
    blur: Blur,
    data: Data,
    *,
    weight: float = 0.0,
    weights: Sequence[float] = (),
    start: Array | None = None,
) -> Iterator[Step]:
    """Iterations ``x H'(w y / H x) / (H' w)`` (Richardson 1972; Lucy 1974).

    Division by ``H' w``, what each pixel of the scene gives to the pixels that count, keeps the
    field flat up to the border and around missing pixels. With a weight the divisor is ``H' w -
    weight div(D x / |D x|)`` (Dey et al. 2006, Microsc. Res. Tech. 69, 260-266). Negative values
    are taken as 0, for counts can't be.

    Parameters
    ----------
    weight : float
        Of the total variation; without unit, 0.002 to 0.02 as a rule.

    Yields
    ------
    Step
        Its objective is the Kullback-Leibler distance of data and blurred scene.
    """
    blur, seen, light, scene = _begun(blur, data, start)
    blurred = blur.forward(scene)
    for number in range(1, 1_000_000):
        factor = _factor(blur, data, seen, blurred, light, weight, weights, scene)
        before, scene = scene, scene * factor
        blurred = blur.forward(scene)
        yield _step(number, data, seen, scene, before, blurred, weight)


def gradient_consensus_steps(
    blur: Blur, data: Data, *, noise: float, seed: int = 0, start: Array | None = None
) -> Iterator[Step]:
    """Richardson-Lucy that moves a pixel only where two halves of the data agree.

    In each iteration the data are split into two images of independent noise: ``y / 2 + e`` and
    ``y / 2 - e``, with e normal of half the noise's standard deviation (which leaves their noise
    uncorrelated; counts of photons are split by a coin for each, Manton and York's gradient
    consensus). Each half says by which factor a pixel should change. Where the product of the two
    changes, smoothed by ``H' H``, is not positive, they follow noise, and the pixel stays. It has
    ended where fewer than 5 % of the pixels move.

    Parameters
    ----------
    noise : float
        Standard deviation of the noise.
    seed : int
        Of the splits: the same number, the same result.

    Yields
    ------
    Step
        Its `weight` is the share of pixels that moved.
    """
    random = np.random.default_rng(seed)
    blur, seen, light, scene = _begun(blur, data, start)
    blurred = blur.forward(scene)
    for number in range(1, 1_000_000):
        parts = random.normal(0.0, noise / 2, data.shape).astype(seen.dtype)
        factors = [
            _factor(blur, data, np.maximum(half, 0), blurred, light, 0.0, (), scene)
            for half in (seen + 2 * parts, seen - 2 * parts)
        ]
        agreement = (factors[0] - 1) * (factors[1] - 1)
        agreement = blur.adjoint(blur.forward(agreement))
        moved = agreement > 0
        before = scene
        scene = np.where(moved, scene * (factors[0] + factors[1]) / 2, scene)
        blurred = blur.forward(scene)
        share = float(np.count_nonzero(moved)) / moved.size
        yield _step(number, data, seen, scene, before, blurred, share)


def _begun(blur: Blur, data: Data, start: Array | None) -> tuple[Blur, Floats, Floats, Floats]:
    """Blur, data, light that a pixel gives, and first scene, in the precision that does."""
    kind = np.float32 if data.single() else np.float64
    blur = blur.single if kind is np.float32 else blur
    light = blur.adjoint(data.weight.astype(kind))
    scene = _start(blur, data, start).astype(kind)
    return blur, np.maximum(data.values, 0.0).astype(kind), light, scene


def _start(blur: Blur, data: Data, start: Array | None) -> Array:
    """A flat scene of the data's mean, or one that was given, nowhere 0."""
    mean = max(float(np.maximum(data.values, 0).sum()) / max(1, data.count), _TINY)
    if start is None:
        return np.full(blur.shape, mean)
    return np.maximum(start, 1e-3 * mean)


def _factor(
    blur: Blur,
    data: Data,
    seen: Floats,
    blurred: Floats,
    light: Floats,
    weight: float,
    weights: Sequence[float],
    scene: Floats,
) -> Floats:
    """What the scene is multiplied by."""
    least = _least(blurred)
    ratio = np.where(data.weight, seen / np.maximum(blurred, least), np.zeros((), seen.dtype))
    below = light
    if weight:
        below = light - weight * _curvature(scene, weights)
    known = light > _LEAST_LIGHT
    # Where the regularisation outweighs the light, a step would change sign.
    below = np.maximum(below, 0.1 * light)
    factor = np.divide(blur.adjoint(ratio), below, out=np.ones_like(scene), where=known)
    return np.maximum(factor, 0)


def _least(blurred: Floats) -> float:
    """What is divided by at least: above the rounding of the transforms."""
    return _ROUNDED[blurred.dtype.type] * max(float(np.abs(blurred).max()), _TINY)


def _curvature(scene: Floats, weights: Sequence[float]) -> Floats:
    """``div(D x / |D x|)``."""
    scales = tuple(weights) or (1.0,) * scene.ndim
    steps = []
    for axis, scale in enumerate(scales):
        ends = np.take(scene, [-1], axis)
        steps.append(scale * np.diff(scene, axis=axis, append=ends))
    size = np.sqrt(sum(np.square(each) for each in steps))
    size = np.maximum(size, 1e-6 * max(float(np.abs(scene).max()), _TINY))
    out = np.zeros_like(scene)
    for axis, (scale, each) in enumerate(zip(scales, steps, strict=True)):
        part = scale * each / size
        zeros = np.zeros_like(np.take(part, [0], axis))
        out += np.diff(part, axis=axis, prepend=zeros)
    return out


def _step(
    number: int,
    data: Data,
    seen: Floats,
    scene: Floats,
    before: Floats,
    blurred: Floats,
    weight: float,
) -> Step:
    off = data.residual(blurred)
    given = np.maximum(blurred, _least(blurred))
    ratio = np.divide(seen, given, out=np.ones_like(given), where=(seen > 0) & data.weight)
    distance = seen * np.log(ratio) - seen + given
    total = float(np.sum(distance, where=data.weight, dtype=np.float64))
    residual = float(np.vdot(off, off))
    return Step(number, scene, residual, total, data.change(scene, before), weight)
