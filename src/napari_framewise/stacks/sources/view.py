"""A source as the array-like that a napari layer wants."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..source import Array, Source


class SourceView:
    """Array-like over a source: reads what is looked at, and keeps the last blocks."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def source(self) -> Source:
        """Where the pixels are."""
        return self._source

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole array."""
        return self._source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self._source.dtype

    def __getitem__(self, key: Any) -> Array:
        raise NotImplementedError
