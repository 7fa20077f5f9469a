"""What a detector's noise says about pixels: variances, weights, saturation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import real_array

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Detector:
    """A detector's noise model.

    The variance of a raw pixel of expected value ``v``, in counts squared, is
    ``max(v - offset, 0) / gain + (read_noise / gain) ** 2``: Poisson noise of the electrons and
    the noise of the read-out (Janesick, 2007, Photon Transfer, eq. 5.3).

    Attributes
    ----------
    gain : float
        Electrons per count, positive.
    offset : float
        Counts of a pixel without any electrons. What a dark frame has above it is dark current,
        which has shot noise as light has.
    read_noise : float
        Standard deviation of the read-out, in electrons.
    saturation : float or None
        Count at which a raw pixel saturates; None where it is not known.
    """

    gain: float = 1.0
    offset: float = 0.0
    read_noise: float = 0.0
    saturation: float | None = None

    def __post_init__(self) -> None:
        """Refuse a detector that cannot be."""
        if not (np.isfinite(self.gain) and self.gain > 0):
            raise ValueError(
                f"The detector's gain was {self.gain}; it must be a positive number of electrons "
                "per count."
            )
        if not (np.isfinite(self.read_noise) and self.read_noise >= 0):
            raise ValueError(
                f"The detector's read noise was {self.read_noise}; it must be a number of "
                "electrons, zero or more."
            )
        if not np.isfinite(self.offset):
            raise ValueError(f"The detector's offset was {self.offset}; it must be finite.")

    @property
    def variance_per_count(self) -> float:
        """Variance, in counts squared, that each count of light adds."""
        return 1 / self.gain

    @property
    def variance_without_light(self) -> float:
        """Variance of the read-out, in counts squared."""
        return (self.read_noise / self.gain) ** 2

    def variance(self, expected: FloatArray) -> FloatArray:
        """Variance, in counts squared, of raw pixels of the `expected` value."""
        light = np.maximum(expected - self.offset, 0.0)
        return np.asarray(light * self.variance_per_count + self.variance_without_light)


@dataclass(frozen=True)
class PixelWeights:
    """Which pixels of a frame count, how much, and what is done to them first.

    Attributes
    ----------
    used : (P,) bool
        Pixels in use.
    root_weight : (P,) float64
        Square root of the weight; 0 where a pixel is not used.
    dark, flat : (P,) float64
        Subtracted and divided by; finite, the flat of mean one over the used pixels.
    references : (K, P) float64
        References after dark and flat; NaN where one of the three has no data.
    left_out, saturated : int
        Pixels within the mask left out for want of data, and because they saturate.
    """

    used: NDArray[np.bool_]
    root_weight: FloatArray
    dark: FloatArray
    flat: FloatArray
    references: FloatArray
    left_out: int
    saturated: int


def pixel_weights(
    raw: FloatArray,
    frame_shape: tuple[int, ...],
    variance: FloatArray,
    *,
    mask: ArrayLike | None,
    weights: ArrayLike | None,
    dark: ArrayLike | None,
    flat: ArrayLike | None,
    detector: Detector | None,
    poisson: bool,
    mixtures: FloatArray,
) -> PixelWeights:
    """Decide for every pixel whether and how much it counts, the same for all frames.

    Poisson weights are taken from the expected variance at the middle mixture, never from the
    data themselves (weights 1 / max(y, 1) bias the coefficients towards dark frames); saturation
    likewise is judged by the predicted mixtures, since leaving out what did saturate leaves out
    the bright half of the noise.

    Parameters
    ----------
    raw : (K, P) float64
        References as measured.
    frame_shape : tuple of int
        Shape of a frame, of P pixels.
    variance : (K, P) or (0, 0) float64
        Noise variance of the references; not finite means no data.
    mask, weights, dark, flat, detector, poisson, mixtures
        As in `mixing.prepare`; `mixtures` is (m, K).

    Raises
    ------
    ValueError
        If a picture has the wrong shape, weights are negative or no pixel is left.
    """
    count = raw.shape[1]
    selected = np.ones(count, np.bool_)
    if mask is not None:
        values = _picture(mask, frame_shape, "mask")
        selected = np.isfinite(values) & (values != 0)
        if not selected.any():
            raise ValueError(
                "The mask selects no pixel; it must be non-zero where pixels are to be used."
            )
    dark_values = np.zeros(count) if dark is None else _picture(dark, frame_shape, "dark frame")
    flat_values = np.ones(count) if flat is None else _picture(flat, frame_shape, "flat frame")
    weight = np.ones(count) if weights is None else _picture(weights, frame_shape, "weight image")
    if np.any(weight < 0):
        raise ValueError("The weight image is negative somewhere; weights must be zero or more.")
    data = np.isfinite(raw).all(axis=0) & np.isfinite(dark_values) & np.isfinite(weight)
    data &= np.isfinite(flat_values) & (flat_values > 0)
    if len(variance):
        data &= np.isfinite(variance).all(axis=0)
    used = selected & data & (weight > 0)
    if not used.any():
        raise ValueError(
            "No pixel is left to use: within the mask, every pixel has weight 0 or lacks data in a "
            "reference, dark or flat."
        )
    left_out = int(np.count_nonzero(selected & ~data))
    flat_values = np.where(data, flat_values, 1.0)
    if flat is not None:
        flat_values = flat_values / flat_values[used].mean()
    dark_values = np.where(data, dark_values, 0.0)
    references = np.where(data, (raw - dark_values) / flat_values, np.nan)
    saturated = 0
    if detector is not None:
        expected = mixtures @ np.where(data, raw, 0.0) + dark_values * (
            1 - mixtures.sum(axis=1, keepdims=True)
        )
        if detector.saturation is not None:
            peaks = expected + 3 * np.sqrt(detector.variance(expected))
            full = (peaks >= detector.saturation).any(axis=0)
            full |= (np.where(data, raw, 0.0) >= detector.saturation).any(axis=0)
            saturated = int(np.count_nonzero(used & full))
            used &= ~full
            if not used.any():
                raise ValueError(
                    "Every pixel is predicted to saturate; check the detector's saturation value."
                )
        if poisson:
            noise = detector.variance(expected.mean(axis=0)) / flat_values**2
            if not (noise[used] > 0).all():
                raise ValueError(
                    "Some pixels are predicted to have no light and no read noise, so no variance "
                    "to weigh them by; give the detector's read noise."
                )
            weight = 1 / np.where(used, noise, 1.0)
    root = np.sqrt(np.where(used, weight, 0.0))
    return PixelWeights(used, root, dark_values, flat_values, references, left_out, saturated)


def _picture(values: ArrayLike, frame_shape: tuple[int, ...], name: str) -> FloatArray:
    array = real_array(values, f"{name} values")
    if array.ndim and array.shape != frame_shape:
        raise ValueError(
            f"The {name} has shape {array.shape}; it must have the frames' shape {frame_shape}."
        )
    return np.broadcast_to(array.astype(np.float64), frame_shape).reshape(-1)
