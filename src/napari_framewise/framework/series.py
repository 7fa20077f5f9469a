"""Transforms with a description of their own for every frame, or one that serves all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from napari_framewise.framework.transform import Transform
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class Series(Transform):
    """Base of the models that hold one array with a row for each frame.

    A subclass names that array's field in `series`; one row serves all frames.
    """

    kind: ClassVar[str] = ""
    series: ClassVar[str]

    @property
    def maps(self) -> Array:
        """The array, (n, ...)."""
        return np.asarray(getattr(self, self.series))

    def with_maps(self, maps: Array) -> Self:
        """The same with the rows of other frames."""
        changed: dict[str, Any] = {self.series: maps}
        return replace(self, **changed)

    @property
    def found(self) -> Array:
        """Which frames have a transform, (n,) bool: all numbers of the row are finite."""
        maps = self.maps
        return np.asarray(np.isfinite(maps.reshape(len(maps), -1)).all(axis=1))

    def frames_of(self, count: int, name: str) -> tuple[range, range]:
        """Every frame has its transform; one serves all.

        Raises
        ------
        ValueError
            Where there are as many transforms as neither one nor the frames.
        """
        if len(self.maps) not in (1, count):
            raise ValueError(
                f"The transforms are those of {len(self.maps):,} frames, but {name} has "
                f"{count:,}; as many, or one for all, are needed."
            )
        return range(count), range(count)

    def for_frames(self, count: int, name: str) -> Self:
        """The same with a row for each of so many frames.

        Raises
        ------
        ValueError
            As `frames_of` does.
        """
        self.frames_of(count, name)
        maps = self.maps
        return self.with_maps(np.broadcast_to(maps, (count, *maps.shape[1:])).copy())
