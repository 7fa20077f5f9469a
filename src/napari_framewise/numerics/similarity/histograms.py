"""Distances between the histograms of images: what is where does not matter."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.similarity.best_shifts import all_pairs
from napari_framewise.numerics.similarity.prepared import Canvas

Distance: TypeAlias = Literal["l1", "l2", "chi_square", "earth_mover", "ruzicka"]
RANGE = 4.0
"""Histograms reach so many standard deviations from the mean; what is beyond is in the last bin."""


def histograms(canvas: Canvas, bins: int) -> NDArray[np.float64]:
    """Pixels of each image by their value in standard deviations from its mean: (n, bins).

    Examples
    --------
    >>> from napari_framewise.numerics.similarity import Filter, on_canvas
    >>> ready = on_canvas([np.eye(4)], (4, 4), Filter("nothing"))
    >>> histograms(ready, 8).tolist()
    [[0.0, 0.0, 0.0, 12.0, 0.0, 4.0, 0.0, 0.0]]
    """
    out = np.zeros((len(canvas), bins))
    for counts, values, group, plain in zip(
        out, canvas.values, canvas.groups, canvas.plain, strict=True
    ):
        known = values[canvas.masks[group] > 0]
        places = np.floor((known.astype(np.float64) + RANGE) / (2 * RANGE) * bins).astype(int)
        counts[:] = np.bincount(places.clip(0, bins - 1), minlength=bins)
        if plain:
            counts[:] = np.nan
    return out


def histogram_distances(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    distance: Distance,
    pairs: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Compare histograms of counts.

    With shares p and q of the pixels and their running sums P and Q: ``sum |p - q|``,
    ``sqrt(sum (p - q)^2)``, ``sum (p - q)^2 / (p + q)``, and the earth mover's distance
    ``width sum |P - Q|`` in standard deviations; of counts Ruzicka's similarity (the weighted
    Jaccard index) ``sum min / sum max``, 1 for equal ones. Of equally large images that is
    ``(2 - d) / (2 + d)``, d the first of these.

    Parameters
    ----------
    first, second : (n, bins)
        Counts; NaN for an image without contrast.
    distance : {"l1", "l2", "chi_square", "earth_mover", "ruzicka"}
        Which one.
    pairs : (k, 2) int, optional
        As `best_shifts` takes them.

    Returns
    -------
    (k,) float64

    Examples
    --------
    >>> counts = np.array([[2.0, 2.0, 0.0], [0.0, 2.0, 2.0]])
    >>> histogram_distances(counts[:1], counts[1:], "l1").tolist()
    [1.0]
    >>> histogram_distances(counts[:1], counts[1:], "ruzicka").round(3).tolist()
    [0.333]
    """
    pairs = all_pairs(len(first), len(second)) if pairs is None else pairs
    if distance == "ruzicka":
        a, b = first[pairs[:, 0]], second[pairs[:, 1]]
        return np.asarray(np.minimum(a, b).sum(axis=1) / np.maximum(a, b).sum(axis=1))
    p, q = (counts / counts.sum(axis=1, keepdims=True) for counts in (first, second))
    if distance == "earth_mover":
        p, q = np.cumsum(p, axis=1), np.cumsum(q, axis=1)
    p, q = p[pairs[:, 0]], q[pairs[:, 1]]
    apart = np.abs(p - q)
    if distance == "l2":
        return np.asarray(np.sqrt((apart**2).sum(axis=1)))
    if distance == "chi_square":
        either = p + q
        return np.asarray((apart**2 / np.where(either == 0, 1.0, either)).sum(axis=1))
    width = 2 * RANGE / first.shape[1] if distance == "earth_mover" else 1.0
    return np.asarray(width * apart.sum(axis=1))
