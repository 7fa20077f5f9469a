"""The model of optical flow: a displacement for every pixel of every pair of frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from napari_framewise.framework.transform import Transform
from napari_framewise.numerics.flow import inverse, jacobian, moved, warped
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class FlowModel(Transform):
    """Displacements from the first frame of each pair to the second.

    Attributes
    ----------
    displacement : (pairs, ndim, *grid) float32
        In pixels, row-column order; NaN where it is not known. As a map it is a pull-back: what is
        at ``p + displacement[p]`` in the second frame comes to lie at p in the first.
    pairs : {"next", "previous", "others"}
        "next" where the second frame of a pair is the first of the next: a stack of one frame more
        than there are pairs; "previous" where the two have changed places, as in its inverse.
    """

    kind: ClassVar[str] = "flow"

    displacement: Array
    pairs: str

    @property
    def maps(self) -> Array:
        """The displacements with their components last, (pairs, *grid, ndim)."""
        return np.moveaxis(self.displacement, 1, -1)

    def with_maps(self, maps: Array) -> FlowModel:
        """The same with other displacements; what stands behind their components is left out."""
        ndim = maps.ndim - 2
        return replace(self, displacement=np.moveaxis(maps[..., :ndim], -1, 1))

    def frames_of(self, count: int, name: str) -> tuple[range, range]:
        """Which frames of a stack of so many are the first and the second of each pair.

        Raises
        ------
        ValueError
            Where the stack has another number of frames.
        """
        pairs = len(self.displacement)
        neighbours = self.pairs in ("next", "previous")
        if neighbours and count == pairs + 1:
            early, late = range(pairs), range(1, count)
            return (early, late) if self.pairs == "next" else (late, early)
        if count == pairs or pairs == 1:
            return range(count), range(count)
        wanted = f"{pairs:,} or {pairs + 1:,}" if neighbours else f"{pairs:,}"
        raise ValueError(
            f"The flow is that of {pairs:,} pairs of frames, but {name} has {count:,} frames; "
            f"{wanted} are needed."
        )

    def pull_back(self, points: Array, frame: int) -> Array:
        """Pixels of a pair's first frame where they are in the second, linearly interpolated."""
        return moved(points, self._of(frame))

    def push(self, points: Array, frame: int) -> Array:
        """Pixels of a pair's second frame where they were in the first, by the flow back."""
        return moved(points, inverse(self._of(frame)))

    def jacobian(self, points: Array, frame: int) -> Array:
        """Derivatives of `pull_back`, (n, ndim, ndim)."""
        return jacobian(points, self._of(frame))

    def inverse(self) -> FlowModel:
        """The flows back, from the second frame of each pair to the first."""
        return replace(
            self,
            source=self.target,
            target=self.source,
            displacement=np.stack([inverse(each) for each in self.displacement]),
            pairs={"next": "previous", "previous": "next"}.get(self.pairs, self.pairs),
        )

    def warp_image(self, planes: Array, frame: int, order: Literal[1, 3] = 3) -> Array:
        """Planes (channels, *grid) as floats, NaN where nothing is known."""
        return warped(planes, self._of(frame), order=order)

    def warp_labels(self, planes: Array, frame: int) -> Array:
        """The same by the nearest pixel, in their own type; 0 where nothing is known."""
        return warped(planes, self._of(frame), labels=True)

    def _of(self, frame: int) -> Array:
        return np.moveaxis(self.map_of(frame), -1, 0)
