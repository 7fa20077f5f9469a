"""A dask array as a source: each region is computed where it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array, Region, numeric, numeric_type


@dataclass(frozen=True, eq=False)
class DaskSource:
    """A dask array.

    A region is computed in the thread that reads it: the engine's threads are the parallel ones.
    """

    array: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array.

        Raises
        ------
        ValueError
            Where dask does not know a length before it has computed the array.
        """
        lengths = self.array.shape
        if any(length != length for length in lengths):
            raise ValueError(
                f"The dask array has a shape of {lengths}, with lengths that are not known; call "
                "its compute_chunk_sizes() first."
            )
        return tuple(int(length) for length in lengths)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element; of masked integers a float type, which holds NaN."""
        dtype = numeric_type(self.array.dtype)
        masked = isinstance(getattr(self.array, "_meta", None), np.ma.MaskedArray)
        return np.result_type(dtype, np.float32) if masked else dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Largest chunk along each axis."""
        return tuple(int(max(lengths)) for lengths in self.array.chunks)

    @property
    def paths(self) -> tuple[str, ...]:
        """Empty: what files stand behind the graph is not known."""
        return ()

    def read(self, region: Region) -> Array:
        """A region, computed: NaN where it is masked, or None."""
        block = numeric(self.array[region].compute(scheduler="synchronous"))
        return block.astype(self.dtype, copy=False)
