"""Values that a file declares to stand for no data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

_NAMES = ("_FillValue", "missing_value")


def no_data_values(attributes: Mapping[str, Any], dtype: np.dtype[Any]) -> tuple[float, ...]:
    """The values that attributes declare after the conventions of netCDF.

    Values that the type of the data can't hold are left out, and NaN, which is no data anyhow.
    """
    found: list[object] = []
    for name in _NAMES:
        if name in attributes:
            value = attributes[name]
            found += np.atleast_1d(np.asarray(value)).ravel().tolist()
    return numbers_of(found, dtype)


def numbers_of(values: list[object], dtype: np.dtype[Any]) -> tuple[float, ...]:
    """Numbers among values that elements of a type can be equal to, each once."""
    numbers: dict[float, None] = {}
    for value in values:
        if isinstance(value, (complex, np.complexfloating)):
            continue
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            continue
        if not np.isnan(number) and _held(number, dtype):
            numbers[number] = None
    return tuple(numbers)


def _held(number: float, dtype: np.dtype[Any]) -> bool:
    if dtype.kind == "f":
        return True
    if dtype.kind not in "ui" or not number.is_integer():
        return False
    limits = np.iinfo(dtype)
    return bool(limits.min <= number <= limits.max)
