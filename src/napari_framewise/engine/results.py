"""Whole results on disk: OME-Zarr that can be looked at while it grows, and resumed."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import MIB
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.shards import ShardedArray, cut_array
from napari_framewise.engine.work import Block, MapBands, Work
from napari_framewise.stacks.axes import CHANNEL_NAMES, TIME_NAMES, Axis, default_axis_names
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Selection, Stack, stack_of

if TYPE_CHECKING:
    import zarr

_SPACE_NAMES = frozenset("zyx")
_LARGEST_SHARD, _SMALLEST_SHARD = 16 * MIB, 4 * MIB
# Lists the finished blocks by their first frames, one a line; gone when all are.
_LIST = "framewise-finished.txt"


def write_frames(
    frames: LazyFrames | Stack,
    path: str | os.PathLike[str],
    *,
    engine: Engine,
    axes: Sequence[Axis] | None = None,
    name: str = "result",
    provenance: Mapping[str, Any] | None = None,
    fingerprint: str = "",
    label: str = "Writing",
) -> Generator[Progress, None, Path]:
    """Write all frames to an OME-Zarr 0.5 image of sharded zarr v3; resume where one was left.

    Until it is complete, the attribute `framewise.complete` is false; what is not written yet
    reads as NaN, or 0 of integers.

    Parameters
    ----------
    frames : LazyFrames or Stack
        What to write; its frame axes become the leading axes.
    path : path
        Folder to make, by custom NAME.ome.zarr.
    engine : Engine
        Where it runs; a cluster's workers must see the folder under the same path.
    axes : sequence of Axis, optional
        Of the result; by default as `result_axes` says.
    name : str
        Of the image.
    provenance : mapping, optional
        Tool, version, parameters, inputs: plain values.
    fingerprint : str
        Names the computation; an unfinished result with the same one is resumed, and none without.
    label : str
        For progress and errors.

    Yields
    ------
    Progress
        As of `run_pass`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileExistsError
        Where something else is at the path.
    OSError
        Where less is free than the result may take.
    """
    if isinstance(frames, Stack):
        rgb = frames.rgb
        frames = LazyFrames(frames, copy_frames, dtype=frames.dtype.newbyteorder("="))
    else:
        rgb = frames.stacks[0].rgb and frames.frame_shape == frames.stacks[0].frame_shape
    described = tuple(axes) if axes is not None else result_axes(frames)
    on_disk = ngff_order(described)
    frames = _leading_first(frames.in_order(on_disk))
    own = tuple(frames.frame_shape[axis] for axis in frames.frame_order)
    frame_bytes = math.prod(frames.frame_shape) * frames.dtype.itemsize
    workers = engine.executor.workers
    shard = min(engine.budget // (2 * (workers + 1)), frames.nbytes // (2 * workers))
    array = cut_array(
        os.path.abspath(path),
        frames.leading_shape,
        own,
        frames.dtype,
        max(_SMALLEST_SHARD, min(_LARGEST_SHARD, shard)),
    )
    stored = tuple(described[axis] for axis in on_disk)
    attributes = image_attributes(stored, name, rgb=rgb, provenance=provenance)
    attributes["framewise"] |= {"complete": False, "fingerprint": fingerprint}
    if on_disk != tuple(range(len(on_disk))):
        attributes["framewise"]["order"] = [on_disk.index(axis) for axis in range(len(on_disk))]
    sink = open_result(array, attributes, [axis.name for axis in stored], frames.frame_order)
    yield from run_pass(
        frames.work,
        frames.function,
        frames.inputs,
        frames.context,
        engine=engine,
        cost=replace(frames.cost, output=frame_bytes),
        label=label,
        into=sink,
    )
    sink.complete()
    return Path(array.path)


class ShardSink:
    """Blocks into the shards of an array, each written by whoever computed it."""

    def __init__(
        self, array: ShardedArray, order: tuple[int, ...], finished: frozenset[int] = frozenset()
    ) -> None:
        self.array = array
        # For each axis of a frame of the array its number in a block's frame.
        self._order = order
        self._finished = finished

    @property
    def paths(self) -> tuple[str, ...]:
        """The result's folder."""
        return (self.array.path,)

    @property
    def cut(self) -> tuple[int, int]:
        """Frames of a shard, and after how many that cut starts anew."""
        return self.array.cut

    def buffer(self, work: Work, block: Block) -> Array:
        """Memory for the frames of a shard."""
        own = np.empty((block.length, *self.array.frame_shape), self.array.dtype)
        inverse = (self._order.index(axis) + 1 for axis in range(len(self._order)))
        return own.transpose(0, *inverse)

    def commit(self, work: Work, block: Block, answer: Array, check: Callable[[], None]) -> None:
        """Write the shard."""
        own = answer.transpose(0, *(axis + 1 for axis in self._order))
        self.array.write(block.frames[0], own, check)

    def finished(self, block: Block) -> bool:
        """Whether an earlier run has written it."""
        return block.frames[0] in self._finished

    def mark(self, block: Block) -> None:
        """Add it to the list of what is written."""
        self.note(block.frames[0])

    def note(self, number: int) -> None:
        """Add a number to the list of what is written."""
        with Path(self.array.path, _LIST).open("a", encoding="ascii") as file:
            file.write(f"{number}\n")

    def complete(self) -> None:
        """Say that nothing is missing."""
        import zarr

        group = zarr.open_group(self.array.path, mode="r+")
        group.attrs["framewise"] = {**_ours(group), "complete": True}
        for left in (Path(self.array.path, _LIST), *Path(self.array.path).rglob("*.partial")):
            left.unlink(missing_ok=True)


