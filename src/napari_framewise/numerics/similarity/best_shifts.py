"""Normalised cross-correlation of pairs of images at their best shift, over exact overlaps.

Overlap, means and variances are those of the pixels that both images have at a shift, after
Padfield (2012), equations 10-13. Every shift is looked at in single precision; those that may be
the best ones are then computed exactly, in double precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.similarity import ranking_kernels as kernels
from napari_framewise.numerics.similarity.prepared import Canvas, Spectra
from napari_framewise.numerics.similarity.surfaces import Surfaces
from napari_framewise.numerics.similarity.under_masks import UnderMasks

# Memory for the sums of some first images under masks.
_BYTES = 4 << 20


@dataclass(frozen=True, eq=False)
class Matches:
    """Pairs at their best shift.

    Attributes
    ----------
    score : (k,) float64
        Correlation, -1 to 1; NaN where no shift has enough overlap with contrast in both.
    weight : (k,) float64
        ``atanh(r) sqrt(n)``, r at most 0.999: what the best shift has most of.
    shifts : (k, 2) float64
        Along rows and columns: pixel x of the first shows what pixel x + d of the second shows.
    pixels : (k,) float64
        That overlap.
    """

    score: NDArray[np.float64]
    weight: NDArray[np.float64]
    shifts: NDArray[np.float64]
    pixels: NDArray[np.float64]


def all_pairs(first: int, second: int) -> NDArray[np.int64]:
    """Each of some images with each of others, the second running faster.

    Examples
    --------
    >>> all_pairs(1, 2).tolist()
    [[0, 0], [0, 1]]
    """
    return np.argwhere(np.ones((first, second), bool))


def matches_of(
    found: NDArray[np.float64], first: Canvas, second: Canvas, pairs: NDArray[np.int64]
) -> Matches:
    """Pairs as kernels give them, their shifts on the canvas brought to those of first pixels."""
    apart = second.origins[pairs[:, 1]] - first.origins[pairs[:, 0]]
    return Matches(found[:, 0], found[:, 1], found[:, 2:4] - apart, found[:, 4])


def best_shifts(
    first: Spectra,
    second: Spectra,
    pairs: NDArray[np.int64] | None = None,
    *,
    least_overlap: float = 0.3,
) -> Matches:
    """Compare images at every shift.

    Among the shifts whose overlap is at least a share of the smaller image's pixels, and in which
    both images keep at least 1 % of their variance per pixel, the best one has the largest
    ``atanh(r) sqrt(n)``, with n the pixels that overlap: the largest r alone would be found where
    a few pixels overlap by chance.

    Parameters
    ----------
    first, second : Spectra
        Of one `Transform`.
    pairs : (k, 2) int, optional
        Numbers of an image of the first and one of the second; by default each with each, the
        second running faster.
    least_overlap : float
        Share of the pixels of the smaller image that must overlap, 0 to 1.

    References
    ----------
    Padfield, D. (2012). Masked object registration in the Fourier domain. IEEE Transactions on
    Image Processing 21, 2706-2718.

    Examples
    --------
    >>> from napari_framewise.numerics.similarity import Filter, Transform, on_canvas
    >>> scene = np.random.default_rng(0).normal(size=(40, 40))
    >>> ready = on_canvas([scene[:30, :30], scene[4:34, 2:32]], (30, 30), Filter("nothing"))
    >>> spectra = Spectra.of(ready, Transform((30, 30), (8, 8)))
    >>> found = best_shifts(spectra, spectra, np.array([[0, 1]]))
    >>> found.score.round(6).tolist(), found.shifts.tolist()
    ([1.0], [[-4.0, -2.0]])
    """
    if pairs is None:
        pairs = all_pairs(len(first), len(second))
    a, b = first.canvas, second.canvas
    surfaces = Surfaces(first.transform)
    room = np.empty((3, *first.transform.surface), np.float32)
    found = np.full((len(pairs), 5), np.nan)
    counts, sizes = b.counts, a.counts
    usable = ~(a.plain[pairs[:, 0]] | b.plain[pairs[:, 1]])
    # Images with equal masks one after the other: what hangs on the mask is computed once.
    order = np.lexsort((pairs[:, 0], a.groups[pairs[:, 0]]))
    order = order[usable[order]]
    kinds = a.groups[pairs[order, 0]]
    for places in np.split(order, np.flatnonzero(np.diff(kinds)) + 1):
        if not len(places):
            continue
        group = int(a.groups[pairs[places[0], 0]])
        under = UnderMasks(first, second, group, surfaces)
        theirs = under.seconds(np.unique(pairs[places, 1]))
        most = max(1, _BYTES // (2 * under.pixels.nbytes))
        for some in _of_some_firsts(places, pairs[places, 0], most):
            chosen = np.ascontiguousarray(pairs[some])
            firsts, local = np.unique(chosen[:, 0], return_inverse=True)
            mine = under.firsts(firsts)
            out = np.empty((len(some), 5))
            for part, products in surfaces.of(first.images, second.images, chosen):
                kernels.compare_pairs(
                    chosen[part],
                    a.values,
                    a.masks[group],
                    local[part],
                    mine,
                    sizes,
                    products,
                    b.values,
                    b.masks,
                    b.groups,
                    counts,
                    theirs,
                    under.pixels,
                    under.roots,
                    room,
                    least_overlap,
                    out[part],
                )
            found[some] = out
    return matches_of(found, a, b, pairs)


def _of_some_firsts(
    places: NDArray[np.int64], firsts: NDArray[np.int64], most: int
) -> list[NDArray[np.int64]]:
    """Places of pairs, ordered by their first images, in parts of at most so many of these."""
    ranks = np.cumsum(np.diff(firsts, prepend=firsts[0]) != 0)
    return np.split(places, np.searchsorted(ranks, np.arange(most, ranks[-1] + 1, most)))
