"""Inputs by role: what a tool was given, checked, matched and brought onto its frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, ValuesView
from dataclasses import replace
from typing import Any, overload

import numpy as np

from napari_framewise.framework.channels import one_channel
from napari_framewise.framework.drawn import (
    DrawnPoints,
    DrawnShape,
    Pairs,
    drawn_points,
    drawn_shapes,
    paired,
)
from napari_framewise.framework.input_checks import (
    check_count,
    check_frames,
    check_kind,
    check_shape,
    numbers_for,
)
from napari_framewise.framework.matching import as_long, matching
from napari_framewise.framework.outcome import PointsResult, ShapesResult
from napari_framewise.framework.regions import Region, labels_of, regions_of
from napari_framewise.framework.roles import IMAGE_KINDS as IMAGE_KINDS
from napari_framewise.framework.roles import MASK as MASK
from napari_framewise.framework.roles import SCRIBBLES as SCRIBBLES
from napari_framewise.framework.roles import TYPES as TYPES
from napari_framewise.framework.roles import Input as Input
from napari_framewise.framework.roles import Kind as Kind
from napari_framewise.framework.roles import Value as Value
from napari_framewise.framework.roles import partner_of as partner_of
from napari_framewise.framework.roles import takes_model as takes_model
from napari_framewise.framework.scribbles import Scribbles, scribbles_on
from napari_framewise.framework.valued import InputValue as InputValue
from napari_framewise.framework.valued import Valued
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack


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
        self._numbers: dict[str, tuple[Valued | None, ...]] = {}
        for name, values in self._values.items():
            self._numbers[name] = tuple(
                each if isinstance(each, Valued) else None for each in values
            )
            self._values[name] = tuple(
                each.value if isinstance(each, Valued) else each for each in values
            )
        for role in roles:
            for each in self._values[role.name]:
                check_kind(role, each)
            check_count(role, self._values[role.name])
        self._given = dict(self._values)
        for role in roles:
            self._values[role.name] = tuple(self._matched(role))
        for role in roles:
            for each in self._values[role.name]:
                if isinstance(each, Stack):
                    check_frames(role, each)
                    check_shape(role, each, self._values)
        for role in roles:
            if role.value is not None:
                self.values(role.name)
            elif any(each is not None for each in self._numbers[role.name]):
                raise ValueError(f"{role.title}: a number was given, but none is asked for.")

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

    def title(self, name: str) -> str:
        """What a role is called in messages."""
        return self._roles[name].title

    def optional_stack(self, name: str) -> Stack | None:
        """The stack in a role that may be left out."""
        return next(iter(self.stacks(name)), None)

    @overload
    def values(self) -> ValuesView[tuple[Value, ...]]: ...

    @overload
    def values(self, name: str) -> Array: ...

    def values(self, name: str | None = None) -> Array | ValuesView[tuple[Value, ...]]:
        """The numbers that go with a role: one per image, or one per chosen frame of its stack.

        Without a name the values of all roles, as of any mapping.

        Raises
        ------
        ValueError
            Where one is missing or not finite, or there are not as many as frames.
        """
        if name is None:
            return super().values()
        role = self._roles[name]
        asked = role.value
        if asked is None:
            raise ValueError(f"{role.title} asks for no numbers.")
        numbers = []
        for value, given in zip(self._values[name], self._numbers[name], strict=True):
            called = getattr(value, "name", role.title)
            if given is None and asked.missing is not None:
                count = getattr(value, "n_frames", 1) if asked.per == "frame" else 1
                if asked.shared or (count == 1 and len(self._values[name]) == 1):
                    numbers.append(np.full(count, asked.missing))
                    continue
            if given is None:
                raise ValueError(
                    f"{role.title}: the {asked.title.lower()} of {called} is missing; give one "
                    f"number with each {asked.per}."
                )
            numbers.append(numbers_for(role, asked, value, given.numbers, called))
        return np.concatenate([np.empty(0), *numbers])

    def with_stack(self, name: str, stack: Stack) -> Inputs:
        """The same inputs with another choice of the one stack in a role.

        What goes with it is matched anew.
        """
        given = {
            role: tuple(
                value if number is None else replace(number, value=value)
                for value, number in zip(values, self._numbers[role], strict=True)
            )
            for role, values in (self._given | {name: (stack,)}).items()
        }
        return Inputs(tuple(self._roles.values()), given)

    def numbers_given(self, name: str) -> tuple[Valued | None, ...]:
        """What was given with each value of a role, as a recipe records it."""
        return self._numbers[name]

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

    def scribbles(self, name: str, frame: int = 0) -> Scribbles:
        """What labels, shapes, points or images in colour in a role mark on a frame; maybe nothing.

        Parameters
        ----------
        name : str
            The role.
        frame : int
            Number among the chosen frames of the stack that they lie on.

        Raises
        ------
        ValueError
            Where something does not fit the frames; see `scribbles_on`.
        """
        return scribbles_on(self.as_given(name), self._under(name), frame)

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
