"""A shift for each block of a plane or a volume by overlap correlation, smoothed into one field."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.elastic.field import Field, FloatArray
from napari_framewise.numerics.elastic.folding import unfolded
from napari_framewise.numerics.elastic.images import BoolArray
from napari_framewise.numerics.elastic.matching import SURE, matched
from napari_framewise.numerics.elastic.spreading import spread, texture_of
from napari_framewise.numerics.elastic.verdict import repeated
from napari_framewise.numerics.overlap_correlation import Spectra, correlations, peaks
from napari_framewise.numerics.pyramid import filled, resized

# Longest side of the small copies that the shift of the whole frame is sought on, by axes.
_COARSE = {2: 128, 3: 48}
_LEAST_SHARE = 0.25
# Of the bending, by axes: volumes have few blocks.
_STRENGTH = {2: 1.0, 3: 0.1}
_FEWEST, _PAIRS = 0.1, 3


@dataclass(frozen=True, eq=False)
class Shifts:
    """What the blocks of a frame say.

    Attributes
    ----------
    blocks : n tuples of slices
        Where they lie in the reference.
    shifts : (n, d) float64
        From there to the image, in pixels; NaN where a block can't tell.
    weights : (n,) float64
        Inverse variance of a shift; 0 where it is NaN.
    peaks : (n,) float64
        Correlation of each in standard errors of unrelated pixels; 0 where it is NaN.
    repeated : bool
        Whether the reference looks the same some pixels on.
    shape : tuple of int
        Blocks along each axis.
    """

    blocks: tuple[tuple[slice, ...], ...]
    shifts: FloatArray
    weights: FloatArray
    peaks: FloatArray
    repeated: bool
    shape: tuple[int, ...]

    def agree(self, reach: int) -> bool:
        """Whether blocks that share no pixel moved much the same, as chance does not make them.

        Shifts that are found anywhere within the reach lie half of it apart. Where too few blocks
        can be compared, what they say must stand out four times as far.
        """
        known = self.weights > 0
        grid = self.shifts.reshape(*self.shape, -1)
        apart = np.concatenate(
            [_lengths(np.moveaxis(grid, k, 0)[2:] - np.moveaxis(grid, k, 0)[:-2])
             for k in range(len(self.shape))]
        )  # fmt: skip
        apart = apart[np.isfinite(apart)]
        if known.sum() < max(1, _FEWEST * len(known)):
            return False
        if len(apart) < _PAIRS:
            return bool(np.median(self.peaks[known]) > 4 * SURE)
        return bool(np.median(apart) < reach / 3)


def block_cells(shape: tuple[int, ...], spacing: float) -> tuple[int, ...]:
    """Cells of the lattice on whose inner nodes blocks have their middles."""
    return tuple(max(1, round((n - 1) / spacing)) for n in shape)


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
    matrix = np.eye(here.ndim + 1)
    matrix[:-1, -1] = _whole_shift(here, use, there, use_there)
    if start is not None:
        matrix = np.asarray(start, np.float64)
    field = Field.still(matrix, here.shape, block_cells(here.shape, spacing))
    found = _shifts(here, use, there, use_there, field, reach)
    known = found.weights > 0
    if known.sum() < 1:
        return field, found
    if known.sum() < 4:
        mean = np.average(found.shifts[known], axis=0, weights=found.weights[known])
        field = field.with_coefficients(
            np.broadcast_to(mean.reshape(-1, *(1,) * here.ndim), field.coefficients.shape).copy()
        )
        return field, found
    smooth = spread(
        field.lattice,
        texture_of(here, use),
        [found.blocks[number] for number in np.flatnonzero(known)],
        found.shifts[known],
        found.weights[known],
        _STRENGTH[here.ndim],
    )
    return unfolded(field, field.with_coefficients(smooth)), found


def _shifts(
    here: FloatArray, use: BoolArray, there: FloatArray, use_there: BoolArray, field: Field,
    reach: int,
) -> Shifts:  # fmt: skip
    blocks, shifts, weights, heights = [], [], [], []
    half = [max(4, round(axis.spacing)) for axis in field.lattice.axes]
    # In few planes a block could not be sought far and be wide as well.
    far = np.array([min(reach, max(1, (n - 1) // 4)) for n in here.shape])
    along = [
        np.linspace(0, axis.stop, axis.cells + 1)[1:-1]
        if axis.cells > 1
        else np.array([axis.stop / 2])
        for axis in field.lattice.axes
    ]
    linear, constant = field.matrix[:-1, :-1], field.matrix[:-1, -1]
    for place in product(*along):
        centre = np.array(place)
        middle = np.rint(centre).astype(int)
        away = np.rint(linear @ middle + constant - middle).astype(int)
        block = _cut(middle, half, here.shape, far)
        patch = tuple(
            slice(max(0, b.start + int(a) - int(f)), max(0, b.stop + int(a) + int(f)))
            for b, a, f in zip(block, away, far, strict=True)
        )
        known, seen = use[block].astype(float), use_there[patch].astype(float)
        shift, weight, height = np.full(here.ndim, np.nan), 0.0, 0.0
        enough = known.size and seen.size
        if enough and known.mean() >= _LEAST_SHARE and seen.mean() >= _LEAST_SHARE:
            origin = np.array([b.start - p.start for b, p in zip(block, patch, strict=True)])
            placed = matched(here[block], known, there[patch], seen, origin + away, far)
            if placed is not None and placed.weight > 0:
                # Where the block's first pixel lies in the patch, in pixels of the image.
                shift = placed.place - origin - (linear @ centre + constant - centre)
                weight, height = placed.weight, placed.height
        blocks.append(block)
        shifts.append(shift)
        weights.append(weight)
        heights.append(height)
    size = tuple(len(each) for each in along)
    return Shifts(
        tuple(blocks),
        np.array(shifts),
        np.array(weights),
        np.array(heights),
        repeated(here, use) or repeated(*_small(here, use)),
        size,
    )


def _whole_shift(
    here: FloatArray, use: BoolArray, there: FloatArray, use_there: BoolArray
) -> FloatArray:
    """Shift of the whole frame, from small versions of both; 0 where there is none."""
    step = max(1.0, max(here.shape) / _COARSE[here.ndim])
    small = [_small(here, use, step), _small(there, use_there, step)]
    spectra = Spectra.of(small[1][0][None], small[1][1].astype(float), small[0][0].shape)
    found, overlap = correlations(spectra, small[0][0][None], small[0][1].astype(float), 0.5)
    best = peaks(found, overlap, 1, 1)
    if not best:
        return np.zeros(here.ndim)
    scale = np.array(here.shape) / np.array(small[0][0].shape)
    return np.asarray(np.rint((np.array(best[0]) - np.array(small[0][0].shape) + 1) * scale))


def _small(
    values: FloatArray, valid: BoolArray, step: float | None = None
) -> tuple[FloatArray, BoolArray]:
    """A copy with larger pixels, by default as the shift of the whole frame is sought on."""
    step = step or max(1.0, max(values.shape) / _COARSE[values.ndim])
    shape = tuple(max(8, round(n / step)) for n in values.shape)
    return resized(values[None], shape)[0], resized(valid.astype(float), shape) > 0.5


def _normalised(image: ArrayLike, use: BoolArray) -> FloatArray:
    whole, _ = filled(np.asarray(image, np.float64)[None], use)
    values: FloatArray = whole[0] / (float(np.abs(whole[0]).max()) or 1.0)
    known = values[use]
    if not known.size or not known.min() < known.max():
        return np.zeros_like(values)
    return np.asarray((values - known.mean()) / known.std())


def _cut(
    middle: NDArray[Any], half: list[int], shape: tuple[int, ...], border: NDArray[Any]
) -> tuple[slice, ...]:
    """A block about a place, as far from the border as it is sought."""
    return tuple(
        slice(max(int(b), int(m) - h), max(int(b), min(n - int(b), int(m) + h + 1)))
        for m, h, n, b in zip(middle, half, shape, border, strict=True)
    )


def _lengths(moves: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt((moves**2).sum(axis=-1)).ravel())
