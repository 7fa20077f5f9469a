"""Roles: what a tool asks for, and what kinds of thing there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from napari_framewise.framework.model import Model
from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.framework.valued import InputValue
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
SCRIBBLES = (Kind.LABELS, Kind.SHAPES, Kind.POINTS, Kind.FRAME)
"""What scribbles are taken from: labels, shapes and points in colours, an image painted over."""
IMAGE_KINDS = (Kind.STACK, Kind.IMAGES, Kind.FRAME, Kind.LABELS)
ModelKind: TypeAlias = str | type
FrameKind: TypeAlias = Literal["plane", "volume"]

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
    frames : {"plane", "volume"}, or both, optional
        Frames that are taken: of rows and columns, or of planes, rows and columns.
    value : InputValue, optional
        A number that is asked for with each image, or with each frame.
    selects : bool
        Its pixels that are not zero are used: one image that has none is refused before a run.
    made_by : tuple of str
        Names of tools whose results are meant for this role; a form offers the newest with one
        click, where other results are only in its list.
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
    frames: FrameKind | tuple[FrameKind, ...] | None = None
    value: InputValue | None = None
    selects: bool = False
    made_by: tuple[str, ...] = ()

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
        least = max(self.least, self.usual) if self.least else 0
        if least in (0, self.most):
            return f"{'up to ' * (not self.least)}{self.most} {many}"
        return f"{least} to {self.most} {many}"


def partner_of(role: Input, roles: Sequence[Input]) -> str | None:
    """Name of the role on whose frames the points, shapes and labels of a role lie."""
    named = role.lies_on or role.same_frame_as
    if named is not None:
        return named
    others = (each for each in roles if each.images and Kind.LABELS not in each.kinds)
    return next((each.name for each in others if each is not role), None)


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
