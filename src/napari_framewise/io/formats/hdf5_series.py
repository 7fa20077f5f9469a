"""Stacks that an HDF5 file keeps in several datasets: Imaris, and masters of detectors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

import h5py
import numpy as np

from napari_framewise.io.formats.hdf5_axes import text_of
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.hdf5 import Hdf5Source
from napari_framewise.stacks.sources.hdf5_links import LeadsNowhere, Links
from napari_framewise.stacks.sources.joined import GatheredSource, JoinedSource
from napari_framewise.stacks.units import calibrated

Whole: TypeAlias = tuple[Source, tuple[Axis, ...], bool, tuple[str, ...]]
SourceOf: TypeAlias = Callable[[str, h5py.Dataset, Links], tuple[Source, tuple[str, ...]]]

_IMARIS = "DataSet/ResolutionLevel 0"
_NUMBERED = re.compile(r"(.*?)(\d+)")
_MOST_SHOWN = 3


def gathered(path: str, file: h5py.File, links: Links, source_of: SourceOf) -> Whole | None:
    """The one stack of a file that keeps it in several datasets; None for any other file.

    Returns
    -------
    tuple, optional
        Source, axes, whether it is colour, and what is missing of it.
    """
    if isinstance(file.get(_IMARIS, getlink=True), h5py.HardLink):
        return _imaris(path, file)
    return _numbered(path, file, links, source_of)


def _imaris(path: str, file: h5py.File) -> Whole | None:
    """Imaris 5.5: a dataset for each time and channel, padded to whole chunks."""
    level = file[_IMARIS]
    times = _count(level, "TimePoint")
    channels = _count(level.get("TimePoint 0", {}), "Channel")
    if not times or not channels:
        return None
    places = [
        f"{_IMARIS}/TimePoint {time}/Channel {channel}/Data"
        for time in range(times)
        for channel in range(channels)
    ]
    present = [place in file for place in places]
    if True not in present:
        return None
    first = file[places[present.index(True)]]
    if not isinstance(first, h5py.Dataset) or first.ndim != 3 or first.is_virtual:
        return None
    part: Source = Hdf5Source(path, "", first.shape, first.dtype.str, first.chunks)
    parts = tuple(
        Hdf5Source(path, f"/{place}", first.shape, first.dtype.str, first.chunks) if here else None
        for place, here in zip(places, present, strict=True)
    )
    said = first.parent.attrs
    image = file.get("DataSetInfo/Image")
    image = {} if image is None else image.attrs
    sizes = [_number(said.get(f"ImageSize{axis}")) or _number(image.get(axis)) for axis in "ZYX"]
    used = tuple(
        int(size) if size and 1 <= size <= length else length
        for size, length in zip(sizes, part.shape, strict=True)
    )
    axes = [_times(file, times), Axis("c")]
    for number, (name, length) in enumerate(zip("zyx", used, strict=True)):
        side = 2 - number
        low, high = (_number(image.get(f"Ext{end}{side}")) for end in ("Min", "Max"))
        step = None if low is None or high is None else (high - low) / length
        origin = 0.0 if step is None or low is None else low + step / 2
        axes.append(calibrated(name, step, text_of(image.get("Unit")) or "um", origin))
    lost = [
        f"time {number // channels}, channel {number % channels}"
        for number, here in enumerate(present)
        if not here
    ]
    remarks = (f"missing, so without data: {_listed(lost)}",) if lost else ()
    return GatheredSource(parts, (times, channels), used), tuple(axes), False, remarks


def _count(group: Any, name: str) -> int:
    numbers = [int(each[len(name) :]) for each in group if re.fullmatch(rf"{name} \d{{1,6}}", each)]
    return max(numbers, default=-1) + 1


def _number(value: object) -> float | None:
    try:
        return float(text_of(value))
    except ValueError:
        return None


def _times(file: h5py.File, count: int) -> Axis:
    """The time axis where the noted times lie at equal distances."""
    info = file.get("DataSetInfo/TimeInfo")
    try:
        said = [text_of(info.attrs[f"TimePoint{number}"]) for number in range(1, count + 1)]
        stamps = [datetime.fromisoformat(each.strip()).timestamp() for each in said]
    except (AttributeError, KeyError, ValueError):
        return Axis("t")
    steps = np.diff(stamps)
    if not steps.size or steps[0] <= 0 or not np.allclose(steps, steps[0], rtol=0.05):
        return Axis("t")
    return calibrated("t", float(steps.mean()), "s")


def _numbered(path: str, file: h5py.File, links: Links, source_of: SourceOf) -> Whole | None:
    """A master's links data_000001, data_000002 ... to the files with the frames."""
    for place in ("entry/data", "entry/instrument/detector", "entry", ""):
        try:
            group = links.find(file, place)
        except LeadsNowhere:
            continue
        if isinstance(group, h5py.Group):
            found = _linked(path, group, links, source_of)
            if found is not None:
                return found
    return None


def _linked(path: str, group: h5py.Group, links: Links, source_of: SourceOf) -> Whole | None:
    series: dict[str, list[tuple[int, str]]] = {}
    for name in group:
        link = group.get(name, getlink=True)
        match = _NUMBERED.fullmatch(name)
        if match and isinstance(link, h5py.ExternalLink):
            series.setdefault(match[1], []).append((int(match[2]), name))
    if len(series) != 1:
        return None
    (members,) = series.values()
    if len(members) < 2:
        return None
    parts: list[Source | None] = []
    lost: list[str] = []
    for _, name in sorted(members):
        try:
            node = links.find(group, name)
            source, missing = source_of(path, node, links)
        except LeadsNowhere as error:
            parts.append(None)
            lost.append(str(error))
        else:
            parts.append(source)
            lost += missing
    there = [part for part in parts if part is not None]
    if not there or len({(part.shape[1:], part.dtype) for part in there}) != 1:
        return None
    if len(there[0].shape) != 3:
        return None
    # How many frames a missing file held nobody knows; the writer fills all but the last equally.
    usual = Counter(part.shape[0] for part in there).most_common(1)[0][0]
    lengths = tuple(usual if part is None else part.shape[0] for part in parts)
    remarks = (f"missing, so without data: {_listed(lost)}",) if lost else ()
    axes = (Axis("frame"), Axis("y"), Axis("x"))
    return JoinedSource(tuple(parts), lengths), axes, False, remarks


def _listed(lost: list[str]) -> str:
    more = len(lost) - _MOST_SHOWN
    return ", ".join(lost[:_MOST_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
