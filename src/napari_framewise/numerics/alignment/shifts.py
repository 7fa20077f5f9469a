"""How well a template fits an image at every shift, told by the significance of its slopes.

With u the slopes of the template and v those of the image, the score of a shift s is::

    sum_p u(p) . v(p + s) / sqrt(sum_p |u(p)|^2 |v(p + s)|^2 / k)

over the pixels p that overlap there, k the number of slopes per pixel: where the two have
nothing to do with each other its mean is 0 and its variance about 1. How it scatters over all
shifts says what it is in truth, since slopes of neighbouring pixels hang together. Smooth images
resemble each other by chance, brightness on one side and darkness on the other; their slopes do
not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
# Times the typical size of slopes: beyond it they say no more, so that a few hot pixels, or dirt
# that stays put, do not outvote a scene that moves.
_MOST = 8.0
# By how many deviations of all shifts a place must stand out from the best of the others; and by
# how much Fisher's z, where it is as good as this correlation.
_CLEAR, _CLEAR_OF_NOISE = 3.0, 1.8
_CLEAR_Z, _GOOD, _WORSE, _BESIDE, _FAR_WORSE = 0.35, 0.7, 2.0, 0.04, 20.0
_NEARLY, _AHEAD = 0.9, 1.1
# Shifts that are looked at for their scatter.
_SAMPLED = 20000


@dataclass(frozen=True, eq=False)
class Slopes:
    """Slopes of an image, as they are compared.

    Attributes
    ----------
    values : (k, y, x) float32
        0 where they are not used.
    usable : (y, x) bool or None
        Where they are used; None where that is everywhere.
    typical : float
        Their typical size.
    whole : (k, y, x) float32
        As they are: with their mean, and without bounds.
    """

    values: NDArray[np.float32]
    usable: BoolArray | None
    typical: float
    whole: NDArray[np.float32]
    _spectra: dict[tuple[int, ...], Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, slopes: NDArray[Any], usable: BoolArray | None = None, *, border: int = 0
    ) -> Slopes:
        """Slopes (..., y, x) without their mean, bounded by what is typical; 0 at a border."""
        values = slopes.reshape(-1, *slopes.shape[-2:])
        known = values.reshape(len(values), -1) if usable is None else values[:, usable]
        if known.shape[1] == 0:
            return cls(np.zeros_like(values), usable, 0.0, values)
        whole = values
        values = values - known.mean(axis=1)[:, None, None]
        size = np.abs(known[:, :: max(1, known.shape[1] // _SAMPLED)]).ravel()
        typical = 1.4826 * float(np.partition(size, size.size // 2)[size.size // 2])
        typical = max(typical, 0.02 * float(np.sqrt((size**2).mean())))
        values = np.clip(values, -_MOST * typical, _MOST * typical)
        if usable is not None:
            values *= usable
        if border:
            values[:, :border] = values[:, -border:] = 0
            values[:, :, :border] = values[:, :, -border:] = 0
        return cls(values, usable, typical, whole)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.values.shape[1], self.values.shape[2])

    def without(self, pixels: BoolArray) -> Slopes:
        """The same without some pixels."""
        usable = ~pixels if self.usable is None else self.usable & ~pixels
        return Slopes(self.values * usable, usable, self.typical, self.whole)

    def spectra(self, padded: tuple[int, int], *, turned: bool) -> Any:
        """Spectra of the slopes, of their squared length, and of where they are used."""
        if padded not in self._spectra:
            way = slice(None, None, -1 if turned else 1)
            values = np.ascontiguousarray(self.values[:, way, way])
            square = np.einsum("kij,kij->ij", values, values)
            mask = None
            if self.usable is not None:
                mask = fft.rfft2(self.usable[way, way].astype(np.float32), padded)
            self._spectra[padded] = fft.rfft2(values, padded), fft.rfft2(square, padded), mask
        return self._spectra[padded]


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of all shifts, in deviations of what chance gives.

    Attributes
    ----------
    values : (rows, columns)
        Element (i, j) is the shift (i - y + 1, j - x + 1) of the template, of y rows and x columns,
        in the image; minus infinity where too little overlaps.
    origin : tuple of int
        Element of shift 0.
    """

    values: NDArray[np.floating]
    template: Slopes
    image: Slopes

    @property
    def origin(self) -> tuple[int, int]:
        """Element of shift 0."""
        return (self.template.shape[0] - 1, self.template.shape[1] - 1)

    @property
    def best(self) -> tuple[int, int]:
        """Element of the highest score."""
        row, column = np.unravel_index(int(np.argmax(self.values)), self.values.shape)
        return int(row), int(column)

    def near(self, shift: tuple[float, float], away: float) -> tuple[int, int] | None:
        """Element of the highest score within some pixels of a shift."""
        low = [max(0, int(np.ceil(s + o - away))) for s, o in zip(shift, self.origin, strict=True)]
        high = [int(np.floor(s + o + away)) + 1 for s, o in zip(shift, self.origin, strict=True)]
        part = self.values[low[0] : max(high[0], 0), low[1] : max(high[1], 0)]
        if not part.size or not np.isfinite(part).any():
            return None
        row, column = np.unravel_index(int(np.argmax(part)), part.shape)
        return low[0] + int(row), low[1] + int(column)

    def peak(self, at: tuple[int, int]) -> tuple[float, float]:
        """Shift of the highest point of parabolas through an element and its neighbours."""
        found = []
        for axis in (0, 1):
            here = list(at)
            line = []
            for step in (-1, 0, 1):
                here[axis] = at[axis] + step
                within = 0 <= here[axis] < self.values.shape[axis]
                line.append(float(self.values[tuple(here)]) if within else -np.inf)
            bend = line[0] - 2 * line[1] + line[2]
            step_ = 0.5 * (line[0] - line[2]) / bend if np.isfinite(bend) and bend < 0 else 0.0
            found.append(at[axis] + float(np.clip(step_, -0.5, 0.5)) - self.origin[axis])
        return found[0], found[1]

    def rival(self, at: tuple[int, int]) -> tuple[int, int] | None:
        """Element of the highest score that does not belong to the peak around an element."""
        values = self.values.copy()
        rows, columns = (
            self._breadth(at, axis, 1 + round(1 / 8 * min(self.template.shape))) for axis in (0, 1)
        )
        near = max(rows, columns)
        values[
            max(0, at[0] - near) : at[0] + near + 1, max(0, at[1] - near) : at[1] + near + 1
        ] = -np.inf
        row, column = np.unravel_index(int(np.argmax(values)), values.shape)
        return (int(row), int(column)) if values[row, column] > -np.inf else None

    def _breadth(self, at: tuple[int, int], axis: int, least: int) -> int:
        """Elements along an axis until the score has fallen to less than a third."""
        line = self.values[:, at[1]] if axis == 0 else self.values[at[0]]
        top = line[at[axis]]
        found = 1
        for way in (line[at[axis] :], line[at[axis] :: -1]):
            low = np.flatnonzero(way < top / 3)
            found = max(found, int(low[0]) if low.size else len(way) - 1)
        return max(2, min(found, max(least, 2), min(self.template.shape) // 3))

    def correlation(self, at: tuple[int, int], *, whole: bool = False) -> float:
        """Of the slopes that overlap at an element; bounded, or as they are."""
        here, there = [], []
        for place, own, other, origin in zip(
            at, self.template.shape, self.image.shape, self.origin, strict=True
        ):
            shift = place - origin
            here.append(slice(max(0, -shift), min(own, other - shift)))
            there.append(slice(max(0, shift), min(other, own + shift)))
        one = self.template.values[(slice(None), *here)]
        two = self.image.values[(slice(None), *there)]
        both = (one != 0) & (two != 0)
        if whole:
            first = self.template.whole[(slice(None), *here)] * both
            second = self.image.whole[(slice(None), *there)] * both
        else:
            count = np.maximum(both.sum(axis=(1, 2), keepdims=True), 1)
            first, second = (
                (each - (each * both).sum(axis=(1, 2), keepdims=True) / count) * both
                for each in (one, two)
            )
        power = float((first * first).sum()) * float((second * second).sum())
        return float((first * second).sum()) / np.sqrt(power) if power > 0 else 0.0

    def stands_out(
        self, one: tuple[int, int], two: tuple[int, int] | None, noisy: bool = False
    ) -> bool:
        """Whether a place can't be taken for another; `noisy`, noise alone makes the others."""
        if two is None:
            return bool(self.values[one] > _CLEAR)
        if self.values[one] - self.values[two] > (_CLEAR_OF_NOISE if noisy else _CLEAR):
            return True
        good, other = self.correlation(one), self.correlation(two)
        if good > _NEARLY:
            # Where next to nothing is left, what is largest has its say as well.
            good, other = (self.correlation(each, whole=True) for each in (one, two))
        good, other = min(good, 0.9999), float(np.clip(other, -0.9999, 0.9999))
        worse = min(_WORSE * (1 - good) + _BESIDE, _FAR_WORSE * (1 - good))
        return bool(
            good > _GOOD
            and 1 - other > worse
            and np.arctanh(good) - np.arctanh(other) > _CLEAR_Z
            and self.values[one] > _AHEAD * self.values[two]
        )


def scores_of(template: Slopes, image: Slopes, least: float) -> Scores:
    """Scores of all shifts that let at least a share of the template's usable pixels overlap.

    Parameters
    ----------
    template, image : Slopes
        With as many slopes per pixel.
    least : float
        Share of the template's usable pixels.
    """
    (h, w), (height, width) = template.shape, image.shape
    padded = (
        fft.next_fast_len(height + h - 1, real=True),
        fft.next_fast_len(width + w - 1, real=True),
    )
    extent = (height + h - 1, width + w - 1)
    own, own_square, own_mask = template.spectra(padded, turned=True)
    other, square, mask = image.spectra(padded, turned=False)

    def back(spectrum: Any) -> Any:
        return fft.irfft2(spectrum, padded)[: extent[0], : extent[1]]

    both = back((own * other).sum(axis=0))
    spread = back(own_square * square) / len(template.values)
    if own_mask is None and mask is None:
        rows, columns = _overlap(h, height), _overlap(w, width)
        allowed = np.outer(rows, columns) >= least * (h * w)
    else:
        own_mask = own_mask if own_mask is not None else _box(h, w, padded)
        mask = mask if mask is not None else _box(height, width, padded)
        count = h * w if template.usable is None else int(template.usable.sum())
        allowed = back(own_mask * mask) >= max(least * count - 0.5, 2.0)
    allowed &= spread > 1e-6 * max(float(spread.max()), 1e-30)
    values = np.full(both.shape, -np.inf, both.dtype)
    values[allowed] = both[allowed] / np.sqrt(spread[allowed])
    known = values[allowed]
    if known.size:
        some = np.abs(known[:: max(1, known.size // _SAMPLED)])
        scatter = 1.4826 * float(np.partition(some, some.size // 2)[some.size // 2])
        values /= max(scatter, 1e-30)
    return Scores(values, template, image)


def _overlap(own: int, other: int) -> FloatArray:
    """Length of the overlap at every shift."""
    shift = np.arange(-own + 1, other)
    return np.asarray(np.minimum(other, shift + own) - np.maximum(0, shift), float)


def _box(rows: int, columns: int, padded: tuple[int, int]) -> Any:
    return fft.rfft2(np.ones((rows, columns), np.float32), padded)
