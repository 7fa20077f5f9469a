"""Whether what was given for a role is what it takes, said in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_framewise.framework.model import Model
from napari_framewise.framework.roles import TYPES, Input, Kind, Value, models_of, takes_model
from napari_framewise.framework.valued import InputValue
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

_HAS = {2: "rows and columns", 3: "planes, rows and columns"}
_NEEDS = {"plane": (2, "plane images"), "volume": (3, "volumes")}


def numbers_for(
    role: Input, asked: InputValue, value: Value, given: Sequence[float], called: str
) -> Array:
    """The numbers of one value, those of the chosen frames where each frame has one."""
    numbers = np.asarray(given, np.float64)
    count = total = 1
    if asked.per == "frame":
        count = total = value.n_frames if isinstance(value, (Stack, RaggedStack)) else 1
        if isinstance(value, Stack):
            total = value.select(replace(value.selection, frames=None)).n_frames
            if asked.shared and len(numbers) == 1:
                numbers = np.repeat(numbers, total)
            if len(numbers) == total:
                numbers = numbers[np.asarray(value.frame_numbers)]
    if len(numbers) != count:
        many = f"{total:,} frames" if asked.per == "frame" else "one image"
        many += ", and one number may serve all" if asked.shared else ""
        raise ValueError(
            f"{role.title}: {called} was given {len(numbers):,} numbers as "
            f"{asked.title.lower()}, but it has {many}; give as many."
        )
    if not np.isfinite(numbers).all():
        raise ValueError(f"{role.title}: the {asked.title.lower()} of {called} is not finite.")
    return numbers


def check_kind(role: Input, value: Any) -> None:
    """Refuse what is of another kind."""
    if not any(isinstance(value, TYPES[kind]) for kind in role.kinds):
        ragged = isinstance(value, RaggedStack)
        given = "folder of images that differ in size" if ragged else type(value).__name__
        raise ValueError(f"{role.title} was given a {given}; it takes a {role.noun}.")
    if isinstance(value, Model) and not takes_model(role, value):
        raise ValueError(
            f"{role.title} was given a {value.kind} model; it takes a {models_of(role)}."
        )


def check_frames(role: Input, value: Stack) -> None:
    """Refuse frames that are empty, too many, or no planes or volumes where those are asked for."""
    if value.n_frames == 0 or 0 in value.frame_shape:
        raise ValueError(
            f"{role.title}: {value.name} is empty ({value.summary()}); at least one frame with "
            "one pixel is needed."
        )
    many = Kind.STACK in role.kinds or Kind.IMAGES in role.kinds
    single = not many and not role.several_frames
    if single and value.n_frames > 1:
        raise ValueError(
            f"{role.title}: {value.name} holds {value.summary()}; one image is needed: choose "
            "one frame of it."
        )
    if role.frames is not None:
        spatial = sum(axis != value.channel_axis for axis in value.image_axes)
        kinds = (role.frames,) if isinstance(role.frames, str) else role.frames
        needed = [_NEEDS[kind] for kind in kinds]
        if spatial not in [count for count, _ in needed]:
            has = _HAS.get(spatial, "one axis" if spatial == 1 else f"{spatial} axes")
            needs = " or ".join(name for _, name in needed)
            raise ValueError(
                f"{role.title}: the frames of {value.name} have {has}; {needs} are needed: "
                "choose another axis for the frames to run along."
            )


def check_count(role: Input, values: tuple[Value, ...]) -> None:
    """Refuse too few and too many."""
    if role.least <= len(values) <= role.most:
        return
    given = {0: "nothing was", 1: "one was"}.get(len(values), f"{len(values)} were")
    raise ValueError(f"{role.title}: {given} given; it takes {role.wanted}.")


def check_shape(role: Input, value: Stack, values: Mapping[str, tuple[Value, ...]]) -> None:
    """Refuse frames of another size, or of another number, than those of the role's partner."""
    for partner, what in ((role.same_frame_as, "shape"), (role.same_length_as, "n_frames")):
        other = next(iter(values.get(partner, ())), None) if partner else None
        if not isinstance(other, Stack):
            continue
        if what == "shape" and value.frame_shape != other.frame_shape:
            raise ValueError(
                f"{role.title}: {value.name} has frames of {_size(value)} pixels, but "
                f"{other.name} has frames of {_size(other)}; they must have the same shape."
            )
        if what == "n_frames" and value.n_frames != other.n_frames:
            raise ValueError(
                f"{role.title}: {value.name} has {value.n_frames:,} frames, but {other.name} has "
                f"{other.n_frames:,}; as many are needed."
            )


def _size(stack: Stack) -> str:
    return " x ".join(map(str, stack.frame_shape))
