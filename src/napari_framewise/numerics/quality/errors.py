"""Errors of images beside their truth, and the ratios that are called signal to noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors ``e = image - truth`` of each frame over the pixels with data in both, (n,) each.

    Attributes
    ----------
    count : (n,) float64
        Pixels that count.
    bias : (n,) float64
        Mean of e.
    mse, mae : (n,) float64
        Means of e^2 and of |e|.
    maximum : (n,) float64
        Largest |e|.
    mean, power, variance : (n,) float64
        Mean, mean square and variance (divisor N) of the truth.
    """

    count: FloatArray
    bias: FloatArray
    mse: FloatArray
    mae: FloatArray
    maximum: FloatArray
    mean: FloatArray
    power: FloatArray
    variance: FloatArray

    @property
    def rmse(self) -> FloatArray:
        """Root of the mean squared error."""
        return np.sqrt(self.mse)

    @property
    def deviation(self) -> FloatArray:
        """Standard deviation of e: the error without its bias."""
        return np.sqrt(np.maximum(self.mse - self.bias**2, 0.0))

    def psnr(self, peak: float) -> FloatArray:
        """``10 log10(peak^2 / mse)`` in dB; infinite without any error."""
        return _decibels(np.full_like(self.mse, peak**2), self.mse)

    @property
    def snr_mean(self) -> FloatArray:
        """Mean of the truth over the standard deviation of e."""
        return _ratio(self.mean, self.deviation)

    @property
    def snr_power(self) -> FloatArray:
        """``10 log10(sum t^2 / sum e^2)`` in dB."""
        return _decibels(self.power, self.mse)

    @property
    def snr_variance(self) -> FloatArray:
        """Variance of the truth over the variance of e."""
        return _ratio(self.variance, self.deviation**2)

    def isnr(self, before: Errors) -> FloatArray:
        """``10 log10(mse before / mse)`` in dB: what a restoration gained."""
        return _decibels(before.mse, self.mse)


def errors_of(truth: FloatArray, image: FloatArray) -> Errors:
    """Errors of each frame.

    Parameters
    ----------
    truth, image : (n, ...) float64
        NaN is no data.

    Returns
    -------
    Errors
        NaN in frames where no pixel has data in both.

    Examples
    --------
    >>> found = errors_of(np.array([[1.0, 2.0, np.nan]]), np.array([[2.0, 2.0, 5.0]]))
    >>> found.mse.tolist(), found.bias.tolist(), found.psnr(10).round(3).tolist()
    ([0.5], [0.5], [23.01])
    """
    t, x = truth.reshape(len(truth), -1), image.reshape(len(image), -1)
    known = np.isfinite(t) & np.isfinite(x)
    count = known.sum(axis=1).astype(np.float64)
    some = np.where(count > 0, count, np.nan)
    error = np.where(known, x - t, 0.0)
    signal = np.where(known, t, 0.0)
    mean = signal.sum(axis=1) / some
    size = np.abs(error)
    around = np.where(known, signal - mean[:, None], 0.0)
    return Errors(
        count,
        error.sum(axis=1) / some,
        np.einsum("ij,ij->i", error, error) / some,
        size.sum(axis=1) / some,
        np.where(count > 0, size.max(axis=1, initial=0.0), np.nan),
        mean,
        np.einsum("ij,ij->i", signal, signal) / some,
        np.einsum("ij,ij->i", around, around) / some,
    )


def _ratio(over: FloatArray, under: FloatArray) -> FloatArray:
    """A quotient; infinite over 0, NaN of 0 over 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(over / under)


def _decibels(over: FloatArray, under: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(10 * np.log10(over / under))
