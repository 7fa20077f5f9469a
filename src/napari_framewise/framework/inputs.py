"""Inputs by role: what a tool asks for, and the check that it was given just that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from napari_framewise.framework.channels import one_channel
from napari_framewise.framework.drawn import (
    DrawnPoints,
    DrawnShape,
    Pairs,
    drawn_points,
    drawn_shapes,
    paired,
)
from napari_framewise.framework.matching import as_long, matching
from napari_framewise.framework.model import Model
from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.framework.regions import Region, labels_of, regions_of
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


MASK = (Kind.LABELS, Kind.SHAPES)
"""What a mask is taken from: painted labels, an image, or drawn shapes."""
IMAGE_KINDS = (Kind.STACK, Kind.IMAGES, Kind.FRAME, Kind.LABELS)
ModelKind: TypeAlias = str | type

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


_FRAMES: dict[str | None, str] = {
    "plane": "rows and columns",
    "volume": "planes, rows and columns",
}


@dataclass(frozen=True)
class Input:
    """One role that a tool's inputs play.

    Attributes
    ----------
    name : str
        The role: a word of the recipe and an option of the command line.
    kind : Kind or tuple of Kind
        What is taken, or what of it any may be. A FRAME may come as a stack of several frames where
        `several_frames`. Where labels and shapes are taken, shapes come as an image of labels.
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
    lies_on : str, optional
        Role on whose frames points, shapes and labels are brought; by default that of
        `same_frame_as`, else the first that takes images.
    same_length_as : str, optional
        Role with whose number of frames it must agree.
    several_frames : bool
        A FRAME or LABELS input may hold more than one frame.
    model_kind : str or type, or tuple of them, optional
        Kinds or classes of model that are taken.
    frames : {"plane", "volume"}, optional
        Frames that are taken: of rows and columns, or of planes, rows and columns.
    """

    name: str
    kind: Kind | tuple[Kind, ...]
    title: str
    description: str
    least: int = 1
    most: int = 1
    usual: int = 1
    folded: bool | None = None
    same_frame_as: str | None = None
    same_length_as: str | None = None
    several_frames: bool = False
    model_kind: ModelKind | tuple[ModelKind, ...] | None = None
    lies_on: str | None = None
    frames: Literal["plane", "volume"] | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All that may be taken."""
        return (self.kind,) if isinstance(self.kind, Kind) else self.kind

    @property
    def images(self) -> bool:
        """May be taken from an image or labels layer, or from an image file."""
        return any(kind in IMAGE_KINDS for kind in self.kinds)

    @property
    def noun(self) -> str:
        """What one of it is: "labels image or set of shapes"."""
        return " or ".join(_NOUNS[kind][0] for kind in self.kinds)

    @property
    def wanted(self) -> str:
        """How many of what: "2 to 16 images", "one stack", "one labels image or none"."""
        one, many = self.noun, " or ".join(_NOUNS[kind][1] for kind in self.kinds)
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
        shape of its frames takes over the choices that were left open; see `matching`.

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
        self._roles = {role.name: role for role in roles}
        for role in roles:
            for each in self._values[role.name]:
                _check_kind(role, each)
            _check_count(role, self._values[role.name])
        self._given = dict(self._values)
        for role in roles:
            self._values[role.name] = tuple(self._matched(role))
        for role in roles:
            for each in self._values[role.name]:
                if isinstance(each, Stack):
                    _check_frames(role, each)
                    _check_shape(role, each, self._values)

    def _matched(self, role: Input) -> Iterator[Value]:
        """Values of a role as they go with those of the roles that they must agree with."""
        for each in self._values[role.name]:
            if isinstance(each, ShapesResult) and Kind.LABELS in role.kinds:
                under = self.under(role.name)
                each = each if under is None else labels_of(each, under)
            if isinstance(each, Stack):
                frame, length = self._first(role.same_frame_as), self._first(role.same_length_as)
                each = each if frame is None else matching(each, frame)
                each = each if length is None else as_long(each, length)
            yield each

    def _first(self, name: str | None) -> Stack | None:
        first = next(iter(self._values.get(name or "", ())), None)
        return first if isinstance(first, Stack) else None

    def as_given(self, name: str) -> tuple[Value, ...]:
        """The values of a role as a recipe records them: shapes are still shapes."""
        return tuple(
            value if isinstance(value, Stack) and isinstance(given, Stack) else given
            for given, value in zip(self._given[name], self._values[name], strict=True)
        )

    def changed(self, name: str, values: tuple[Value, ...]) -> Inputs:
        """The same with other values in a role, checked anew."""
        return Inputs(tuple(self._roles.values()), {**self._given, name: values})

    def under(self, name: str) -> Stack | None:
        """The stack on whose frames the points, shapes and labels of a role lie."""
        partner = partner_of(self._roles[name], tuple(self._roles.values()))
        return self._first(partner)

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

    def points(self, name: str) -> tuple[DrawnPoints, ...]:
        """The sets of points in a role, in pixels of the frames that they lie on; maybe none.

        Raises
        ------
        ValueError
            Where they have other axes than the frames.
        """
        under = self._under(name)
        values = self._values[name]
        return tuple(drawn_points(each, under) for each in values if isinstance(each, PointsResult))

    def shapes(self, name: str) -> tuple[DrawnShape, ...]:
        """The shapes of all sets in a role, in pixels of the frames that they lie on.

        Raises
        ------
        ValueError
            Where they have other axes than the frames, or one reaches over several frames.
        """
        under, given = self._under(name), self._given[name]
        return tuple(
            each
            for drawn in given
            if isinstance(drawn, ShapesResult)
            for each in drawn_shapes(drawn, under)
        )

    def regions(self, name: str) -> tuple[Region, ...]:
        """The regions that the shapes or labels in a role mark; none where it was left out.

        Raises
        ------
        ValueError
            Where they do not fit the frames, or mark nothing.
        """
        under = self._under(name)
        return tuple(
            region
            for each in self.as_given(name)
            if isinstance(each, (ShapesResult, Stack))
            for region in regions_of(
                matching(each, one_channel(under)) if isinstance(each, Stack) else each, under
            )
        )

    def landmarks(self, first: str, second: str) -> Pairs:
        """Landmarks in two roles of points, paired by their index or in their order.

        Raises
        ------
        ValueError
            Where they cannot be paired; see `paired`.
        """
        return paired(self.points(first)[0], self.points(second)[0])

    def _under(self, name: str) -> Stack:
        under = self.under(name)
        if under is None:
            raise ValueError(f"{self._roles[name].title}: there are no frames for it to lie on.")
        return under


