"""Restoring a frame: from settings to a method, its iterations, and what can be said of the end."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.deconvolution import judging
from napari_framewise.numerics.deconvolution.admm import admm_steps
from napari_framewise.numerics.deconvolution.data import Data, Step
from napari_framewise.numerics.deconvolution.descent import fista_steps, landweber_steps
from napari_framewise.numerics.deconvolution.direct import (
    direct_step,
    inverse_transfer,
    noise_gain,
    tikhonov_transfer,
    tikhonov_weight,
    wiener_weight,
)
from napari_framewise.numerics.deconvolution.extension import Array
from napari_framewise.numerics.deconvolution.frame_noise import frame_noise
from napari_framewise.numerics.deconvolution.judging import Evidence, Verdict
from napari_framewise.numerics.deconvolution.operators import Blur, blur_of
from napari_framewise.numerics.deconvolution.outliers import left_over, outliers
from napari_framewise.numerics.deconvolution.quadratic import quadratic_steps
from napari_framewise.numerics.deconvolution.restored import Held, Restored
from napari_framewise.numerics.deconvolution.richardson_lucy import (
    gradient_consensus_steps,
    richardson_lucy_steps,
)
from napari_framewise.numerics.deconvolution.settings import Settings
from napari_framewise.numerics.deconvolution.spectral import Domain, cosine_domain

# Of the noise: less the weight of total variation never is, so that a wrong PSF ends in a sentence
# and not in noise without bounds.
_LEAST_WEIGHT = 1e-3
_WEIGHTS = (1e-12, 1e12)
_FEWEST, _QUICK = 5, 50
_MOVED = 0.05
# How often what stands out of a residual is left out, and the rest restored further.
_ROUNDS = 3
# Of its light that a pixel must have given to pixels that count, to be said.
_SEEN = 0.5


@dataclass(frozen=True, eq=False)
class Prepared:
    """A blur that serves a whole series of frames.

    Attributes
    ----------
    kernel : ndarray
        Of odd shape and unit sum.
    blur : Blur
        For frames of a shape.
    settings : Settings
    """

    kernel: Array
    blur: Blur
    settings: Settings


_NOTHING = Evidence(math.nan, math.nan, math.nan, math.nan)


def prepare(kernel: Array, shape: tuple[int, ...], settings: Settings) -> Prepared:
    """A kernel made ready for frames of a shape.

    The plain inverse is a division of Fourier spectra, so it has periodic borders whatever is asked
    for.

    Raises
    ------
    ValueError
        Where the kernel does not fit the frames.

    Examples
    --------
    >>> prepare(np.ones((3, 3)) / 9, (64, 64), Settings()).blur.shape
    (66, 66)
    """
    if settings.method == "inverse":
        settings = replace(settings, boundary="periodic")
    return Prepared(kernel, blur_of(kernel, shape, settings.boundary), settings)


def restore(
    frame: NDArray[Any],
    prepared: Prepared,
    use: NDArray[np.bool_] | None = None,
    missing: NDArray[np.bool_] | None = None,
    start: Array | None = None,
) -> Restored:
    """A frame without the blur of a kernel; see `restoring`.

    Examples
    --------
    >>> step = np.repeat([0.0, 0.0, 1.0, 1.0], 8)
    >>> kernel = np.array([0.25, 0.5, 0.25])
    >>> prepared = prepare(kernel, step.shape, Settings(boundary="nearest", noise=1e-3))
    >>> seen = prepared.blur.forward(step)
    >>> bool(np.abs(restore(seen, prepared).image - step).max() < 0.02)
    True
    """
    steps = restoring(frame, prepared, use, missing, start)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            restored: Restored = end.value
            return restored


def restoring(
    frame: NDArray[Any],
    prepared: Prepared,
    use: NDArray[np.bool_] | None = None,
    missing: NDArray[np.bool_] | None = None,
    start: Array | None = None,
) -> Generator[Restored, None, Restored]:
    """A frame without the blur of a kernel, iteration by iteration.

    Parameters
    ----------
    frame : (x,), (y, x) or (z, y, x) real
        NaN and infinite values are no data.
    prepared : Prepared
    use : ndarray of bool, optional
        Pixels of the region that is restored: what it leaves out is unknown, and NaN in the result.
    missing : ndarray of bool, optional
        Pixels without data, such as saturated ones: they don't count, but the result says what they
        are where at least half of their light fell on pixels that count.
    start : ndarray, optional
        `scene` of a frame before.

    Yields
    ------
    Restored
        What there is so far.

    Returns
    -------
    Restored
        With its verdict.

    Examples
    --------
    >>> seen = np.repeat([0.0, 0.25, 0.75, 1.0], [15, 1, 1, 15])
    >>> prepared = prepare(np.array([0.25, 0.5, 0.25]), (32,), Settings(iterations=8, noise=0.01))
    >>> [each.iterations for each in restoring(seen, prepared)][:3]
    [1, 2, 3]
    """
    count = np.isfinite(frame) if missing is None else np.isfinite(frame) & ~missing
    data = Data.of(np.asarray(frame), count if use is None else count & use)
    known: dict[str, Any] = {"outliers": 0}
    if prepared.settings.method != "inverse":
        # That needs every pixel.
        none = outliers(data, prepared.kernel)
        data, known["outliers"] = data.without(none), int(np.count_nonzero(none))
    shown = _shown(prepared.blur, data, use)
    unit = _unit_of(data)
    data = Data(data.values / unit, data.weight)
    stated = prepared.settings.noise
    # Whole numbers are rounded.
    rounding = 1 / math.sqrt(12) / unit if np.asarray(frame).dtype.kind in "iu" else 0.0
    measured = frame_noise(
        data, prepared.kernel, None if stated is None else stated / unit, rounding
    )
    noise = measured.sigma
    known |= {"growth": measured.growth, "correlation": measured.correlation}
    at_first = judging.before(data, noise)
    if at_first in (Verdict.NO_DATA, Verdict.FLAT):
        # Without data there is nothing to begin a next frame with.
        values = prepared.blur.start(np.where(data.weight, data.values, np.nan))
        held = Held(values, unit, prepared.blur.data_in_scene, data.weight)
        return Restored(
            held, 0, 0.0, noise * unit, 0.0, 0.0, 0.0, 0, 0.0, _NOTHING, at_first, **known
        )
    scaled = _in_unit(prepared.settings, unit)
    begin, done = None if start is None else start / unit, 0
    for again in range(_ROUNDS + 1):
        steps = _steps(prepared, data, scaled, noise, begin)
        for step in steps:
            step = replace(step, number=step.number + done)
            ended = _ended(step, data, scaled, noise)
            if ended or step.number >= scaled.iterations + done:
                break
            so_far = _restored(step, prepared, data, shown, unit, noise, _NOTHING, Verdict.STOPPED)
            yield replace(so_far, **known)
        else:
            # A method of one step.
            ended = True
        blurred = prepared.blur.forward(step.scene)
        # Where there are outliers, those that hid among their neighbours stand out of what is left.
        if not known["outliers"] or again == _ROUNDS or not _by_residual(scaled):
            break
        more = left_over(data, data.residual(blurred))
        if not more.any():
            break
        data, begin, done = data.without(more), step.scene, step.number
        known["outliers"] += int(np.count_nonzero(more))
    found = judging.evidence(data, blurred, step.scene[prepared.blur.data_in_scene], noise)
    said = judging.verdict(
        found,
        sought=_sought(scaled),
        ended=ended,
        plain=scaled.method == "inverse",
        edges=scaled.method in ("tv", "tv_fista"),
        white=measured.correlation == 1,
    )
    if at_first is not Verdict.GOOD:
        said = at_first
    restored = _restored(step, prepared, data, shown, unit, noise, found, said)
    return replace(restored, **known)


def noise_gain_of(prepared: Prepared) -> float:
    """What the plain inverse multiplies the standard deviation of noise by.

    Examples
    --------
    >>> kernel = np.array([0.2, 0.6, 0.2])
    >>> round(noise_gain_of(prepare(kernel, (4,), Settings(method="inverse"))), 3)
    2.809
    """
    domain = prepared.blur.domain
    return noise_gain(domain, inverse_transfer(domain, prepared.settings.floor))


def _steps(
    prepared: Prepared, data: Data, settings: Settings, noise: float, start: Array | None
) -> Iterator[Step]:
    """Iterations of the method, in the unit of the data."""
    blur, method, weight = prepared.blur, settings.method, settings.weight
    floor = 0.0 if settings.non_negative else None
    scales = _scales(settings, len(blur.shape))
    energy = data.count * noise**2
    least = _LEAST_WEIGHT * noise
    if method == "tv":
        return admm_steps(
            blur, data, weight=weight, energy=energy if weight is None else None, least=least,
            weights=scales, floor=floor, start=start,
        )  # fmt: skip
    if method == "tv_fista":
        if weight is None:
            # By the quicker solver of the same problem, and on from where that ends.
            for step in admm_steps(
                blur, data, energy=energy, least=least, weights=scales, start=start
            ):
                weight, start = step.weight, step.scene
                if step.number >= _QUICK or _ended(step, data, settings, noise):
                    break
            assert weight is not None
        return fista_steps(blur, data, weight, weights=scales, floor=floor, start=start)
    if method == "richardson_lucy":
        return richardson_lucy_steps(blur, data, weight=weight or 0.0, weights=scales, start=start)
    if method == "gradient_consensus":
        return gradient_consensus_steps(blur, data, noise=noise, start=start)
    if method == "landweber":
        return landweber_steps(blur, data, floor=floor, start=start)
    return _quadratic(prepared, data, settings, noise, scales, start)


def _quadratic(
    prepared: Prepared,
    data: Data,
    settings: Settings,
    noise: float,
    scales: tuple[float, ...],
    start: Array | None,
) -> Iterator[Step]:
    blur, image, weight = prepared.blur, data.filled, settings.weight
    if settings.method == "inverse":
        transfer = inverse_transfer(blur.domain, settings.floor)
        return iter((direct_step(blur, data, transfer, 0.0),))
    direct = blur.diagonal and data.complete
    if weight is None:
        # On reflected borders, where that takes no iteration, and the weight is nearly the same.
        domain = blur.domain if direct else _reflected(prepared.kernel, data.shape)
        if settings.method == "wiener":
            weight = wiener_weight(domain, image, noise, scales)
        else:
            weight = tikhonov_weight(domain, image, data.count * noise**2, scales)
        weight = min(max(weight, _WEIGHTS[0]), _WEIGHTS[1])
    if direct:
        transfer = tikhonov_transfer(blur.domain, weight, scales)
        return iter((direct_step(blur, data, transfer, weight),))
    return quadratic_steps(blur, data, weight, scales, start)


def _reflected(kernel: Array, shape: tuple[int, ...]) -> Domain:
    """The domain of reflected borders for the nearest symmetric kernel."""
    for axis in range(kernel.ndim):
        kernel = (kernel + np.flip(kernel, axis)) / 2
    return cosine_domain(kernel, shape)


def _sought(settings: Settings) -> bool:
    """Whether the residual is to become as large as the noise."""
    if settings.method in ("inverse", "wiener", "gradient_consensus"):
        return False
    return settings.weight is None


def _ended(step: Step, data: Data, settings: Settings, noise: float) -> bool:
    """Whether it has come to rest, or down to the noise where that is the end."""
    method = settings.method
    to_noise = method in ("richardson_lucy", "landweber") and settings.weight is None
    if to_noise and step.residual <= data.count * noise**2:
        return True
    if method == "gradient_consensus":
        return step.number >= _FEWEST and step.weight < _MOVED
    return step.change < settings.tolerance and step.number >= _FEWEST


def _restored(
    step: Step,
    prepared: Prepared,
    data: Data,
    shown: NDArray[np.bool_],
    unit: float,
    noise: float,
    found: Evidence,
    said: Verdict,
) -> Restored:
    settings = prepared.settings
    counts = settings.method in ("richardson_lucy", "gradient_consensus")
    total_variation = settings.method in ("tv", "tv_fista")
    return Restored(
        held=Held(step.scene, unit, prepared.blur.data_in_scene, shown),
        iterations=step.number,
        residual=math.sqrt(step.residual / data.count) * unit,
        noise=noise * unit,
        weight=step.weight * unit if total_variation else step.weight,
        objective=step.objective * (unit if counts else unit**2),
        change=step.change,
        restarts=step.restarts,
        freedom=step.freedom,
        evidence=found,
        verdict=said,
    )


def _shown(blur: Blur, data: Data, use: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Pixels of the result that something is known of."""
    if data.complete or not data.count:
        return data.weight
    light = blur.adjoint(data.weight.astype(np.float64))[blur.data_in_scene]
    whole = blur.adjoint(np.ones(data.shape))[blur.data_in_scene]
    shown = data.weight | (light >= _SEEN * whole)
    return shown if use is None else shown & use


def _unit_of(data: Data) -> float:
    """A power of two near the largest value: units leave the same bits."""
    size = float(np.abs(data.values).max(initial=0.0))
    return float(2.0 ** math.floor(math.log2(size))) if 0 < size < math.inf else 1.0


def _by_residual(settings: Settings) -> bool:
    """Whether the method leaves a residual by which a pixel may be left out; see `outliers`."""
    return settings.method in ("tv", "tv_fista") and settings.iterations >= _QUICK


def _in_unit(settings: Settings, unit: float) -> Settings:
    """The settings for data divided by a unit."""
    if settings.weight is None or settings.method not in ("tv", "tv_fista"):
        return settings
    return replace(settings, weight=settings.weight / unit)


def _scales(settings: Settings, ndim: int) -> tuple[float, ...]:
    """Weights of differences: one over the size of a pixel, the smallest taken as one."""
    if not settings.spacing:
        return (1.0,) * ndim
    least = min(settings.spacing)
    return tuple(least / each for each in settings.spacing)
