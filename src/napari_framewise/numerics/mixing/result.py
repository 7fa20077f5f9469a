"""What a fit of mixing coefficients gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_VECTORS = ("offset", "offset_errors", "gain", "gain_errors", "rss", "rmse", "r2", "chi2")
_MATRICES = (
    "coefficients",
    "errors",
    "error_dof",
    "unconstrained",
    "unconstrained_errors",
    "shared_errors",
)


class Status(IntFlag):
    """Status of one frame; 0 is a plain, complete fit."""

    NO_DATA = 1
    """No usable pixel: the whole row is NaN."""
    PARTIAL = 2
    """Pixels of this frame were not finite and were left out, for this frame only."""
    UNDETERMINED = 4
    """The pixels left do not determine the coefficients: the whole row is NaN."""
    AT_BOUND = 8
    """At least one bound is active; see ``at_bound``."""
    NOT_CONVERGED = 16
    """The Huber iterations did not settle."""
    NO_GAIN = 32
    """The fitted gain is not positive, so there are no fractions: coefficients are NaN."""
    NOISE_UNRESOLVED = 64
    """The residual is no larger than what the references' noise explains: errors are NaN."""
    ONE_PIXEL = 128
    """One pixel decides a coefficient and hides its noise: no consistent error, which is NaN."""


@dataclass(frozen=True)
class MixingFit:
    """Mixing coefficients of ``n`` frames, with how far to trust them.

    All arrays have the frames as leading axis, also for a single frame (``n = 1``).
    ``K`` is the number of references. A frame without an answer is a row of NaN with a
    `Status`; nothing else is affected.

    Attributes
    ----------
    coefficients : (n, K) float64
        Share of each reference. With a free gain these are the shares ``b / sum(b)``.
    errors : (n, K) float64
        Standard error of each coefficient from the frame's own noise. NaN where a bound
        holds the coefficient (see `at_bound`), and without residual degrees of freedom.
        With another coefficient at its bound it is conditional on that bound being active. NaN
        as well for a consistent error that a single pixel would decide (`Status.ONE_PIXEL`).
    error_dof : (n, K) float64
        Degrees of freedom of the error, for Student's t: `dof` for classical errors,
        Satterthwaite's for consistent ones; NaN where `errors` is.
    covariance : (n, K, K) float64
        Its diagonal is ``errors ** 2``; rows and columns of held coefficients are NaN.
    unconstrained, unconstrained_errors : (n, K) float64
        The solution without bounds (a sum-to-one still holds), and its standard errors.
    at_bound : (n, K) bool
        The coefficient is held by an active bound, its own or, through the sum, the others'.
    shared_errors : (n, K) float64
        Standard error that comes from the noise of the references. It is common to all
        frames: it does not average out over frames and does not blur differences between
        frames. 0 where no reference noise was given.
    offset, offset_errors : (n,) float64
        Free constant per frame, in counts; 0 and NaN where it was not fitted.
    gain, gain_errors : (n,) float64
        ``sum(b)``; 1 and NaN where it was not fitted.
    rss : (n,) float64
        Weighted residual sum of squares over the used pixels.
    rmse : (n,) float64
        ``sqrt(rss / sum of weights)``.
    r2 : (n,) float64
        Centred weighted R squared over the used pixels, ``1 - rss / tss`` with
        ``tss = sum w (y - mean_w y) ** 2``; negative where the fit is worse than a constant,
        NaN for a constant frame.
    chi2 : (n,) float64
        Reduced chi-square: `rss` over its expectation under the detector's noise; NaN without
        a detector.
    n_pixels : (n,) int64
        Pixels used.
    dof : (n,) int64
        Residual degrees of freedom, pixels minus fitted unknowns (active bounds excluded).
    status : (n,) uint8
        Bits of `Status`.
    """

    coefficients: FloatArray
    errors: FloatArray
    error_dof: FloatArray
    covariance: FloatArray
    unconstrained: FloatArray
    unconstrained_errors: FloatArray
    at_bound: NDArray[np.bool_]
    shared_errors: FloatArray
    offset: FloatArray
    offset_errors: FloatArray
    gain: FloatArray
    gain_errors: FloatArray
    rss: FloatArray
    rmse: FloatArray
    r2: FloatArray
    chi2: FloatArray
    n_pixels: NDArray[np.int64]
    dof: NDArray[np.int64]
    status: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.coefficients)


