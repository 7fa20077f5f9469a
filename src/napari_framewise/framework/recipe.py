"""Recipes: the tools run, their inputs by role, parameters and versions, as plain values."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_framewise.stacks.stack import Selection

SCHEMA: Final = 1
PLACES = ("path", "sample", "step", "memory")


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputRef(_Plain):
    """Where one input comes from.

    Exactly one of `path`, `sample`, `step` and `memory` says the place: a file or folder (relative
    to the recipe, or absolute), a sample of this package, the result of an earlier step, or data
    that exist only in memory until the recipe is saved.

    Attributes
    ----------
    path : str, optional
        File or folder.
    key : str, optional
        Array inside the file.
    pattern : str, optional
        Which files of a folder, such as ``*.tif``.
    sample : str, optional
        Name of a sample; `item` says which of its stacks.
    step : int, optional
        Number of an earlier step, from 0; `item` says which of its layers or models.
    memory : str, optional
        Name of data that exist only in memory; a saved recipe has a path in its place.
    item : str
        Stack of a sample, or result of a step.
    selection : Selection
        Frames, channel and region used.
    axes, scale, translate, units, rgb :
        The axes as the user set them, where they differ from what the file says.
    name : str
        What the user called it.
    values : tuple of float, optional
        The number that goes with it, or with each of its frames.
    value_pattern : str, optional
        What those numbers are read by from the names of files, such as ``T{}K``.
    """

    path: str | None = None
    key: str | None = None
    pattern: str | None = None
    sample: str | None = None
    step: int | None = None
    memory: str | None = None
    item: str = ""
    selection: Selection = Field(default_factory=Selection)
    axes: tuple[str, ...] | None = None
    scale: tuple[float, ...] | None = None
    translate: tuple[float, ...] | None = None
    units: tuple[str, ...] | None = None
    rgb: bool | None = None
    name: str = ""
    values: tuple[float, ...] | None = None
    value_pattern: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [each for each in PLACES if getattr(self, each) is not None]
        if len(given) != 1:
            raise ValueError(
                f"An input names {' and '.join(given) or 'no place'}; it needs one of "
                f"{', '.join(PLACES)}"
            )
        return self

    def at(self, base: Path) -> InputRef:
        """The same with an absolute path, where it is relative to the folder `base`."""
        if self.path is None:
            return self
        return self.model_copy(update={"path": os.path.abspath(base / self.path)})


class ChangeRef(_Plain):
    """An input that was changed in the middle of a steered run.

    Attributes
    ----------
    step : int
        How many steps had been taken.
    role : str
        Whose values they are.
    values : tuple of InputRef
        What stood in the role from then on.
    """

    step: int = Field(ge=0)
    role: str
    values: tuple[InputRef, ...] = ()


class Step(_Plain):
    """One run of one tool.

    Attributes
    ----------
    tool : str
        Name of the tool.
    inputs : dict
        References by role.
    parameters : dict
        All parameters with their values.
    changes : tuple of ChangeRef
        Of a steered run: inputs that were changed in its middle.
    steps : int, optional
        Of a steered run that was ended before it was done: how many steps were taken.
    """

    tool: str
    inputs: dict[str, tuple[InputRef, ...]] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    changes: tuple[ChangeRef, ...] = ()
    steps: int | None = Field(None, ge=0)

    @property
    def references(self) -> tuple[InputRef, ...]:
        """All references, those of changes as well."""
        changed = [change.values for change in self.changes]
        return tuple(ref for refs in (*self.inputs.values(), *changed) for ref in refs)

    def with_references(self, change: Callable[[InputRef], InputRef]) -> Step:
        """The step with other references in place of each."""
        inputs = {role: tuple(map(change, refs)) for role, refs in self.inputs.items()}
        changes = tuple(
            each.model_copy(update={"values": tuple(map(change, each.values))})
            for each in self.changes
        )
        return self.model_copy(update={"inputs": inputs, "changes": changes})


class ItemRecord(_Plain):
    """One array among the results of a step: what tells whether another is the same.

    Attributes
    ----------
    name : str
        Such as "table mixing: x1".
    shape : tuple of int
        Of the array.
    dtype : str
        In NumPy's notation, little-endian; "text" for texts.
    sha256 : str
        Of its bytes.
    known : int
        How many numbers are finite.
    least, greatest, mean, deviation : float, optional
        Of those; None where there are none.
    kept : str, optional
        File that holds its values: relative to the recipe, or absolute.
    key : str, optional
        Array in that file; None where the file is an image.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    sha256: str
    known: int = 0
    least: float | None = None
    greatest: float | None = None
    mean: float | None = None
    deviation: float | None = None
    kept: str | None = None
    key: str | None = None

    def with_kept(self, change: Callable[[str], str]) -> ItemRecord:
        """The record with another way to name the file of its values."""
        if self.kept is None:
            return self
        return self.model_copy(update={"kept": change(self.kept)})


class Recipe(_Plain):
    """Steps to run again.

    Attributes
    ----------
    schema_version : int
        Version of this form.
    steps : tuple of Step
        In the order they were run.
    versions : dict
        Versions of this package and of those that decide the numbers.
    hashes : dict
        SHA-256 of the files behind the inputs, by "step, role, number"; only where results are
        recorded.
    results : tuple
        Of each step what came out, where that was asked for: see `ItemRecord`.
    """

    schema_version: Literal[1] = SCHEMA
    steps: tuple[Step, ...]
    versions: dict[str, str] = Field(default_factory=dict)
    hashes: dict[str, str] = Field(default_factory=dict)
    results: tuple[tuple[ItemRecord, ...], ...] = ()


def versions() -> dict[str, str]:
    """Versions of the packages that decide the numbers."""
    from importlib.metadata import version

    return {name: version(name) for name in ("napari-framewise", "numpy", "scipy", "numba")}
