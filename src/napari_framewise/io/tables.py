"""Tables as CSV, exact both ways."""

from __future__ import annotations

import os
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class HasColumns(Protocol):
    """A table: columns by name, all of one length."""

    @property
    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """One-dimensional arrays by name."""
        ...


def write_table(table: HasColumns, path: str | os.PathLike[str]) -> None:
    """Write a table as CSV with a header; floats keep all their digits."""
    raise NotImplementedError


def read_table(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of a CSV file by name."""
    raise NotImplementedError
