"""Structural similarity of pairs of images over what overlaps at their best shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.quality import WANG_2004, ssim
from napari_framewise.numerics.similarity.best_shifts import Matches, all_pairs, best_shifts
from napari_framewise.numerics.similarity.prepared import Spectra, grey
from napari_framewise.numerics.similarity.ranking_kernels import CEILING


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images as they are, with what finds their shifts.

    Attributes
    ----------
    spectra : Spectra
        Of the filtered images.
    values : (n, y, x) float64
        Grey images on the canvas, NaN where a pixel is not used.
    """

    spectra: Spectra
    values: NDArray[np.float64]

    @classmethod
    def of(cls, spectra: Spectra, images: Sequence[NDArray[Any]] | NDArray[Any]) -> Pictures:
        """Images laid on the canvas of their spectra."""
        canvas = spectra.canvas
        values = np.full(canvas.values.shape, np.nan)
        for place, image, origin in zip(values, images, canvas.origins, strict=True):
            plane = grey(image)
            place[tuple(slice(o, o + k) for o, k in zip(origin, plane.shape, strict=True))] = plane
        values[canvas.masks[canvas.groups] == 0] = np.nan
        return cls(spectra, values)


def structural_similarities(
    first: Pictures,
    second: Pictures,
    pairs: NDArray[np.int64] | None = None,
    *,
    least_overlap: float = 0.3,
) -> Matches:
    """Mean structural similarity at the shift of the best correlation.

    Over the rectangle of the canvas that overlaps, with Gaussian windows of sigma 1.5 and 11 x 11
    pixels that lie in it whole, and L the range of the values of both images: as
    ``structural_similarity(..., gaussian_weights=True, sigma=1.5, use_sample_covariance=False)`` of
    scikit-image gives it for the overlapping parts. The weight is that of `best_shifts`, with the
    structural similarity for r. NaN where fewer than 11 rows or columns overlap, and where a shift
    has no answer.

    Parameters
    ----------
    first, second : Pictures
    pairs, least_overlap
        As `best_shifts` takes them.

    References
    ----------
    Wang, Z., Bovik, A. C., Sheikh, H. R. & Simoncelli, E. P. (2004). Image quality assessment.
    IEEE Transactions on Image Processing 13, 600-612.

    Examples
    --------
    >>> from napari_framewise.numerics.similarity import Filter, Transform, on_canvas
    >>> scene = np.random.default_rng(0).normal(size=(40, 40))
    >>> images = [scene[:30, :30], scene[4:34, 2:32]]
    >>> ready = on_canvas(images, (30, 30), Filter("nothing"))
    >>> pictures = Pictures.of(Spectra.of(ready, Transform((30, 30), (8, 8))), images)
    >>> found = structural_similarities(pictures, pictures, np.array([[0, 1]]))
    >>> found.score.round(6).tolist(), found.shifts.tolist()
    ([1.0], [[-4.0, -2.0]])
    """
    pairs = all_pairs(len(first.values), len(second.values)) if pairs is None else pairs
    at = best_shifts(first.spectra, second.spectra, pairs, least_overlap=least_overlap)
    origins = [each.spectra.canvas.origins for each in (first, second)]
    apart = origins[1][pairs[:, 1]] - origins[0][pairs[:, 0]]
    score = np.full(len(pairs), np.nan)
    for place in np.flatnonzero(np.isfinite(at.score)):
        i, j = pairs[place]
        one, other = first.values[i], second.values[j]
        moves = (at.shifts[place] + apart[place]).astype(int)
        here = tuple(_span(d, n) for d, n in zip(moves, one.shape, strict=True))
        there = tuple(_span(-d, n) for d, n in zip(moves, one.shape, strict=True))
        low = min(np.nanmin(one), np.nanmin(other))
        peak = max(np.nanmax(one), np.nanmax(other)) - low
        parts = one[here], other[there]
        if peak > 0 and min(parts[0].shape) >= WANG_2004.size:
            score[place] = ssim(parts[0][None], parts[1][None], float(peak)).mean()[0]
    weight = np.arctanh(np.clip(score, -CEILING, CEILING)) * np.sqrt(at.pixels)
    return Matches(score, weight, at.shifts, at.pixels)


def _span(shift: int, length: int) -> slice:
    """Pixels x with x + shift within the other image."""
    return slice(max(0, -shift), min(length, length - shift))
