"""Outlines of masks and of label images, by marching squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.numerics.contours.contour import Array, Contour


def outlines(mask: npt.ArrayLike) -> tuple[Contour, ...]:
    """The outlines of a mask: closed loops, and lines that are open at the border of the image.

    Marching squares at one half (Lorensen & Cline 1987, in the plane): points lie halfway between
    a pixel that is inside and its neighbour that is not, the outline of a pixel that stands alone
    is a square of 4 points. Pixels that touch at a corner only are apart. An outline that reaches
    the border ends on it, half a pixel beyond the last pixel centres; along the border there is
    none, for nothing is known of what lies beyond.

    Parameters
    ----------
    mask : (y, x)
        What is not zero is inside; NaN is no data and outside.

    Returns
    -------
    tuple of Contour
        What is inside lies to the left of the way along each; see `Contour`. Ordered by their
        uppermost places. Empty where the mask holds no or all pixels.

    Raises
    ------
    ValueError
        Where the mask is not a plane.

    Examples
    --------
    >>> mask = np.zeros((5, 5))
    >>> mask[1:4, 1:4] = 1
    >>> (outline,) = outlines(mask)
    >>> len(outline), outline.closed
    (12, True)
    >>> (line,) = outlines(np.arange(12).reshape(3, 4) % 4 < 2)
    >>> line.closed, line.points[[0, -1]].tolist()
    (False, [[2.5, 1.5], [-0.5, 1.5]])
    """
    inside = _inside(mask)
    return tuple(_traced(inside, (0, 0), inside.shape))


def outlines_of_labels(labels: npt.ArrayLike) -> tuple[tuple[float, Contour], ...]:
    """The outlines of each label of an image, one label after the other.

    Parameters
    ----------
    labels : (y, x)
        Every finite value but 0 is a label, traced by itself: where two touch, both have an
        outline there.

    Returns
    -------
    tuple of (label, Contour)
        By ascending label; see `outlines`.

    Examples
    --------
    >>> labels = np.repeat([[0, 3, 3, 0, 5, 0]], 2, axis=0)
    >>> [(label, contour.closed) for label, contour in outlines_of_labels(labels)]
    [(3.0, False), (3.0, False), (5.0, False), (5.0, False)]
    """
    from scipy.ndimage import find_objects

    image = np.asarray(labels)
    _inside(image)
    known = np.isfinite(image)
    # What is not finite counts with 0: it is no label.
    values, numbers = np.unique(np.where(known, image, 0), return_inverse=True)
    numbers = numbers.reshape(image.shape) + 1
    found: list[tuple[float, Contour]] = []
    for value, place in zip(values, find_objects(numbers), strict=True):
        if value == 0:
            continue
        # One pixel more on every side, where there is one.
        box = tuple(
            slice(max(each.start - 1, 0), min(each.stop + 1, n))
            for each, n in zip(place, image.shape, strict=True)
        )
        start = (box[0].start, box[1].start)
        inside = image[box] == value
        found += [(float(value), each) for each in _traced(inside, start, image.shape)]
    return tuple(found)


def _inside(mask: npt.ArrayLike) -> Array:
    given = np.asarray(mask)
    if given.ndim != 2:
        raise ValueError(
            f"A mask of {given.ndim} axes was given; outlines are those of a plane of rows and "
            "columns."
        )
    return np.asarray((given != 0) & (given == given))


def _traced(inside: Array, start: tuple[int, int], shape: tuple[int, ...]) -> list[Contour]:
    """Outlines in a part of an image that begins at `start`; open where it ends at the border."""
    from skimage.measure import find_contours

    if not inside.any() or (inside.all() and inside.shape == shape):
        return []
    # Repeated beyond the border, outlines run straight over it and are cut there.
    padded = np.pad(inside, 1, mode="edge").astype(np.float64)
    trace: Any = find_contours
    limit = np.array(shape) - 0.5
    found = []
    for line in trace(padded, 0.5, positive_orientation="high"):
        points = np.clip(line - 1 + start, -0.5, limit)
        closed = bool((line[0] == line[-1]).all())
        found.append(Contour(points[:-1] if closed else points, closed))
    return found
