"""References from replicate frames: their mean, and the noise that is left in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ReplicateMean:
    """Mean and scatter of replicate frames, in a form that can be accumulated and merged.

    Sums follow Chan, Golub & LeVeque (1983), eq. 2.1: merging blocks in a fixed order gives the
    same bits wherever the blocks were summed. NaN and infinite pixels count as no data.

    Attributes
    ----------
    count : (*frame_shape) int64
        Frames that had a value at the pixel.
    mean : (*frame_shape) float64
        Their mean.
    scatter : (*frame_shape) float64
        Sum of squared deviations from it.
    """

    count: NDArray[np.int64]
    mean: FloatArray
    scatter: FloatArray

    @classmethod
    def of(cls, frames: ArrayLike) -> ReplicateMean:
        """Accumulate one block of frames ``(n, *frame_shape)`` of any real dtype."""
        raise NotImplementedError

    def merge(self, other: ReplicateMean) -> ReplicateMean:
        """Return the statistics of both blocks together."""
        raise NotImplementedError

    def result(self) -> tuple[FloatArray, FloatArray]:
        """Return the mean and its standard error per pixel; NaN where fewer than 1 and 2 frames."""
        raise NotImplementedError


def average_replicates(frames: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Average replicate frames of one reference.

    Parameters
    ----------
    frames : (n, *frame_shape)
        At least two frames of the same scene, any real dtype.

    Returns
    -------
    mean : (*frame_shape) float64
        The reference.
    error : (*frame_shape) float64
        Standard error of the mean per pixel, ``std(ddof=1) / sqrt(n)``: what `prepare` takes as
        ``reference_noise``.

    Raises
    ------
    ValueError
        With fewer than two frames.
    """
    raise NotImplementedError
