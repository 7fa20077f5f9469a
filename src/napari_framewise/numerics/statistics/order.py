"""Exact percentiles of whole stacks: values are counted by their digits, pass by pass.

A number's bits are turned into an unsigned key of the same order. The first pass counts the
leading 16 bits of the keys, which for 8 and 16 bits is the whole histogram; wider types take one
pass more for each further 16 bits, over the few leading parts that hold a wanted rank.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_framewise.numerics.common.rows import as_rows, kernel_dtype
from napari_framewise.numerics.statistics.kernels import count_bins, count_digits

FloatArray = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Ranks:
    """A search for the values of given ranks; made by `find_percentiles`, picklable.

    Attributes
    ----------
    percentiles : tuple of float
        What is looked for, 0 to 100.
    dtype : str
        Type of the values as kernels read them.
    digits : int
        Bits of a key that are known after the pass to come.
    prefixes : tuple of tuple of int
        For every channel, the leading parts of keys that hold a wanted rank, in order; one 0 for
        the first pass.
    wanted : tuple of tuple of (int, int)
        For every channel and rank, its prefix's place in `prefixes` and the rank counted from that
        prefix's first value.
    count : tuple of int
        Values of each channel, once counted.
    """

    percentiles: tuple[float, ...]
    dtype: str
    digits: int
    prefixes: tuple[tuple[int, ...], ...] = ()
    wanted: tuple[tuple[tuple[int, int], ...], ...] = ()
    count: tuple[int, ...] = ()

    @property
    def passes(self) -> int:
        """Passes over the data that it takes in all."""
        return max(1, np.dtype(self.dtype).itemsize // 2)


def find_percentiles(percentiles: ArrayLike, dtype: DTypeLike) -> Ranks:
    """Begin a search for percentiles of values of a type.

    Raises
    ------
    ValueError
        Where a percentile does not lie between 0 and 100.

    Examples
    --------
    >>> frames = np.array([[4, 1, 3, 2]], np.uint8)
    >>> search = find_percentiles(50, frames.dtype)
    >>> while isinstance(search, Ranks):
    ...     search = narrow(search, count_ranks(frames, search))
    >>> search.tolist()
    [[2.5]]
    """
    wanted = tuple(float(each) for each in np.atleast_1d(np.asarray(percentiles, np.float64)))
    if any(not 0 <= each <= 100 for each in wanted):
        raise ValueError(f"The percentiles {wanted} were given; each must lie between 0 and 100.")
    known = kernel_dtype(np.dtype(dtype))
    return Ranks(wanted, known.str, min(16, 8 * known.itemsize))


def count_ranks(
    frames: ArrayLike,
    ranks: Ranks,
    *,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
) -> Counts:
    """Count the digits of one block for the pass at hand; blocks are added up.

    Returns
    -------
    (C, prefixes, 2 ** bits) int64

    Examples
    --------
    >>> frames = np.array([[4, 1, 3, 2]], np.uint8)
    >>> int(count_ranks(frames, find_percentiles(50, frames.dtype)).sum())
    4
    """
    rows = as_rows(frames, channel_axis)
    known = np.dtype(ranks.dtype)
    values = rows.values.astype(known, copy=False)
    longest = max(map(len, ranks.prefixes), default=1)
    prefixes = np.zeros((rows.channels, longest), np.uint64)
    lengths = np.ones(rows.channels, np.int64)
    for channel, given in enumerate(ranks.prefixes):
        prefixes[channel, : len(given)] = given
        lengths[channel] = len(given)
    bits = 8 * known.itemsize
    counts = np.zeros((rows.channels, longest, 2 ** min(16, bits)), np.int64)
    count_digits(
        values.view(f"u{known.itemsize}"),
        rows.mask_rows(mask),
        rows.period,
        "uif".index(known.kind),
        np.uint64(bits - ranks.digits),
        prefixes,
        lengths,
        counts,
    )
    return counts


def narrow(ranks: Ranks, counts: Counts) -> Ranks | FloatArray:
    """The search after a pass: for the next pass, or the percentiles (percentiles, C).

    Between two values a percentile is interpolated linearly, at the position
    ``(n - 1) p / 100`` of the ordered values (Hyndman and Fan's type 7, NumPy's own). NaN for a
    channel without data.

    Examples
    --------
    >>> frames = np.array([[9, 9, 9]], np.uint8)
    >>> search = find_percentiles(50, frames.dtype)
    >>> narrow(search, count_ranks(frames, search)).tolist()
    [[9.0]]
    """
    channels = range(len(counts))
    if ranks.wanted:
        wanted, totals, known = ranks.wanted, ranks.count, ranks.prefixes
    else:
        totals = tuple(int(counts[channel].sum()) for channel in channels)
        wanted = tuple(tuple((0, r) for r in _places(ranks, total)) for total in totals)
        known = ((0,),) * len(counts)
    bits = counts.shape[2].bit_length() - 1
    keys: list[list[int]] = []
    below: list[list[int]] = []
    for channel in channels:
        ends = np.cumsum(counts[channel], axis=1)
        digits = [int(np.searchsorted(ends[p], r, side="right")) for p, r in wanted[channel]]
        keys.append(
            [
                (known[channel][p] << bits) | d
                for (p, _), d in zip(wanted[channel], digits, strict=True)
            ]
        )
        below.append(
            [
                r - (int(ends[p][d - 1]) if d else 0)
                for (p, r), d in zip(wanted[channel], digits, strict=True)
            ]
        )
    if ranks.digits == 8 * np.dtype(ranks.dtype).itemsize:
        return _interpolated(ranks, totals, [_values(ranks, each) for each in keys])
    prefixes = tuple(tuple(sorted(set(each))) or (0,) for each in keys)
    return Ranks(
        ranks.percentiles,
        ranks.dtype,
        ranks.digits + 16,
        prefixes,
        tuple(
            tuple((prefixes[c].index(k), r) for k, r in zip(keys[c], below[c], strict=True))
            for c in channels
        ),
        totals,
    )


def values_of_bins(dtype: DTypeLike) -> FloatArray:
    """The value that each bin of the first pass counts, for types of up to 16 bits.

    Examples
    --------
    >>> values_of_bins(np.uint8)[:3].tolist()
    [0.0, 1.0, 2.0]
    """
    known = kernel_dtype(np.dtype(dtype))
    limits = np.iinfo(known)
    return np.arange(limits.min, limits.max + 1, dtype=np.float64)


def histogram(
    frames: ArrayLike,
    edges: FloatArray,
    *,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
) -> Counts:
    """Counts (C, bins) of values between evenly spaced edges (bins + 1), both ends included.

    Examples
    --------
    >>> histogram(np.array([[0.0, 0.5, 1.0]]), np.linspace(0, 1, 3)).tolist()
    [[1, 2]]
    """
    rows = as_rows(frames, channel_axis)
    counts = np.zeros((rows.channels, len(edges) - 1), np.int64)
    first, last = float(edges[0]), float(edges[-1])
    scale = counts.shape[1] / (last - first) if last > first else 0.0
    count_bins(rows.values, rows.mask_rows(mask), rows.period, first, last, scale, counts)
    return counts


def _places(ranks: Ranks, total: int) -> list[int]:
    """Ranks on both sides of every percentile's position; none without values."""
    if not total:
        return []
    positions = [(total - 1) * each / 100 for each in ranks.percentiles]
    return [min(total - 1, int(p) + step) for p in positions for step in (0, 1)]


