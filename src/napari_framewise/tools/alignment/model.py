"""The model of an alignment: a series of transforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from napari_framewise.framework.model import Model
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class Transforms(Model):
    """A 3 x 3 matrix for every frame.

    Attributes
    ----------
    matrices : (n, 3, 3) float64
        From pixels (row, column, 1) of the target to those of the source: a pull-back. NaN where a
        frame could not be aligned.
    motion : str
        Family of transforms.
    """

    kind: ClassVar[str] = "transforms"

    matrices: Array
    motion: str

    def for_frames(self, count: int, name: str) -> Array:
        """A matrix for each of so many frames; one matrix serves all.

        Raises
        ------
        ValueError
            Where there are as many matrices as neither one nor the frames.
        """
        matrices = np.asarray(self.matrices, float)
        if matrices.ndim != 3 or matrices.shape[1:] != (3, 3):
            raise ValueError(
                f"The transforms have the shape {matrices.shape}; a series of 3 x 3 matrices is "
                "needed."
            )
        if len(matrices) not in (1, count):
            raise ValueError(
                f"The transforms are those of {len(matrices):,} frames, but {name} has {count:,}; "
                "as many, or one for all, are needed."
            )
        return np.ascontiguousarray(np.broadcast_to(matrices, (count, 3, 3)))