def open_result(
    array: ShardedArray,
    attributes: Mapping[str, Any],
    names: Sequence[str],
    order: tuple[int, ...],
    sink: type[ShardSink] = ShardSink,
) -> ShardSink:
    """Make the folder of a result, or go on with an unfinished one of the same computation.

    Raises
    ------
    FileExistsError
        Where something else is there.
    OSError
        Where less is free than what is missing may take.
    """
    path = Path(array.path)
    finished: frozenset[int] = frozenset()
    resumes = path.exists() and (not path.is_dir() or any(path.iterdir()))
    if resumes:
        array, finished = _unfinished(array, attributes["framewise"]["fingerprint"])
    done = len(finished) * math.prod(array.shard)
    missing = 1 - min(1.0, done / max(1, math.prod(array.shape)))
    _check_space(path, math.ceil(math.prod(array.shape) * array.dtype.itemsize * missing))
    if not resumes:
        path.mkdir(parents=True, exist_ok=True)
        import zarr

        group = zarr.open_group(array.path, mode="w", zarr_format=3, attributes=dict(attributes))
        array.create(group, list(names))
    return sink(array, order, finished)


def note_provenance(path: Path, provenance: Mapping[str, Any] | None) -> None:
    """Keep in a result of ours what it was made of."""
    import zarr

    group = zarr.open_group(path, mode="r+")
    group.attrs["framewise"] = {**_ours(group), "provenance": dict(provenance or {})}


