"""Image data to zarr or TIFF, block by block."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..stacks.stack import Stack


def write_image(
    stack: Stack,
    path: str | os.PathLike[str],
    *,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write a stack's chosen frames as zarr (.zarr) or TIFF (.tif, .ome.tif)."""
    raise NotImplementedError
