"""What images sum to under the masks of those that they are compared with, at every shift."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.similarity import ranking_kernels as kernels
from napari_framewise.numerics.similarity.prepared import Spectra
from napari_framewise.numerics.similarity.surface_kernels import sums_in_box
from napari_framewise.numerics.similarity.surfaces import Surfaces, rectangle
from napari_framewise.numerics.similarity.transform import Floats


class UnderMasks:
    """Overlaps of one mask of some images with those of others, and what images sum to there.

    Sums under a mask that is a rectangle come from running sums, others from spectra.

    Parameters
    ----------
    first, second : Spectra
    group : int
        Which mask of the first.
    surfaces : Surfaces
        Memory to work in.

    Attributes
    ----------
    pixels : (masks, shifts, shifts) float32
        Pixels that it shares with each mask of the second.
    roots : (masks, shifts, shifts) float32
        Their roots.
    """

    def __init__(self, first: Spectra, second: Spectra, group: int, surfaces: Surfaces) -> None:
        self._first, self._second = first, second
        self._surfaces, self._group = surfaces, group
        self._shape = first.transform.surface
        masks = second.canvas.masks
        self._box = rectangle(first.canvas.masks[group])
        self._boxes = [rectangle(mask) for mask in masks]
        sums = np.empty((len(masks), *self._shape))
        self._running = np.zeros([side + 1 for side in first.transform.canvas])
        if self._box is not None:
            for mask, out in zip(masks, sums, strict=True):
                sums_in_box(mask, 1, self._running, self._box, 1, out)
        else:
            every = np.stack([np.full(len(masks), group), np.arange(len(masks))], axis=1)
            for part, found in surfaces.of(first.masks, second.masks, every):
                sums[part] = found
        self._counts = np.rint(np.maximum(sums, 0.0))
        self.pixels = self._counts.astype(np.float32)
        self.roots = np.sqrt(self._counts).astype(np.float32)

    def firsts(self, chosen: NDArray[np.int64]) -> Floats:
        """Chosen ones of the first under each mask of the second (chosen, masks, 2, ...).

        Its sum over the root of the pixels, and one over its deviation: 0 where that is none,
        negative where it may be none.
        """
        count = len(self._boxes)
        out = np.empty((len(chosen), count, 2, *self._shape), np.float32)
        sums = np.empty((count, 2, *self._shape))
        boxed = all(box is not None for box in self._boxes)
        for i, kept in zip(chosen, out, strict=True):
            if boxed:
                for box, (plain, squared) in zip(self._boxes, sums, strict=True):
                    self._boxed(self._first.canvas.values[i], box, -1, plain, squared)
            else:
                every = np.stack([np.full(count, i), np.arange(count)], axis=1)
                for power, spectra in enumerate((self._first.images, self._first.squares)):
                    for part, found in self._surfaces.of(spectra, self._second.masks, every):
                        sums[part, power] = found
            for each, n in zip(sums, self._counts, strict=True):
                kernels.to_scales(each, n)
            kept[:] = sums
        return out

    def seconds(self, chosen: NDArray[np.int64]) -> Floats:
        """Each chosen one of the second under the mask of the first: (images, 2, shifts, shifts).

        Those that were not chosen hold no values.
        """
        canvas = self._second.canvas
        out = np.empty((len(canvas), 2, *self._shape), np.float32)
        sums = np.empty((2, *self._shape))
        if self._box is not None:
            for j in chosen:
                self._boxed(canvas.values[j], self._box, 1, *sums)
                kernels.to_scales(sums, self._counts[canvas.groups[j]])
                out[j] = sums
            return out
        pairs = np.stack([np.full(len(chosen), self._group), chosen], axis=1)
        for power, spectra in enumerate((self._second.images, self._second.squares)):
            for part, found in self._surfaces.of(self._first.masks, spectra, pairs):
                out[chosen[part], power] = found
        for j in chosen:
            sums[:] = out[j]
            kernels.to_scales(sums, self._counts[canvas.groups[j]])
            out[j] = sums
        return out

    def _boxed(self, image: Floats, box: Any, sign: int, plain: Any, squared: Any) -> None:
        """Sums of an image and of its squares over a rectangle at every shift."""
        for power, out in ((1, plain), (2, squared)):
            sums_in_box(image, power, self._running, box, sign, out)
