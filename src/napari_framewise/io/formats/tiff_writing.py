"""Image data as TIFF that ImageJ and Bio-Formats open with their axes, scale and units."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.results import copy_frames
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import MapFrames
from napari_framewise.stacks.axes import CHANNEL_NAMES, TIME_NAMES, Axis
from napari_framewise.stacks.sources.mapped import MappedFile
from napari_framewise.stacks.stack import Stack
from napari_framewise.stacks.units import CENTIMETRES, PIXEL, SECONDS, SYMBOLS

# Offsets of plain TIFF have 32 bits; some room is left for what is not pixels.
_PLAIN_BYTES = 2**32 - 2**25
_IMAGEJ_TYPES = frozenset({"u1", "u2", "f4"})
_OME_TYPES = frozenset({"u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8"})
_IMAGEJ_ORDER = "TZCYXS"
_NAMED = dict.fromkeys(TIME_NAMES, "T") | dict.fromkeys(CHANNEL_NAMES, "C") | {"z": "Z"}


@dataclass(frozen=True)
class _Place:
    """One axis of the file: its letter, length, and what it is in the world."""

    letter: str
    length: int
    axis: Axis


def write_tiff(
    stack: Stack,
    path: Path,
    *,
    engine: Engine,
    provenance: Mapping[str, Any] | None = None,
) -> Generator[Progress, None, Path]:
    """Write the chosen frames as one uncompressed TIFF file.

    With ImageJ's metadata where its types and size allow them, else with OME's, else with
    tifffile's own; NAME.ome.tif gets OME's where that has the type. BigTIFF from 4 GB on. Where
    the pixels begin (`translate`) is not kept. Truth values are written as 0 and 1.

    Parameters
    ----------
    stack : Stack
        What to write.
    path : Path
        The file.
    engine : Engine
        Where the blocks are read, or computed.
    provenance : mapping, optional
        Kept as JSON: ImageJ's Info, an OME map annotation, or tifffile's description.

    Raises
    ------
    ValueError
        Where the stack has more axes than TIFF has letters for.
    """
    places, frame_order = _places(stack)
    dtype = np.dtype(np.uint8) if stack.dtype.kind == "b" else stack.dtype.newbyteorder("=")
    options = _options(places, dtype, path, json.dumps(dict(provenance or {}), default=str))
    shape = tuple(place.length for place in places)
    try:
        place: Any = tifffile.imwrite(path, shape=shape, dtype=dtype, returnoffset=True, **options)
        with path.open("r+b") as file:
            content = MappedFile(file.fileno(), 0)
        pixels = np.ndarray(shape, dtype, content, place[0])
        # The frame axes lie behind each other in the file, so that this is a view of it.
        frames = pixels.transpose(frame_order).reshape(stack.shape)
        steps = run_pass(
            MapFrames(),
            copy_frames,
            [stack],
            engine=engine,
            label=f"Writing {path.name}",
            into=MemorySink(frames),
        )
        with contextlib.closing(steps):
            for progress in steps:
                yield progress
                content.let_go()
        content.flush()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _places(stack: Stack) -> tuple[list[_Place], list[int]]:
    """Axes of the file, and for each axis of frame after frame its number in the file.

    In a frame the channels come last, in the file they come before the rows.
    """
    axes = [*stack.leading_axes, *stack.grid.axes]
    lengths = [*stack.leading_shape, *stack.frame_shape]
    letters = _letters(stack, [axis.name for axis in axes])
    in_file = list(range(len(axes)))
    if letters[-1] == "C":
        in_file.insert(len(axes) - 3, in_file.pop())
    places = [_Place(letters[axis], lengths[axis], axes[axis]) for axis in in_file]
    return places, [in_file.index(axis) for axis in range(len(axes))]


def _letters(stack: Stack, names: Sequence[str]) -> list[str]:
    """A letter of TIFF for each axis: the last are Y and X, others by name or what is left."""
    tail = ["Y", "X"]
    if stack.channel_axis in stack.image_axes:
        tail.append("S" if stack.rgb else "C")
    others = names[: len(names) - len(tail)]
    wanted = [_NAMED.get(name.casefold()) for name in others]
    free = [letter for letter in "TZC" if letter not in (*tail, *wanted)]
    letters = [letter or (free.pop(0) if free else "") for letter in wanted]
    if len(names) < len(tail) or "" in letters or len({*letters, *tail}) < len(names):
        raise ValueError(
            f"{stack.name} has the axes {', '.join(names)}, and TIFF has time, z, channel, y and "
            "x, each once; write it as .zarr."
        )
    return letters + tail


def _options(
    places: Sequence[_Place], dtype: np.dtype[Any], path: Path, provenance: str
) -> dict[str, Any]:
    """What tifffile is told beside shape and type."""
    letters = "".join(place.letter for place in places)
    by_letter = {place.letter: place.axis for place in places}
    nbytes = math.prod(place.length for place in places) * dtype.itemsize
    kind = dtype.str[1:]
    ome = path.name.casefold().endswith((".ome.tif", ".ome.tiff"))
    ordered = sorted(letters, key=_IMAGEJ_ORDER.index) == list(letters)
    colour = "S" in letters
    imagej = not ome and ordered and kind in _IMAGEJ_TYPES and nbytes < _PLAIN_BYTES
    imagej = imagej and not (colour and kind != "u1")
    options: dict[str, Any] = {
        "bigtiff": nbytes >= _PLAIN_BYTES,
        "photometric": "rgb" if colour else "minisblack",
        **_resolution(by_letter["Y"], by_letter["X"], imagej),
    }
    metadata: dict[str, Any] = {"axes": letters}
    if imagej:
        metadata |= _imagej(by_letter) | {"Info": provenance}
        options["imagej"] = True
    elif kind in _OME_TYPES:
        metadata |= _ome(by_letter) | {"MapAnnotation": {"framewise": provenance}}
        options["ome"] = True
    else:
        metadata["framewise"] = provenance
        options["ome"] = False
    return {**options, "metadata": metadata}


def _resolution(y: Axis, x: Axis, imagej: bool) -> dict[str, Any]:
    """Pixels per unit, for x and y: ImageJ names the unit itself, the tags know centimetres."""
    if PIXEL in (x.unit, y.unit):
        return {}
    if imagej:
        return {"resolution": (1 / x.scale, 1 / y.scale)} if x.unit == y.unit else {}
    if x.unit not in CENTIMETRES or y.unit not in CENTIMETRES:
        return {}
    per = (1 / (axis.scale * CENTIMETRES[axis.unit]) for axis in (x, y))
    return {"resolution": tuple(per), "resolutionunit": "CENTIMETER"}


def _imagej(axes: Mapping[str, Axis]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    unit = axes["X"].unit
    if unit != PIXEL and unit == axes["Y"].unit:
        metadata["unit"] = SYMBOLS.get(unit, unit).replace("µ", "u")
    if "Z" in axes and axes["Z"].unit == unit != PIXEL:
        metadata["spacing"] = axes["Z"].scale
    if "T" in axes and axes["T"].unit in SECONDS:
        metadata["finterval"] = axes["T"].scale * SECONDS[axes["T"].unit]
    return metadata


def _ome(axes: Mapping[str, Axis]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for letter in "XYZ":
        if letter in axes and axes[letter].unit in SYMBOLS:
            metadata[f"PhysicalSize{letter}"] = axes[letter].scale
            metadata[f"PhysicalSize{letter}Unit"] = SYMBOLS[axes[letter].unit]
    if "T" in axes and axes["T"].unit in SECONDS:
        metadata["TimeIncrement"] = axes["T"].scale
        metadata["TimeIncrementUnit"] = SYMBOLS[axes["T"].unit]
    return metadata
