"""What images sum to under the masks of those that they are compared with, at every shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.similarity import ranking_kernels as kernels
from napari_framewise.numerics.similarity.prepared import Spectra
from napari_framewise.numerics.similarity.surface_kernels import box_sums
from napari_framewise.numerics.similarity.surfaces import Surfaces, rectangle, running_sums
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
        if self._box is not None:
            for mask, out in zip(masks, sums, strict=True):
                box_sums(running_sums(mask), self._box, 1, out)
        else:
            every = np.arange(len(masks))
            for part, found in surfaces.of(first.masks[group], second.masks, every):
                sums[part] = found
        self._counts = np.rint(np.maximum(sums, 0.0))
        self.pixels = self._counts.astype(np.float32)
        self.roots = np.sqrt(self._counts).astype(np.float32)

    def first(self, i: int) -> Floats:
        """One of the first under each mask of the second (masks, 2, shifts, shifts).

        Its sum over the root of the pixels, and one over its deviation: 0 where that is none,
        negative where it may be none.
        """
        image = self._first.canvas.values[i]
        sums = np.empty((len(self._boxes), 2, *self._shape))
        if all(box is not None for box in self._boxes):
            for power in (1, 2):
                running = running_sums(image, power)
                for box, out in zip(self._boxes, sums, strict=True):
                    box_sums(running, box, -1, out[power - 1])
        else:
            every = np.arange(len(self._boxes))
            for power, spectra in enumerate((self._first.images, self._first.squares)):
                for part, found in self._surfaces.of(spectra[i], self._second.masks, every):
                    sums[part, power] = found
        for each, n in zip(sums, self._counts, strict=True):
            kernels.to_scales(each, n)
        return sums.astype(np.float32)

    def seconds(self, chosen: NDArray[np.int64]) -> Floats:
        """Each chosen one of the second under the mask of the first: (images, 2, shifts, shifts).

        Those that were not chosen hold no values.
        """
        canvas = self._second.canvas
        out = np.empty((len(canvas), 2, *self._shape), np.float32)
        sums = np.empty((2, *self._shape))
        if self._box is not None:
            for j in chosen:
                for power in (1, 2):
                    box_sums(running_sums(canvas.values[j], power), self._box, 1, sums[power - 1])
                kernels.to_scales(sums, self._counts[canvas.groups[j]])
                out[j] = sums
            return out
        mask = self._first.masks[self._group]
        for power, spectra in enumerate((self._second.images, self._second.squares)):
            for part, found in self._surfaces.of(mask, spectra, chosen):
                out[chosen[part], power] = found
        for j in chosen:
            sums[:] = out[j]
            kernels.to_scales(sums, self._counts[canvas.groups[j]])
            out[j] = sums
        return out
