"""Inputs by role: what a tool asks for, and the check that it was given just that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from napari_framewise.framework.alike import alike, as_long
from napari_framewise.framework.model import Model
from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.stack import Stack

Value: TypeAlias = Stack | RaggedStack | PointsResult | ShapesResult | Table | Model


class Kind(StrEnum):
    """What an input is; images are a stack, or a folder whose images may differ in size."""

    STACK = "stack"
    IMAGES = "images"
    FRAME = "frame"
    LABELS = "labels"
    POINTS = "points"
    SHAPES = "shapes"
    TABLE = "table"
    MODEL = "model"


TYPES: dict[Kind, type | tuple[type, ...]] = {
    Kind.STACK: Stack,
    Kind.IMAGES: (Stack, RaggedStack),
    Kind.FRAME: Stack,
    Kind.LABELS: Stack,
    Kind.POINTS: PointsResult,
    Kind.SHAPES: ShapesResult,
    Kind.TABLE: Table,
    Kind.MODEL: Model,
}


_NOUNS = {
    Kind.STACK: ("stack", "stacks"),
    Kind.IMAGES: ("stack or folder of images", "stacks or folders of images"),
    Kind.FRAME: ("image", "images"),
    Kind.LABELS: ("labels image", "labels images"),
    Kind.POINTS: ("set of points", "sets of points"),
    Kind.SHAPES: ("set of shapes", "sets of shapes"),
    Kind.TABLE: ("table", "tables"),
    Kind.MODEL: ("model", "models"),
}


@dataclass(frozen=True)
class Input:
    """One role that a tool's inputs play.

    Attributes
    ----------
    name : str
        The role: a word of the recipe and an option of the command line.
    kind : Kind
        What is taken. A FRAME may come as a stack of several frames where `several_frames`.
    title, description : str
        Label and tooltip.
    least, most : int
        How many are taken; `least` 0 is optional.
    usual : int
        How many a form asks for at first, where more than one may be taken.
    folded : bool, optional
        Kept under the fold of the form; by default what may be left out and is one at most.
    same_frame_as : str, optional
        Role with whose frame shape it must agree.
    same_length_as : str, optional
        Role with whose number of frames it must agree.
    several_frames : bool
        A FRAME or LABELS input may hold more than one frame.
    model_kind : str, optional
        Kind of model that is taken.
    """

    name: str
    kind: Kind
    title: str
    description: str
    least: int = 1
    most: int = 1
    usual: int = 1
    folded: bool | None = None
    same_frame_as: str | None = None
    same_length_as: str | None = None
    several_frames: bool = False
    model_kind: str | None = None

    @property
    def images(self) -> bool:
        """Taken from an image or labels layer, or from an image file."""
        return self.kind in (Kind.STACK, Kind.IMAGES, Kind.FRAME, Kind.LABELS)

    @property
    def wanted(self) -> str:
        """How many of what: "2 to 16 images", "one stack", "one labels image or none"."""
        one, many = _NOUNS[self.kind]
        if self.most == 1:
            return f"one {one}" if self.least else f"one {one} or none"
        if self.least in (0, self.most):
            return f"{'up to ' * (not self.least)}{self.most} {many}"
        return f"{self.least} to {self.most} {many}"


class Inputs(Mapping[str, tuple[Value, ...]]):
    """Values by role; a role that was left out is an empty tuple.

    Parameters
    ----------
    roles : sequence of Input
        The roles of the tool.
    given : mapping
        One value, or a sequence of them, per role. A stack that must agree with another in the
        shape of its frames takes over the choices that were left open; see `alike`.

    Raises
    ------
    ValueError
        Where a role is unknown, a value is of another kind, too few or too many were given, or
        shapes do not agree: in one sentence.
    """

    def __init__(self, roles: Sequence[Input], given: Mapping[str, Any]) -> None:
        self._values: dict[str, tuple[Value, ...]] = {role.name: () for role in roles}
        for name, value in given.items():
            if name not in self._values:
                raise ValueError(
                    f"There is no input {name!r}; the inputs are: {', '.join(self._values)}."
                )
            if isinstance(value, Sequence) and not isinstance(value, str):
                self._values[name] = tuple(value)
            elif value is not None:
                self._values[name] = (value,)
        for role in roles:
            for each in self._values[role.name]:
                _check_kind(role, each)
            _check_count(role, self._values[role.name])
        for role in roles:
            self._values[role.name] = tuple(self._cut_alike(role))
        for role in roles:
            for each in self._values[role.name]:
                if isinstance(each, Stack):
                    _check_frames(role, each)
                    _check_shape(role, each, self._values)

    def _cut_alike(self, role: Input) -> Iterator[Value]:
        for each in self._values[role.name]:
            if isinstance(each, Stack):
                frame, length = self._first(role.same_frame_as), self._first(role.same_length_as)
                each = each if frame is None else alike(each, frame)
                each = each if length is None else as_long(each, length)
            yield each

    def _first(self, name: str | None) -> Stack | None:
        first = next(iter(self._values.get(name or "", ())), None)
        return first if isinstance(first, Stack) else None

    def __getitem__(self, name: str) -> tuple[Value, ...]:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def stack(self, name: str) -> Stack:
        """The one stack in a role."""
        value = self._values[name][0]
        assert isinstance(value, Stack)
        return value

    def stacks(self, name: str) -> tuple[Stack, ...]:
        """The stacks in a role, maybe none."""
        return tuple(value for value in self._values[name] if isinstance(value, Stack))

    def optional_stack(self, name: str) -> Stack | None:
        """The stack in a role that may be left out."""
        return next(iter(self.stacks(name)), None)


def _check_kind(role: Input, value: Any) -> None:
    if not isinstance(value, TYPES[role.kind]):
        ragged = isinstance(value, RaggedStack)
        given = "folder of images that differ in size" if ragged else type(value).__name__
        raise ValueError(f"{role.title} was given a {given}; it takes a {_NOUNS[role.kind][0]}.")
    if role.model_kind and isinstance(value, Model) and value.kind != role.model_kind:
        raise ValueError(
            f"{role.title} was given a {value.kind} model; it takes a {role.model_kind} model."
        )


def _check_frames(role: Input, value: Stack) -> None:
    if value.n_frames == 0 or 0 in value.frame_shape:
        raise ValueError(
            f"{role.title}: {value.name} is empty ({value.summary()}); at least one frame with "
            "one pixel is needed."
        )
    single = role.kind in (Kind.FRAME, Kind.LABELS) and not role.several_frames
    if single and value.n_frames > 1:
        raise ValueError(
            f"{role.title}: {value.name} holds {value.summary()}; one image is needed: choose "
            "one frame of it."
        )


def _check_count(role: Input, values: tuple[Value, ...]) -> None:
    if role.least <= len(values) <= role.most:
        return
    given = {0: "nothing was", 1: "one was"}.get(len(values), f"{len(values)} were")
    raise ValueError(f"{role.title}: {given} given; it takes {role.wanted}.")


def _check_shape(role: Input, value: Stack, values: Mapping[str, tuple[Value, ...]]) -> None:
    for partner, what in ((role.same_frame_as, "shape"), (role.same_length_as, "n_frames")):
        other = next(iter(values.get(partner, ())), None) if partner else None
        if not isinstance(other, Stack):
            continue
        if what == "shape" and value.frame_shape != other.frame_shape:
            raise ValueError(
                f"{role.title}: {value.name} has frames of {_size(value)} pixels, but "
                f"{other.name} has frames of {_size(other)}; they must be alike."
            )
        if what == "n_frames" and value.n_frames != other.n_frames:
            raise ValueError(
                f"{role.title}: {value.name} has {value.n_frames:,} frames, but {other.name} has "
                f"{other.n_frames:,}; as many are needed."
            )


def _size(stack: Stack) -> str:
    return " x ".join(map(str, stack.frame_shape))
