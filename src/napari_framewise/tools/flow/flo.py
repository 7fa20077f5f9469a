"""Flow as .flo files, as the Middlebury benchmark writes them (Baker et al. 2011)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.framework.model import Space
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Region
from napari_framewise.tools.flow.model import FlowModel

_TAG = np.float32(202021.25).tobytes()
_HEADER = len(_TAG) + 8
_UNKNOWN = 1e9
_WRITTEN = 1e10


def read_flo(path: str | os.PathLike[str]) -> npt.NDArray[np.float32]:
    """Read a flow.

    The file holds, in little-endian order, the number 202021.25 as float32, width and height as
    int32, and the displacements (x, y) of every pixel, row by row.

    Parameters
    ----------
    path : path
        A .flo file.

    Returns
    -------
    (2, y, x) float32
        Displacements in pixels, row-column order; NaN where the file says unknown (above 1e9).

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    ValueError
        In one sentence, where it is no flow or is cut short.
    """
    content = Path(path).read_bytes()
    if content[: len(_TAG)] != _TAG:
        raise ValueError(
            f"{path} does not begin with the number 202021.25 of .flo files; give a flow as the "
            "Middlebury benchmark writes it."
        )
    if len(content) < _HEADER:
        raise ValueError(f"{path} ends before the size of its flow; copy it again.")
    width, height = (int(each) for each in np.frombuffer(content[len(_TAG) : _HEADER], "<i4"))
    needed = _HEADER + 8 * width * height
    if width < 1 or height < 1 or len(content) != needed:
        raise ValueError(
            f"{path} says that its flow has {width} x {height} pixels, which take {needed:,} "
            f"bytes, but it has {len(content):,}; it is damaged: copy it again."
        )
    pairs = np.frombuffer(content[_HEADER:], "<f4").reshape(height, width, 2)
    flow = np.stack([pairs[..., 1], pairs[..., 0]]).astype(np.float32)
    flow[:, ~(np.abs(flow) < _UNKNOWN).all(axis=0)] = np.nan
    return flow


def write_flo(displacement: npt.NDArray[Any], path: str | os.PathLike[str]) -> None:
    """Write a flow.

    Parameters
    ----------
    displacement : (2, y, x)
        In pixels, row-column order; NaN is written as unknown (1e10).
    path : path
        File to make; one that is there is replaced at the end, in one step.

    Raises
    ------
    ValueError
        Where it is no flow of a plane.
    """
    flow = np.asarray(displacement)
    if flow.ndim != 3 or len(flow) != 2 or 0 in flow.shape or flow.dtype.kind not in "fiu":
        raise ValueError(
            f"A flow of shape {flow.shape} and type {flow.dtype} was given; .flo files hold the "
            "two components of one plane, (2, y, x)."
        )
    known = np.isfinite(flow).all(axis=0)
    pairs = np.stack([flow[1], flow[0]], axis=-1).astype("<f4")
    pairs[~known] = _WRITTEN
    height, width = flow.shape[1:]
    place = Path(path)
    part = place.with_name(f".{place.name}.part")
    try:
        part.write_bytes(_TAG + np.array([width, height], "<i4").tobytes() + pairs.tobytes())
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def read_model(path: str | os.PathLike[str]) -> FlowModel:
    """A .flo file as the model of one pair, in pixels.

    Raises
    ------
    ValueError
        As `read_flo` does.
    """
    displacement = read_flo(path)
    shape = displacement.shape[1:]
    space = Space(Path(path).stem, shape, (1.0, 1.0), ("pixel", "pixel"))
    return FlowModel(space, space, displacement[np.newaxis], "others")


def write_model(model: FlowModel, path: str | os.PathLike[str]) -> None:
    """Write the flow of one pair as a .flo file.

    Raises
    ------
    ValueError
        Where it is the flow of several pairs, or of volumes.
    """
    if len(model.displacement) != 1:
        raise ValueError(
            f"The flow is that of {len(model.displacement):,} pairs of frames, but a .flo file "
            "holds one; save it as .npz, or choose two frames."
        )
    write_flo(model.displacement[0], path)


@dataclass(frozen=True)
class FloSource:
    """The two components of a .flo file, down and right, as two frames."""

    path: str
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Single precision."""
        return np.dtype(np.float32)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """The file is read whole."""
        return self.shape

    @property
    def paths(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Elements of a region; NaN where the flow is unknown."""
        return read_flo(self.path)[region]


def open_source(path: str) -> tuple[FloSource, tuple[Axis, ...]]:
    """The two components of a .flo file as frames.

    Raises
    ------
    ValueError
        As `read_flo` does.
    """
    return FloSource(path, read_flo(path).shape), (Axis("component"), Axis("y"), Axis("x"))
