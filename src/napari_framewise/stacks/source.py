"""What a stack reads its pixels through: a small picklable description with `read(region)`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Region: TypeAlias = tuple[slice, ...]


@runtime_checkable
class Source(Protocol):
    """Access to the pixels of one array, wherever they are.

    A source is small and picklable: it names a place (a path, a key inside it) and opens it
    where it is read, so it travels to a thread or to a cluster worker as it is. Only
    `ArraySource` and sources made from it carry pixels; their `paths` is empty.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole array."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements, byte order included."""
        ...

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Extent of the units that the format reads at once; None where any region is as cheap."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """Files or folders that must be within reach of whoever reads; empty for memory."""
        ...

    def read(self, region: Region) -> Array:
        """Elements of a region.

        Parameters
        ----------
        region : tuple of slice
            One slice per axis, with start >= 0, stop <= length and step >= 1.

        Returns
        -------
        ndarray
            As many axes as `shape`. It may be a view, and read-only.
        """
        ...


@dataclass(frozen=True, eq=False)
class ArraySource:
    """An array in memory: NumPy, or anything that slices like it and gives NumPy arrays."""

    array: Any

    def __post_init__(self) -> None:
        if isinstance(self.array, np.ma.MaskedArray):
            object.__setattr__(self, "array", without_mask(self.array))
        elif self.array.dtype.kind == "O" and isinstance(self.array, np.ndarray):
            object.__setattr__(self, "array", numbers_of(np.asarray(self.array)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole array."""
        return tuple(int(length) for length in self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return numeric_type(self.array.dtype)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """None: memory has no reading units."""
        return None

    @property
    def paths(self) -> tuple[str, ...]:
        """No file stands behind memory."""
        return ()

    def read(self, region: Region) -> Array:
        """Elements of a region, as a view where the array allows it."""
        return numeric(self.array[region])


def numeric(block: Any) -> Array:
    """What an array-like gave as plain numbers: NaN where it is masked, or None."""
    if isinstance(block, np.ma.MaskedArray):
        return without_mask(block)
    plain = np.asarray(block)
    return numbers_of(plain) if plain.dtype.kind == "O" else plain


def numeric_type(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Type of the numbers that elements of a type are read as: float64 for Python objects."""
    given = np.dtype(dtype)
    return np.dtype(np.float64) if given.kind == "O" else given


def without_mask(masked: np.ma.MaskedArray[Any, Any]) -> Array:
    """A masked array's data with NaN where it is masked; unchanged where nothing is."""
    if not np.ma.is_masked(masked):
        return np.asarray(masked.data)
    dtype = np.result_type(masked.dtype, np.float32)
    return np.asarray(np.ma.filled(masked.astype(dtype), np.nan))


def without_value(block: Array, value: float, dtype: np.dtype[Any]) -> Array:
    """A block with NaN where it holds a value, compared in the block's own type."""
    missing = block == block.dtype.type(value)
    read = block.astype(dtype)
    read[missing] = np.nan
    return read


def can_hold(dtype: np.dtype[Any], value: float) -> bool:
    """Whether an element of a type can have a value."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return math.isinf(value) or bool(np.isfinite(np.float64(value).astype(dtype)))
    limits = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return float(value).is_integer() and limits[0] <= value <= limits[1]


def numbers_of(objects: Array) -> Array:
    """An object array as float64, None as NaN.

    Raises
    ------
    ValueError
        Where an element is neither a real number nor None.
    """
    try:
        return objects.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The array of shape {objects.shape} holds Python objects that are not numbers "
            f"({error}); give an array of real numbers, with None or NaN where there is no data."
        ) from None
