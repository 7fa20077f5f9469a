"""The images that filling works on, kept in step with how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy import ndimage

from napari_framewise.numerics.inpainting.filling import (
    Array,
    Filling,
    Patch,
    Settings,
    begun,
)
from napari_framewise.numerics.inpainting.front import Front
from napari_framewise.numerics.inpainting.kernels import EQUAL, best_patch, front_priorities

_RUNS = 512


class Workspace:
    """What is needed to fill the hole of one image, step by step.

    Steps from any `Filling` of the image can be taken; those from the last one are fast.

    Parameters
    ----------
    frame : (y, x) or (y, x, c)
        Any real dtype. A pixel with a channel that is not finite is no data: it is not copied from,
        compared or, outside the hole, filled.
    settings : Settings
        How.
    source : (y, x), optional
        Patches are taken only from where it is not zero; everywhere by default.
    weights : (c,), optional
        What differences of each channel are multiplied by; 1 by default.

    Raises
    ------
    ValueError
        Where shapes do not fit.
    """

    def __init__(
        self,
        frame: Array,
        settings: Settings,
        source: Array | None = None,
        weights: Array | None = None,
    ) -> None:
        image = np.asarray(frame)
        if image.ndim not in (2, 3) or image.dtype.kind not in "biuf":
            raise ValueError(
                f"An image of shape {image.shape} and type {image.dtype} was given; real rows and "
                "columns, with or without channels, are needed."
            )
        self.shape = image.shape[:2]
        pixels = image.reshape(self.shape[0] * self.shape[1], -1)
        values = np.array(pixels.T, np.float64, order="C")
        self._finite = np.isfinite(values).all(axis=0).reshape(self.shape)
        values[:, ~self._finite.ravel()] = 0.0
        if weights is not None:
            values *= np.asarray(weights)[:, None]
        self._values = values
        self._settings = settings
        self._allowed = self._finite.copy()
        if source is not None:
            if source.shape != self.shape:
                raise ValueError(
                    f"A source of shape {source.shape} was given for an image of {self.shape}; "
                    "they must have the same shape."
                )
            self._allowed &= (source != 0) & (source == source)
        self._at: Filling | None = None
        self._hole: Array | None = None
        self.after: Filling | None = None

    def step(self, filling: Filling) -> Iterator[None]:
        """Fill one more patch; the answer is in `after`. Yields between two parts of the search."""
        self._go_to(filling)
        priorities = self._priorities()
        if priorities is None or not len(self._runs):
            self.after = self._at = replace(filling, stuck=True)
            return
        place, priority, confidence, data = priorities
        best = np.array([np.inf, np.inf, -1.0])
        height, width = self.shape
        row, column = divmod(place, width)
        reach = self._size // 2
        box = (
            slice(max(row - reach, 0), min(row + reach + 1, height)),
            slice(max(column - reach, 0), min(column + reach + 1, width)),
        )
        known = _numbers(self._known, box, width)
        offsets = known - place
        wanted = self._planes[:, known].T
        # What is rarest first: a patch that does not fit is given up soonest.
        rarest = np.argsort(-np.abs(wanted - wanted.mean(axis=0)).sum(axis=1), kind="stable")
        offsets, wanted = offsets[rarest], np.ascontiguousarray(wanted[rarest])
        guesses = self._guesses(known, place)
        search = (offsets, wanted, width, place, best)
        best_patch(self._planes, guesses, *search)
        for start in range(0, len(self._runs), _RUNS):
            best_patch(self._planes, self._runs[start : start + _RUNS], *search)
            yield
        centre = int(best[2])
        empty = _numbers(self._target, box, width)
        copied = empty - place + centre
        terms = max(wanted.size, 1)
        source_row, source_column = divmod(centre, width)
        patch = Patch(
            row,
            column,
            source_row,
            source_column,
            self._size,
            priority,
            confidence,
            data,
            float(np.sqrt(best[0] / terms)),
            len(empty),
        )
        pixels = np.searchsorted(filling.hole, empty)
        self.after = self._at = replace(
            filling,
            history=filling.history.after(filling.steps, pixels, patch),
            steps=filling.steps + 1,
            left=filling.left - len(empty),
        )
        self._fill(box, empty, copied, confidence)

    def _go_to(self, filling: Filling) -> None:
        if filling is self._at:
            return
        height, width = self.shape
        hole = np.zeros(height * width, bool)
        hole[filling.hole] = True
        if self._hole is None or not np.array_equal(hole, self._hole):
            self._hole = hole
            usable = self._allowed & ~hole.reshape(self.shape)
            self._size, centres = _centres_of(usable, self._settings.size)
            self._may = np.zeros(height * width, bool)
            self._may[centres] = True
            self._runs = _runs_of(centres)
            given = self._finite & ~hole.reshape(self.shape)
            outside = self._values.mean(axis=0)[given.ravel()]
            self._range = float(np.ptp(outside)) if outside.size else 0.0
        source = filling.source
        done = source >= 0
        self._target = filling.target
        self._known = self._finite & ~hole.reshape(self.shape)
        self._known.ravel()[filling.hole[done]] = True
        self._planes = np.where(hole, 0.0, self._values)
        self._planes[:, filling.hole[done]] = self._values[:, source[done]]
        self._from = np.full(height * width, -1, np.int64)
        self._from[filling.hole] = source
        confidence = (self._finite & ~hole.reshape(self.shape)).astype(np.float64)
        confidence.ravel()[filling.hole] = filling.confidence
        self._confidence = confidence
        self._slopes = np.full((height, width, 2), np.nan)
        self._set_slopes((slice(0, height), slice(0, width)))
        self._front = Front(self._target, self._settings.sigma)
        self._at = filling

    def _priorities(self) -> tuple[int, float, float, float] | None:
        """The pixel whose patch comes next, its priority, confidence and data term."""
        places = self._front.places
        if not len(places):
            return None
        confidence, isophotes = np.empty(len(places)), np.empty(len(places))
        front_priorities(
            places,
            self._front.normals,
            self._confidence,
            self._slopes,
            self._size // 2,
            confidence,
            isophotes,
        )
        data = isophotes / self._range if self._range else isophotes
        share = self._settings.structure
        priorities = confidence * ((1 - share) + share * data)
        # Where nothing known lies in a patch, there is nothing to go by.
        priorities[confidence <= 0] = -1.0
        greatest = priorities.max()
        if greatest < 0:
            return None
        numbers = places[:, 0] * self.shape[1] + places[:, 1]
        first = np.flatnonzero(priorities >= greatest * (1 - EQUAL))
        chosen = first[np.lexsort((numbers[first], -confidence[first]))[0]]
        return (
            int(numbers[chosen]),
            float(greatest),
            float(confidence[chosen]),
            float(data[chosen]),
        )

    def _guesses(self, known: Array, place: int) -> Array:
        """Centres that go on with what pixels of the patch were copied from."""
        copied = self._from[known]
        there = copied >= 0
        centres = np.unique(copied[there] - (known[there] - place))
        centres = centres[(centres >= 0) & (centres < self._may.size)]
        return _runs_of(centres[self._may[centres]])

    def _fill(
        self, box: tuple[slice, slice], empty: Array, copied: Array, confidence: float
    ) -> None:
        self._planes[:, empty] = self._values[:, copied]
        self._from[empty] = copied
        self._target.ravel()[empty] = False
        self._known.ravel()[empty] = True
        self._confidence.ravel()[empty] = confidence
        self._set_slopes(box)
        self._front.changed(box)

    def _set_slopes(self, box: tuple[slice, slice]) -> None:
        """Central differences in a box and beside it, where both neighbours are known."""
        height, width = self.shape
        rows = slice(max(box[0].start - 1, 0), min(box[0].stop + 1, height))
        columns = slice(max(box[1].start - 1, 0), min(box[1].stop + 1, width))
        around = (
            slice(max(rows.start - 1, 0), min(rows.stop + 1, height)),
            slice(max(columns.start - 1, 0), min(columns.stop + 1, width)),
        )
        known = self._known[around]
        shape = known.shape
        grey = self._planes.reshape(-1, height, width)[(slice(None), *around)].mean(axis=0)
        grey = np.where(known, grey, np.nan)
        found = np.full((*shape, 2), np.nan)
        found[1:-1, :, 0] = (grey[2:] - grey[:-2]) / 2
        found[:, 1:-1, 1] = (grey[:, 2:] - grey[:, :-2]) / 2
        found[~known | np.isnan(found).any(axis=-1)] = np.nan
        inner = (
            slice(rows.start - around[0].start, rows.stop - around[0].start),
            slice(columns.start - around[1].start, columns.stop - around[1].start),
        )
        self._slopes[rows, columns] = found[inner]


def fill(
    frame: Array,
    hole: Array,
    settings: Settings = Settings(),  # noqa: B008
    *,
    source: Array | None = None,
    weights: Array | None = None,
) -> Filling:
    """Fill a hole by exemplars, to its end (Criminisi, Perez & Toyama 2004).

    The pixel p of the fill front with the greatest priority ``P(p) = C(p) ((1 - w) + w D(p))``
    comes first: C is the mean confidence of the pixels of its patch, 1 where they were known from
    the beginning, and ``D = |grad I x n| / range`` the isophote that meets the front, with n the
    normal of its outline, smoothed by a Gaussian. Of all patches that lie wholly in the source, the
    one with the least sum of squared differences to the known pixels of p's patch, and of several
    the nearest, gives the missing ones, whose confidence becomes C(p). The search is exhaustive.

    Parameters
    ----------
    frame : (y, x) or (y, x, c)
        Any real dtype; what stands in the hole does not matter.
    hole : (y, x)
        What is not zero is to be filled.
    settings : Settings
        How.
    source, weights
        See `Workspace`.

    Returns
    -------
    Filling
        `applied` gives the image.

    Examples
    --------
    >>> stripes = np.tile([0, 0, 9, 9], (12, 6))
    >>> hole = np.zeros((12, 24))
    >>> hole[4:8, 8:15] = 1
    >>> filling = fill(np.where(hole, 5, stripes), hole, Settings(size=5))
    >>> bool((filling.applied(np.where(hole, 5, stripes)) == stripes).all())
    True
    """
    workspace = Workspace(frame, settings, source, weights)
    filling = begun(hole)
    while not filling.done:
        for _ in workspace.step(filling):
            pass
        assert workspace.after is not None
        filling = workspace.after
    return filling


def _numbers(mask: Array, box: tuple[slice, slice], width: int) -> Array:
    """Numbers of the pixels of a mask in a box."""
    rows, columns = np.nonzero(mask[box])
    return np.asarray((rows + box[0].start) * width + columns + box[1].start)


def _centres_of(usable: Array, size: int) -> tuple[int, Array]:
    """The largest patch of up to a size that fits somewhere, and where its centres may lie."""
    while size >= 3:
        fits = ndimage.binary_erosion(usable, np.ones((size, size), bool), border_value=0)
        if fits.any():
            return size, np.flatnonzero(fits)
        size -= 2
    return 3, np.empty(0, np.int64)


def _runs_of(numbers: Array) -> Array:
    """First and last (exclusive) of runs of ascending numbers, (k, 2)."""
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    if not len(numbers):
        return np.empty((0, 2), np.int64)
    starts = np.concatenate([numbers[:1], numbers[breaks + 1]])
    return np.stack([starts, np.concatenate([numbers[breaks], numbers[-1:]]) + 1], axis=1)
