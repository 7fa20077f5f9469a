"""The residual averaged over frames: it shows what biases the coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import as_block, pieces
from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.result import MixingFit

FloatArray = NDArray[np.float64]
_TILE = 2048
# frames of 16 bits whose sum fits into 32
_SUMMED = 1 << 15


@dataclass(frozen=True)
class ResidualTotal:
    """Sum of residuals over frames, pixel by pixel, in a form that can be merged.

    Attributes
    ----------
    count : (*frame_shape) float64
        Frames that had data at the pixel, and an answer.
    total : (*frame_shape) float64
        Sum of their residuals, in counts after dark and flat.
    """

    count: FloatArray
    total: FloatArray

    def merge(self, other: ResidualTotal) -> ResidualTotal:
        """Return the sums of both blocks together."""
        return ResidualTotal(self.count + other.count, self.total + other.total)

    def mean(self) -> FloatArray:
        """Mean residual per pixel; NaN where no frame had data."""
        return np.where(self.count > 0, self.total / np.maximum(self.count, 1.0), np.nan)


def residual_total(frames: ArrayLike, design: Design, fit: MixingFit) -> ResidualTotal:
    """Sum the residuals of a block of frames over the frames.

    Parameters
    ----------
    frames : (n, *frame_shape) or frame_shape
        The frames that were fitted.
    design, fit
        Their design and fit.

    Returns
    -------
    ResidualTotal
        NaN pixels and frames without an answer take no part in it.

    Examples
    --------
    >>> from napari_framewise.numerics.mixing import fit, prepare
    >>> a, b = np.array([1.0, 2.0, 3.0, 9.0]), np.array([3.0, 2.0, 1.0, 0.0])
    >>> frames = np.stack([0.5 * a + 0.5 * b, b])
    >>> design = prepare([a, b])
    >>> total = residual_total(frames, design, fit(frames, design))
    >>> bool(np.abs(total.mean()).max() < 1e-6)
    True
    """
    block = as_block(frames, design.frame_shape)
    shares = np.ascontiguousarray(fit.coefficients * fit.gain[:, None])
    pixels = int(np.prod(design.frame_shape, dtype=np.int64))
    dark, flat = (
        np.ascontiguousarray(np.broadcast_to(np.ravel(image), (pixels,)), dtype=np.float64)
        for image in (design.dark, design.flat)
    )
    references = np.ascontiguousarray(design.references)
    out = np.zeros((2, pixels))
    for part, piece in pieces(block):
        if piece.dtype.kind in "ui" and piece.dtype.itemsize <= 2:
            out += _from_sums(piece, shares[part], fit.offset[part], references, dark, flat)
            continue
        kernel = compiled(
            _residual_sums,
            f"{piece.dtype.name}/2",
            *("float64/2", "float64/1", "float64/2", "float64/1", "float64/1"),
            *("int64", "=float64/2"),
        )
        kernel(piece, shares[part], fit.offset[part], references, dark, flat, _TILE, out)
    return ResidualTotal(*(each.reshape(design.frame_shape) for each in out))


def _from_sums(
    piece: NDArray[Any],
    shares: FloatArray,
    offset: FloatArray,
    references: FloatArray,
    dark: FloatArray,
    flat: FloatArray,
) -> FloatArray:
    """`_residual_sums` of integers: every pixel has data, so that exact sums of frames do."""
    answered = np.isfinite(shares).all(axis=1) & np.isfinite(offset)
    sums = np.zeros(piece.shape[1], np.int64)
    kernel = compiled(_frame_sums, f"{piece.dtype.name}/2", "bool/1", "int64", "=int64/1")
    for start in range(0, len(piece), _SUMMED):
        part = slice(start, start + _SUMMED)
        kernel(piece[part], answered[part], _TILE, sums)
    count = float(np.count_nonzero(answered))
    weights = shares[answered].sum(axis=0)
    fitted = (weights[:, np.newaxis] * references).sum(axis=0) + offset[answered].sum()
    with np.errstate(invalid="ignore"):
        total = (sums - count * dark) / flat - fitted
    known = np.isfinite(total)
    return np.stack([np.where(known, count, 0.0), np.where(known, total, 0.0)])


def _frame_sums(frames, answered, tile, out):  # type: ignore[no-untyped-def]
    """Add the frames that have an answer, pixel by pixel."""
    n, pixels = frames.shape
    scratch = np.empty(tile, np.int32)
    for start in range(0, pixels, tile):
        place = out[start : start + tile]
        total = scratch[: len(place)]
        for j in range(len(total)):
            total[j] = 0
        for f in range(n):
            y = frames[f, start : start + tile]
            if answered[f]:
                for j in range(len(total)):
                    total[j] += np.int32(y[j])
        for j in range(len(total)):
            place[j] += total[j]


def _residual_sums(frames, shares, offset, references, dark, flat, tile, out):  # type: ignore[no-untyped-def]
    n, pixels = frames.shape
    scratch = np.empty(tile)
    for start in range(0, pixels, tile):
        stop = min(start + tile, pixels)
        count = out[0, start:stop]
        total = out[1, start:stop]
        subtracted = dark[start:stop]
        divided = flat[start:stop]
        left = scratch[: stop - start]
        for f in range(n):
            y = frames[f, start:stop]
            background = offset[f]
            for j in range(len(left)):
                left[j] = (y[j] - subtracted[j]) / divided[j] - background
            for k in range(len(references)):
                reference = references[k, start:stop]
                share = shares[f, k]
                for j in range(len(left)):
                    left[j] -= share * reference[j]
            for j in range(len(left)):
                known = abs(left[j]) < np.inf
                count[j] += 1.0 if known else 0.0
                total[j] += left[j] if known else 0.0
