"""References from replicate frames: their mean, and the noise that is left in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import real_array

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ReplicateMean:
    """Mean and scatter of replicate frames, in a form that can be accumulated and merged.

    Blocks merge by the pairwise update of Chan, Golub & LeVeque (1983, The American Statistician
    37, 242-247): the same blocks merged in the same order give the same bits wherever they were
    summed. NaN and infinite pixels are no data.

    Attributes
    ----------
    count : (*frame_shape) int64
        Frames that had a value at the pixel.
    mean : (*frame_shape) float64
        Their mean; 0 where there was none.
    scatter : (*frame_shape) float64
        Sum of squared deviations from it.
    """

    count: NDArray[np.int64]
    mean: FloatArray
    scatter: FloatArray

    @classmethod
    def of(cls, frames: ArrayLike) -> ReplicateMean:
        """Accumulate one block of frames ``(n, *frame_shape)``, n >= 1, of any real dtype."""
        block = real_array(frames, "replicate frames")
        if block.ndim < 2 or len(block) == 0:
            raise ValueError(
                f"The replicate frames have shape {block.shape}; (number of frames, *frame shape) "
                "with at least one frame is needed."
            )
        count = np.zeros(block.shape[1:], np.int64)
        mean = np.zeros(block.shape[1:])
        scatter = np.zeros(block.shape[1:])
        for frame in block:
            values = frame.astype(np.float64)
            seen = np.isfinite(values)
            count += seen
            step = np.where(seen, values - mean, 0.0) if not seen.all() else values - mean
            increment = step / np.maximum(count, 1)
            mean += increment
            scatter += step * (step - increment)
        return cls(count, mean, scatter)

    def merge(self, other: ReplicateMean) -> ReplicateMean:
        """Return the statistics of both blocks together."""
        count = self.count + other.count
        step = np.where(other.count > 0, other.mean - self.mean, 0.0)
        share = other.count / np.maximum(count, 1)
        scatter = self.scatter + other.scatter + step**2 * self.count * share
        return ReplicateMean(count, self.mean + step * share, scatter)

    def result(self) -> tuple[FloatArray, FloatArray]:
        """Mean and its standard error per pixel; NaN where there were fewer than 1 and 2 frames."""
        mean = np.where(self.count > 0, self.mean, np.nan)
        freedom = np.maximum(self.count - 1, 1)
        error = np.sqrt(self.scatter / (freedom * np.maximum(self.count, 1)))
        return mean, np.where(self.count > 1, error, np.nan)


def average_replicates(frames: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Average replicate frames of one reference.

    Parameters
    ----------
    frames : (n, *frame_shape)
        At least two frames of the same scene, any real dtype. NaN and infinite pixels are no
        data: they are left out of their pixel's mean.

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

    Examples
    --------
    >>> mean, variance = average_replicates(np.array([[1.0, 2.0], [3.0, 2.0]]))
    >>> mean.tolist()
    [2.0, 2.0]
    """
    block = real_array(frames, "replicate frames")
    if block.ndim < 2 or len(block) < 2:
        raise ValueError(
            f"The replicate frames have shape {block.shape}; at least two frames of one shape are "
            "needed, so that their noise can be told."
        )
    return ReplicateMean.of(block).result()
