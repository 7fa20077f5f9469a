"""What is computed for a block of pairs of images; importable by a cluster's workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from napari_framewise.framework.masks import selected
from napari_framewise.numerics import difference as numerics
from napari_framewise.stacks.source import Array

Kind = Literal["measure", "p", "labels", "rows", "columns"]


@dataclass(frozen=True)
class Task:
    """How each pair is compared.

    Attributes
    ----------
    settings : Settings
        For the numerics.
    channels : bool
        Whether the last axis of a frame holds channels, which are averaged.
    """

    settings: numerics.Settings
    channels: bool


@dataclass(frozen=True, eq=False)
class Found:
    """What changed in one image: numbers of its regions and of the whole."""

    area: Array
    strength: Array
    p: Array
    centre: Array
    box: Array
    changed: float
    least_p: float
    shift: float
    blur: float
    noise: float
    unexplained: float
    pixels: int


def compared(
    frames: Array,
    reference: Array,
    masks: Array | None,
    earlier_masks: Array | None,
    task: Task,
) -> list[numerics.Change]:
    """Changes of each frame of a block."""
    changes = []
    for number in range(len(frames)):
        earlier = _grey(_of(reference, number), task)
        use = None if masks is None else selected(_of(masks, number))
        if earlier_masks is not None:
            earlier = np.where(selected(_of(earlier_masks, number)), earlier, np.nan)
        changes.append(numerics.compare(earlier, _grey(frames[number], task), task.settings, use))
    return changes


def _of(block: Array, number: int) -> Array:
    """What belongs to a frame: one for all, or one each."""
    return np.asarray(block[number if len(block) > 1 else 0])


def numbers_block(
    frames: Array,
    reference: Array,
    masks: Array | None,
    earlier_masks: Array | None,
    task: Task,
) -> list[Found]:
    """The regions of each frame of a block."""
    return [found_in(each) for each in compared(frames, reference, masks, earlier_masks, task)]


def found_in(change: numerics.Change) -> Found:
    """The numbers of a change, without its maps."""
    known = np.isfinite(change.measure)
    regions, pixels = change.changed, int(known.sum())
    shift = np.sqrt((change.displacement**2).sum(axis=0))
    p = change.p[np.isfinite(change.p)]
    return Found(
        regions.area,
        regions.strength,
        regions.p,
        regions.centre,
        regions.box,
        float(regions.area.sum() / pixels) if pixels else float("nan"),
        float(p.min()) if p.size else float("nan"),
        float(np.median(shift[known])) if pixels else float("nan"),
        change.blur,
        change.noise,
        change.unexplained,
        pixels,
    )


def map_block(
    frames: Array,
    reference: Array,
    masks: Array | None,
    earlier_masks: Array | None,
    task: Task,
    kind: Kind,
    *,
    out: Array,
) -> None:
    """One of the maps of each frame of a block."""
    changes = compared(frames, reference, masks, earlier_masks, task)
    for place, change in zip(out, changes, strict=True):
        place[...] = map_of(change, kind)


def maps_block(
    frames: Array,
    reference: Array,
    masks: Array | None,
    earlier_masks: Array | None,
    task: Task,
    kinds: tuple[Kind, ...],
    *,
    out: Any,
) -> None:
    """Several maps of each frame of a block, compared once."""
    changes = compared(frames, reference, masks, earlier_masks, task)
    for number, change in enumerate(changes):
        for place, kind in zip(out, kinds, strict=True):
            place[number] = map_of(change, kind)


def map_of(change: numerics.Change, kind: Kind) -> Array:
    """A map of one change."""
    if kind == "measure":
        return change.measure
    if kind == "p":
        return np.asarray(-np.log10(np.maximum(change.p, np.finfo(float).tiny)))
    if kind == "labels":
        return np.asarray(change.changed.labels)
    return np.asarray(change.displacement[0 if kind == "rows" else 1])


def _grey(frame: Array, task: Task) -> Array:
    if not task.channels:
        return frame
    return np.asarray(frame.astype(np.float64).mean(axis=-1))
