"""The peak of PSNR and SSIM: what it is where nobody says, and whether it can be."""

from __future__ import annotations

import numpy as np

from napari_framewise.stacks.stack import Stack

# A peak so many times the range of the truth is said.
_WIDE = 8.0
_EIGHT_BITS = 255.0


def peak_of(truth: Stack, given: float | None) -> float:
    """The peak given, the largest value of an integer type, or the range of floats.

    Raises
    ------
    ValueError
        Where it can't be told, or floats from 0 to 1 were given the peak of 8 bits or more.
    """
    low, high = _range(truth)
    if given is not None:
        unit = truth.dtype.kind == "f" and low >= 0 and 0 < high <= 1
        if unit and given >= _EIGHT_BITS:
            raise ValueError(
                f"The peak was given {given:g}, but {truth.name} holds floats from {low:.3g} to "
                f"{high:.3g}, of which the peak is 1: give 1, or images from 0 to {given:g}."
            )
        return given
    if truth.dtype.kind in "ui":
        return float(np.iinfo(truth.dtype).max)
    if truth.dtype.kind == "b":
        return 1.0
    if not high > low:
        raise ValueError(
            f"{truth.name} shows one value in its first frame, so its range tells no peak: give "
            "the peak, 255 for images of 8 bits."
        )
    return high - low


def peak_diagnostics(truth: Stack, peak: float) -> tuple[str, ...]:
    """Peaks that make PSNR and SSIM look better or worse than they are."""
    low, high = _range(truth)
    if not np.isfinite(high):
        return ()
    said = []
    most = max(abs(low), abs(high))
    if most > 0 and peak > _WIDE * most:
        above = 20 * np.log10(peak / most)
        said.append(
            f"The peak of {peak:g} is {peak / most:.3g} times the largest value of the truth's "
            f"first frame ({most:.4g}): with that as the peak, PSNR would be {above:.1f} dB "
            "lower, and SSIM lower."
        )
    if high - low > peak * (1 + 1e-9):
        said.append(
            f"The truth's first frame ranges over {high - low:.4g}, more than the peak of "
            f"{peak:g}: PSNR and SSIM are those of a smaller range."
        )
    return tuple(said)


def _range(truth: Stack) -> tuple[float, float]:
    """Least and largest value of the first frame; NaN where it has none."""
    frame = np.asarray(truth.frame(0), np.float64)
    known = frame[np.isfinite(frame)]
    return (float(known.min()), float(known.max())) if known.size else (np.nan, np.nan)