def image_attributes(
    axes: Sequence[Axis],
    name: str,
    *,
    rgb: bool = False,
    provenance: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Attributes of the group: OME-NGFF 0.5 for one resolution, and our own under `framewise`."""
    described: list[dict[str, str]] = []
    for axis in axes:
        entry = {"name": axis.name}
        kind = _kind_of(axis)
        if kind:
            entry["type"] = kind
        if axis.unit != "pixel":
            entry["unit"] = axis.unit
        described.append(entry)
    steps = [
        {"type": "scale", "scale": [float(axis.scale) for axis in axes]},
        {"type": "translation", "translation": [float(axis.translate) for axis in axes]},
    ]
    level = {"path": "0", "coordinateTransformations": steps}
    image = {"name": name, "axes": described, "datasets": [level]}
    return {
        "ome": {"version": "0.5", "multiscales": [image]},
        "framewise": {"rgb": rgb, "provenance": dict(provenance or {})},
    }


def ngff_order(axes: Sequence[Axis]) -> tuple[int, ...]:
    """Order of axes that OME-NGFF asks for: time, then channels and others, then space."""
    ranks = {"time": 0, "space": 2}
    return tuple(sorted(range(len(axes)), key=lambda number: ranks.get(_kind_of(axes[number]), 1)))


def _kind_of(axis: Axis) -> str:
    """Type of an axis in OME-NGFF; empty where its name does not tell."""
    kinds = {"time": TIME_NAMES, "channel": CHANNEL_NAMES, "space": _SPACE_NAMES}
    return next((kind for kind, names in kinds.items() if axis.name.lower() in names), "")


def result_axes(frames: LazyFrames) -> tuple[Axis, ...]:
    """Axes of a result: those of its first stack, where chosen frames and regions keep their place.

    Where frames have more or fewer axes than the stack's, these get default names.
    """
    stack = frames.stacks[0]
    inside = stack.grid.axes
    if len(frames.frame_shape) != len(inside):
        names = default_axis_names(len(frames.frame_shape), rgb=False)
        inside = tuple(Axis(each) for each in names)
    natural = (*stack.leading_axes, *inside)
    return tuple(natural[number] for number in frames.order)


def _leading_first(frames: LazyFrames) -> LazyFrames:
    """The same array with its first axes as frames: where others stand first, or bands are cut."""
    lead = len(frames.leading_shape)
    banded = isinstance(frames.work, MapBands)
    if frames.order[:lead] == tuple(range(lead)) and not banded:
        return frames
    last = max((frames.order.index(number) for number in range(lead)), default=-1)
    axes = [f"axis {axis}" for axis in range(frames.ndim)]
    stack = stack_of(frames, axes=axes).select(Selection(frames_along=tuple(range(last + 1))))
    return LazyFrames(stack, copy_frames, dtype=frames.dtype, cost=frames.cost)


def copy_frames(block: Array, *, out: Array) -> None:
    """Frames as they are."""
    out[...] = block


def _unfinished(array: ShardedArray, fingerprint: str) -> tuple[ShardedArray, frozenset[int]]:
    """The unfinished result of the same computation, as it was cut, and its finished blocks."""
    import zarr

    try:
        group = zarr.open_group(array.path, mode="r")
        ours, kept = _ours(group), group["0"]
    except (OSError, KeyError, ValueError):
        ours, kept = {}, None
    if ours.get("complete", True) or not isinstance(kept, zarr.Array):
        raise FileExistsError(
            f"{array.path} already exists; choose another name or delete it first."
        )
    same = (kept.shape, kept.dtype) == (array.shape, array.dtype)
    known = bool(fingerprint) and ours.get("fingerprint") == fingerprint
    if not same or not known or kept.shards is None:
        raise FileExistsError(
            f"{array.path} holds the unfinished result of another computation; choose another "
            "name or delete it first."
        )
    listed = Path(array.path, _LIST)
    lines = listed.read_text(encoding="ascii").splitlines() if listed.exists() else []
    finished = frozenset(int(line) for line in lines if line.isdigit())
    return replace(array, chunk=kept.chunks, shard=kept.shards), finished


def _ours(group: zarr.Group) -> dict[str, Any]:
    found = group.attrs.get("framewise", {})
    return dict(found) if isinstance(found, Mapping) else {}


def _check_space(path: Path, needed: int) -> None:
    """Refuse where the disk has not room for it uncompressed."""
    folder = next(parent for parent in (path, *path.parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            f"The result may take {needed / 2**30:,.1f} GiB, but only {free / 2**30:,.1f} GiB are "
            f"free in {folder}; choose another place, fewer frames or a region."
        )