def partner_of(role: Input, roles: Sequence[Input]) -> str | None:
    """Name of the role on whose frames the points, shapes and labels of a role lie."""
    named = role.lies_on or role.same_frame_as
    if named is not None:
        return named
    others = (each for each in roles if each.images and Kind.LABELS not in each.kinds)
    return next((each.name for each in others if each is not role), None)


def _check_kind(role: Input, value: Any) -> None:
    if not any(isinstance(value, TYPES[kind]) for kind in role.kinds):
        ragged = isinstance(value, RaggedStack)
        given = "folder of images that differ in size" if ragged else type(value).__name__
        raise ValueError(f"{role.title} was given a {given}; it takes a {role.noun}.")
    if isinstance(value, Model) and not takes_model(role, value):
        raise ValueError(
            f"{role.title} was given a {value.kind} model; it takes a {models_of(role)}."
        )


def takes_model(role: Input, model: Model) -> bool:
    """Whether a model is of a kind that a role takes."""
    wanted = _model_kinds(role)
    return not wanted or any(
        model.kind == each if isinstance(each, str) else isinstance(model, each) for each in wanted
    )


def models_of(role: Input) -> str:
    """What models a role takes, in words: "flow or alignment model"."""
    words = [
        each if isinstance(each, str) else getattr(each, "kind", "") or each.__name__.lower()
        for each in _model_kinds(role)
    ]
    return f"{' or '.join(words)} model" if words else "model"


def _model_kinds(role: Input) -> tuple[ModelKind, ...]:
    kinds = role.model_kind
    return kinds if isinstance(kinds, tuple) else () if kinds is None else (kinds,)


def _check_frames(role: Input, value: Stack) -> None:
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
        found = {2: "plane", 3: "volume"}.get(spatial)
        if found != role.frames:
            has, needs = (_FRAMES.get(each, f"{spatial} axes") for each in (found, role.frames))
            raise ValueError(
                f"{role.title}: the frames of {value.name} have {has}; {needs} are needed: "
                "choose another axis for the frames to run along."
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
