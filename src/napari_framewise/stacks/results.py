"""Where whole results go: memory, or sharded zarr that can be looked at and resumed."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .axes import Axis
from .engine import Engine
from .lazy import LazyFrames
from .progress import Progress
from .stack import Stack


def write_frames(
    frames: LazyFrames | Stack,
    path: str | Path,
    *,
    engine: Engine,
    axes: Sequence[Axis] | None = None,
    name: str = "result",
    provenance: Mapping[str, Any] | None = None,
    fingerprint: str = "",
    label: str = "Writing",
) -> Generator[Progress, None, Path]:
    """Write all frames to an OME-Zarr 0.5 image of sharded zarr v3; resume where one was left.

    Parameters
    ----------
    frames : LazyFrames or Stack
        What to write; its frame axes become the leading axes.
    path : path
        Folder to make, by custom NAME.ome.zarr.
    axes : sequence of Axis, optional
        Of the result; by default those of the stack.
    provenance : mapping, optional
        Tool, version, parameters, inputs: plain values.
    fingerprint : str
        Names the computation; an unfinished result with the same one is resumed.
    """
    raise NotImplementedError
    yield