def _interpolated(ranks: Ranks, totals: tuple[int, ...], values: list[FloatArray]) -> FloatArray:
    found = np.full((len(ranks.percentiles), len(totals)), np.nan)
    for channel, (total, known) in enumerate(zip(totals, values, strict=True)):
        if total:
            part = np.array([(total - 1) * each / 100 % 1 for each in ranks.percentiles])
            found[:, channel] = between(known[::2], known[1::2], part)
    return found


def between(low: FloatArray, high: FloatArray, part: FloatArray) -> FloatArray:
    """Linear interpolation that is exact at both ends and never leaves them."""
    step = high - low
    return np.where(part < 0.5, low + step * part, high - step * (1 - part))


def _values(ranks: Ranks, keys: list[int]) -> FloatArray:
    """The numbers that whole keys stand for, as float64."""
    dtype = np.dtype(ranks.dtype)
    top = 1 << (8 * dtype.itemsize - 1)
    turn: dict[str, Callable[[int], int]] = {
        "u": lambda key: key,
        "i": lambda key: key ^ top,
        "f": lambda key: key ^ top if key & top else key ^ (2 * top - 1),
    }
    bits: NDArray[Any] = np.array([turn[dtype.kind](key) for key in keys], f"u{dtype.itemsize}")
    return bits.view(dtype).astype(np.float64)
