"""A shift for each block of a frame by overlap correlation, smoothed into one displacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.bsplines import fit
from napari_framewise.numerics.elastic.field import Field, FloatArray
from napari_framewise.numerics.elastic.folding import unfolded
from napari_framewise.numerics.elastic.images import BoolArray
from napari_framewise.numerics.overlap_correlation import Spectra, correlations, peaks
from napari_framewise.numerics.pyramid import filled, resized

_COARSE = 128
_LEAST_SHARE = 0.25
_SURE = 5.0
_STRENGTH = 1e-3
_RIVAL = 0.9
_FEWEST, _PAIRS = 0.1, 3


@dataclass(frozen=True, eq=False)
class Shifts:
    """What the blocks of a frame say.

    Attributes
    ----------
    centres : (n, 2) float64
        Middles of the blocks in the reference.
    shifts : (n, 2) float64
        From there to the image, in pixels; NaN where a block can't tell.
    weights : (n,) float64
        Inverse variance of a shift; 0 where it is NaN.
    peaks : (n,) float64
        Correlation of each in standard errors of unrelated pixels; 0 where it is NaN.
    shape : tuple of int
        Blocks along each axis.
    """

    centres: FloatArray
    shifts: FloatArray
    weights: FloatArray
    peaks: FloatArray
    shape: tuple[int, int]

    def agree(self, reach: int) -> bool:
        """Whether blocks that share no pixel moved much the same, as chance does not make them.

        Shifts that are found anywhere within the reach lie half of it apart. Where too few blocks
        can be compared, what they say must stand out four times as far.
        """
        known = self.weights > 0
        grid = self.shifts.reshape(*self.shape, 2)
        apart = np.concatenate(
            [
                np.sqrt(((grid[2:] - grid[:-2]) ** 2).sum(axis=-1)).ravel(),
                np.sqrt(((grid[:, 2:] - grid[:, :-2]) ** 2).sum(axis=-1)).ravel(),
            ]
        )
        apart = apart[np.isfinite(apart)]
        if known.sum() < max(1, _FEWEST * len(known)):
            return False
        if len(apart) < _PAIRS:
            return bool(np.median(self.peaks[known]) > 4 * _SURE)
        return bool(np.median(apart) < reach / 3)


def block_field(
    reference: NDArray[Any],
    image: NDArray[Any],
    use: BoolArray,
    use_there: BoolArray,
    start: FloatArray | None,
    spacing: float,
    reach: int,
) -> tuple[Field, Shifts]:
    """The displacement that the blocks' shifts tell, on nodes as far apart as the blocks.

    Blocks are twice as wide as they are apart. Each is sought within `reach` pixels of where a
    shift of the whole frame, or of the start's affine matrix, puts it; the peak is refined by a
    parabola along each axis. A block can't tell where its correlation is below 5 standard errors
    of unrelated pixels, where another peak is nearly as high, or where the highest lies at the end
    of the reach: there the spline of least bending through the others goes on, as in the non-rigid
    step of suite2p (Pachitariu et al. 2017).
    """
    here = _normalised(reference, use)
    there = _normalised(image, use_there)
    matrix = np.eye(3)
    matrix[:2, 2] = _whole_shift(here, use, there, use_there)
    if start is not None:
        matrix = np.asarray(start, np.float64)
    cells = tuple(max(1, round((n - 1) / spacing)) for n in here.shape)
    field = Field.still(matrix, here.shape, cells)
    found = _shifts(here, use, there, use_there, field, reach)
    known = found.weights > 0
    if known.sum() < 1:
        return field, found
    if known.sum() < 4:
        mean = np.average(found.shifts[known], axis=0, weights=found.weights[known])
        field = field.with_coefficients(
            np.broadcast_to(mean[:, None, None], field.coefficients.shape).copy()
        )
        return field, found
    smooth = fit(
        field.lattice,
        found.centres[known],
        found.shifts[known],
        weights=found.weights[known],
        strength=_STRENGTH,
    )
    return unfolded(field, field.with_coefficients(smooth.coefficients)), found


def _shifts(
    here: FloatArray, use: BoolArray, there: FloatArray, use_there: BoolArray, field: Field,
    reach: int,
) -> Shifts:  # fmt: skip
    centres, shifts, weights, heights = [], [], [], []
    half = [max(4, round(axis.spacing)) for axis in field.lattice.axes]
    rows, columns = (
        np.linspace(0, axis.stop, axis.cells + 1)[1:-1] if axis.cells > 1 else [axis.stop / 2]
        for axis in field.lattice.axes
    )
    for row in rows:
        for column in columns:
            centre = np.array([row, column])
            middle = np.rint(centre).astype(int)
            away = np.rint(field.pull_back(middle[None])[0] - middle).astype(int)
            block = _cut(middle, half, here.shape, reach)
            patch = tuple(
                slice(max(0, b.start + int(a) - reach), max(0, b.stop + int(a) + reach))
                for b, a in zip(block, away, strict=True)
            )
            known, seen = use[block].astype(float), use_there[patch].astype(float)
            shift, weight, height = np.full(2, np.nan), 0.0, 0.0
            if known.mean() >= _LEAST_SHARE and seen.size and seen.mean() >= _LEAST_SHARE:
                origin = np.array([b.start - p.start for b, p in zip(block, patch, strict=True)])
                placed = _peak(here[block], known, there[patch], seen, origin + away, reach)
                if placed is not None:
                    # Where the block's first pixel lies in the patch, in pixels of the image.
                    shift = placed[0] - origin - (field.matrix[:2, :2] @ centre
                                                  + field.matrix[:2, 2] - centre)  # fmt: skip
                    weight, height = placed[1:]
            centres.append(centre)
            shifts.append(shift)
            weights.append(weight)
            heights.append(height)
    size = len(rows), len(columns)
    return Shifts(np.array(centres), np.array(shifts), np.array(weights), np.array(heights), size)


def _peak(
    block: FloatArray, known: FloatArray, patch: FloatArray, seen: FloatArray, around: FloatArray,
    reach: int,
) -> tuple[FloatArray, float, float] | None:  # fmt: skip
    """Where a block lies in a patch, to parts of a pixel, and the inverse variance of that."""
    if any(n < m for n, m in zip(patch.shape, block.shape, strict=True)):
        return None
    # Only where the block lies wholly within the patch: then no shift wraps around.
    spectra = Spectra.of(patch[None], seen, (1, 1))
    values, overlap = correlations(spectra, block[None], known, 0.6)
    first = np.array(block.shape) - 1
    low = np.maximum(first + around - reach, first)
    high = np.minimum(first + around + reach + 1, patch.shape)
    if (high - low < 3).any():
        return None
    window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    inner, counts = values[window], overlap[window]
    if not np.isfinite(inner).any():
        return None
    found = peaks(inner, counts, 2, 3)
    best = found[0]
    height, count = float(inner[best]), float(counts[best])
    if height * np.sqrt(count) < _SURE:
        return None
    if len(found) > 1 and _is_peak(inner, found[1]) and inner[found[1]] > _RIVAL * height:
        return None
    place = np.array(best, float)
    curvature = np.inf
    for axis in range(2):
        if not 0 < best[axis] < inner.shape[axis] - 1:
            return None
        step = np.eye(2, dtype=int)[axis]
        before, after = (float(inner[tuple(np.array(best) + k * step)]) for k in (-1, 1))
        bend = 2 * height - before - after
        if not bend > 0:
            return None
        place[axis] += (after - before) / (2 * bend)
        curvature = min(curvature, bend)
    variance = max(1 - height**2, 1e-4) / (count * curvature)
    return place + low - first, 1 / variance, height * float(np.sqrt(count))


def _is_peak(values: FloatArray, place: tuple[int, ...]) -> bool:
    """Whether nothing beside a place is higher."""
    around = values[tuple(slice(max(0, at - 1), at + 2) for at in place)]
    return bool(np.nanmax(around) <= values[place])


def _whole_shift(
    here: FloatArray, use: BoolArray, there: FloatArray, use_there: BoolArray
) -> FloatArray:
    """Shift of the whole frame, from small versions of both; 0 where there is none."""
    step = max(1.0, max(here.shape) / _COARSE)
    small = []
    for values, valid in ((here, use), (there, use_there)):
        shape = tuple(max(8, round(n / step)) for n in values.shape)
        small.append((resized(values[None], shape)[0], resized(valid.astype(float), shape) > 0.5))
    spectra = Spectra.of(small[1][0][None], small[1][1].astype(float), small[0][0].shape)
    found, overlap = correlations(spectra, small[0][0][None], small[0][1].astype(float), 0.5)
    best = peaks(found, overlap, 1, 1)
    if not best:
        return np.zeros(2)
    scale = np.array(here.shape) / np.array(small[0][0].shape)
    return np.asarray(np.rint((np.array(best[0]) - np.array(small[0][0].shape) + 1) * scale))


def _normalised(image: ArrayLike, use: BoolArray) -> FloatArray:
    whole, _ = filled(np.asarray(image, np.float64)[None], use)
    values: FloatArray = whole[0] / (float(np.abs(whole[0]).max()) or 1.0)
    known = values[use]
    if not known.size or not known.min() < known.max():
        return np.zeros_like(values)
    return np.asarray((values - known.mean()) / known.std())


def _cut(
    middle: NDArray[Any], half: list[int], shape: tuple[int, ...], border: int
) -> tuple[slice, slice]:
    """A block about a place, as far from the border as it is sought."""
    rows, columns = (
        slice(max(border, int(m) - h), max(border, min(n - border, int(m) + h + 1)))
        for m, h, n in zip(middle, half, shape, strict=True)
    )
    return rows, columns