def empty_fit(n: int, count: int) -> MixingFit:
    """Rows of NaN for `n` frames and `count` references, to be filled in.

    Examples
    --------
    >>> np.isnan(empty_fit(2, 3).coefficients).all().item()
    True
    """
    vectors = {name: np.full(n, np.nan) for name in _VECTORS}
    matrices = {name: np.full((n, count), np.nan) for name in _MATRICES}
    return MixingFit(
        **vectors,
        **matrices,
        covariance=np.full((n, count, count), np.nan),
        at_bound=np.zeros((n, count), np.bool_),
        n_pixels=np.zeros(n, np.int64),
        dof=np.zeros(n, np.int64),
        status=np.zeros(n, np.uint8),
    )


def concatenate(fits: Sequence[MixingFit]) -> MixingFit:
    """Join the fits of consecutive blocks into one, in the order given.

    Raises
    ------
    ValueError
        If there is nothing to join.

    Examples
    --------
    >>> len(concatenate([empty_fit(2, 3), empty_fit(1, 3)]).coefficients)
    3
    """
    if not fits:
        raise ValueError("No fits were given; concatenate needs at least one.")
    joined: dict[str, Any] = {
        field.name: np.concatenate([getattr(fit, field.name) for fit in fits])
        for field in fields(MixingFit)
    }
    return MixingFit(**joined)


def confidence_interval(
    fit: MixingFit, level: float = 0.95, *, shared: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Limits ``coefficient -+ t * error``, t at `MixingFit.error_dof` degrees of freedom.

    Parameters
    ----------
    fit : MixingFit
        A fit.
    level : float
        Confidence level, between 0 and 1.
    shared : bool
        Take in what all frames share through the noise of the references: the interval of a
        coefficient by itself, not of differences between frames. The error is then
        ``sqrt(error^2 + shared^2)``, both parts taken to have the same degrees of freedom, and t is
        at Satterthwaite's of their sum.

    Returns
    -------
    low, high : (n, K) float64
        NaN where `MixingFit.errors` is NaN.

    Examples
    --------
    >>> from napari_framewise.numerics.mixing import fit, prepare
    >>> a, b = np.eye(5)[0] * 9, np.arange(5.0)
    >>> noise = np.array([0.1, -0.1, 0.05, 0.0, -0.05])
    >>> found = fit((0.3 * a + 0.7 * b + noise)[np.newaxis], prepare([a, b]))
    >>> low, high = confidence_interval(found)
    >>> bool(low[0, 0] < 0.3 < high[0, 0])
    True
    """
    from scipy.special import stdtrit

    if not 0 < level < 1:
        raise ValueError(f"The level was {level}; it must lie between 0 and 1, such as 0.95.")
    errors, freedom = fit.errors, fit.error_dof
    if shared:
        errors = np.hypot(fit.errors, fit.shared_errors)
        part = np.divide(fit.errors, errors, out=np.ones_like(errors), where=errors > 0) ** 2
        freedom = freedom / (part**2 + (1 - part) ** 2)
    # the quantile is dear, and most frames have the same degrees of freedom
    dof, places = np.unique(freedom, return_inverse=True)
    quantiles = stdtrit(dof, 0.5 + level / 2)
    half = quantiles[places].reshape(errors.shape) * errors
    return fit.coefficients - half, fit.coefficients + half


_SENTENCES: dict[Status, str] = {
    Status.NO_DATA: "held no data",
    Status.PARTIAL: "had pixels without data, which were left out",
    Status.UNDETERMINED: "had too few pixels left to tell the references apart",
    Status.AT_BOUND: "ended at a bound; there a flag stands instead of an error",
    Status.NOT_CONVERGED: "did not settle in the robust fit",
    Status.NO_GAIN: "had no positive gain, so no shares",
    Status.NOISE_UNRESOLVED: "had residuals below the noise of the references, so no error",
    Status.ONE_PIXEL: (
        "had a coefficient that one pixel alone decides, so no consistent error can be given: mask "
        "that pixel if it is a fault of a reference, or choose classical errors"
    ),
}


def diagnostics(fit: MixingFit) -> tuple[str, ...]:
    """Sentences such as "3 frames held no data.", most serious first; empty where all is well.

    Examples
    --------
    >>> from napari_framewise.numerics.mixing import fit, prepare
    >>> frames = np.array([[1.0, 2.0, 3.0], [np.nan, np.nan, np.nan]])
    >>> len(diagnostics(fit(frames, prepare([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))))
    1
    """
    sentences = []
    for flag, text in _SENTENCES.items():
        count = int(np.count_nonzero(fit.status & flag))
        if count:
            sentences.append(f"{count:,} frame{'s' if count > 1 else ''} {text}.")
    return tuple(sentences)
