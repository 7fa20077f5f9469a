"""Recipes as files: written with what exists only in memory, read with every path absolute."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from napari_framewise.framework.inputs import Inputs, Value
from napari_framewise.framework.model import Model
from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.recipe import SCHEMA, ChangeRef, InputRef, Recipe, Step
from napari_framewise.framework.session import Course
from napari_framewise.framework.tool import Tool
from napari_framewise.framework.valued import Valued
from napari_framewise.io.formats.coordinates import table_of
from napari_framewise.io.formats.legends import write_legend
from napari_framewise.io.formats.models import write_model
from napari_framewise.io.formats.tables import write_table
from napari_framewise.io.recipes.references import description_of, reference_to
from napari_framewise.stacks.faults import check_regular, os_fault, reason_of
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.stack import Selection, Stack
from napari_framewise.tools.registry import TOOLS, get_tool

BLOCK_BYTES = 2**24


def step_of(
    tool: Tool[Any],
    inputs: Inputs,
    parameters: Parameters,
    memory: dict[str, Value],
) -> Step:
    """The run of a tool as a step of a recipe.

    Parameters
    ----------
    tool : Tool
        What was run.
    inputs : Inputs
        Its inputs by role.
    parameters : Parameters
        Its parameters; all are recorded, defaults as well.
    memory : dict
        Takes the inputs that no file stands behind, under the name that their reference holds in
        `InputRef.memory`; `save_recipe` writes them beside the recipe.
    """
    refs = {
        role: tuple(
            _with_numbers(_reference(value, f"{role} {number}", memory), given)
            for number, (value, given) in enumerate(
                zip(inputs.as_given(role), inputs.numbers_given(role), strict=True), 1
            )
        )
        for role in inputs
        if inputs[role]
    }
    return Step(tool=tool.name, inputs=refs, parameters=parameters.model_dump(mode="json"))


def along(step: Step, course: Course, memory: dict[str, Value]) -> Step:
    """The step of a steered run with how it went; `memory` takes what inputs were changed to."""
    changes = tuple(
        ChangeRef(
            step=change.step,
            role=change.role,
            values=tuple(
                _reference(value, f"{change.role} at step {change.step}", memory)
                for value in change.values
            ),
        )
        for change in course.changes
    )
    return step.model_copy(update={"changes": changes, "steps": course.steps})


def save_recipe(
    recipe: Recipe, path: str | os.PathLike[str], memory: Mapping[str, Value] | None = None
) -> Recipe:
    """Write a recipe as JSON, and beside it what exists only in memory.

    Files in the recipe's folder or below it are named relative to it, so that the folder can be
    moved; others by their absolute path. What exists only in memory goes into the folder
    ``NAME.inputs``.

    Parameters
    ----------
    recipe : Recipe
        What to write.
    path : path
        File to make, by custom ending in .json.
    memory : mapping, optional
        As `step_of` filled it.

    Returns
    -------
    Recipe
        As it was written, with absolute paths.

    Raises
    ------
    ValueError
        Where a reference names memory that was not given.
    """
    place = Path(os.path.abspath(path))
    folder = place.with_name(f"{place.stem}.inputs")
    files: dict[str, Path] = {}
    for name, value in (memory or {}).items():
        if any(ref.memory == name for ref in _references(recipe)):
            files[name] = _write_value(value, _fresh(folder, name, files.values()))
    written = _with_references(recipe, lambda ref: _filed(ref, files))
    plain = _with_references(written, lambda ref: _relative(ref, place.parent))
    plain = _with_kept(plain, lambda path: os.path.relpath(path, place.parent))
    content = {"schema_version": SCHEMA, **plain.model_dump(mode="json", exclude_defaults=True)}
    part = place.with_name(f".{place.name}.part")
    try:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
    return written


def load_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The recipe in a file, every path in it absolute.

    Raises
    ------
    ValueError
        In one sentence, where the file is not there, not a recipe, or of another version: with
        tools, inputs or parameters that there are not here.
    """
    place = Path(os.path.abspath(path))
    try:
        check_regular(place)
        content = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"There is no recipe {path}.") from None
    except OSError as error:
        raise ValueError(os_fault(path, error)) from None
    except RecursionError:
        raise ValueError(f"{path} is not a recipe: it nests its values too deeply.") from None
    except ValueError as error:
        raise ValueError(f"{path} can't be read as a recipe: {reason_of(error)}.") from None
    if not isinstance(content, dict) or "steps" not in content:
        raise ValueError(f"{path} is not a recipe: it is JSON, but without steps.")
    version = content.get("schema_version")
    if version != SCHEMA:
        raise ValueError(
            f"{path} is a recipe of schema version {version}, but this napari-framewise reads "
            f"version {SCHEMA}; save it again with the version that wrote it, or update."
        )
    try:
        recipe = Recipe.model_validate(content)
    except (ValidationError, RecursionError) as error:
        raise ValueError(f"{path} is not a recipe: {_first_problem(error)}.") from None
    try:
        check_recipe(recipe)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    recipe = _with_kept(recipe, lambda path: os.path.abspath(place.parent / path))
    return _with_references(recipe, lambda ref: ref.at(place.parent))


def check_recipe(recipe: Recipe) -> None:
    """Refuse a recipe that can't run here whatever its files hold.

    Raises
    ------
    ValueError
        Where a tool, a role, a parameter or an earlier step is not there.
    """
    if not recipe.steps:
        raise ValueError("The recipe has no steps.")
    for number, step in enumerate(recipe.steps):
        try:
            _check_step(step, number)
        except ValueError as error:
            raise ValueError(f"step {number + 1} ({step.tool}): {error}{_age(recipe)}") from None


def _check_step(step: Step, number: int) -> None:
    if step.tool not in TOOLS:
        raise ValueError(f"There is no tool {step.tool!r}; the tools are: {', '.join(TOOLS)}.")
    tool = get_tool(step.tool)
    tool.check_parameters(step.parameters)
    names = [role.name for role in tool.inputs]
    for name, refs in step.inputs.items():
        if name not in names:
            raise ValueError(f"There is no input {name!r}; the inputs are: {', '.join(names)}.")
        for ref in refs:
            if ref.step is not None and not 0 <= ref.step < number:
                raise ValueError(f"The input {name} is the result of a step that is not before it.")
    if (step.changes or step.steps is not None) and tool.session is None:
        raise ValueError(f"{tool.title} takes no steps, so nothing can change between them.")
    for change in step.changes:
        if change.role not in names:
            raise ValueError(
                f"There is no input {change.role!r} to change; the inputs are: {', '.join(names)}."
            )


def _age(recipe: Recipe) -> str:
    """Which version wrote the recipe, where it was another."""
    from napari_framewise import __version__

    wrote = recipe.versions.get("napari-framewise")
    if wrote in (None, __version__):
        return ""
    return f" The recipe was written by napari-framewise {wrote}; this is {__version__}."


def _first_problem(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it nests its values too deeply"
    problem = error.errors()[0]
    place = " > ".join(map(str, problem["loc"]))
    message = problem["msg"].removeprefix("Value error, ")
    return f"at {place}: {message[:1].lower()}{message[1:]}"


def _reference(value: Value, name: str, memory: dict[str, Value]) -> InputRef:
    if isinstance(value, RaggedStack):
        return InputRef(path=value.folder, pattern=value.origin.pattern, name=value.name)
    if not isinstance(value, Stack):
        ref = InputRef(memory=_kept(value, name, memory), name=getattr(value, "name", ""))
        if isinstance(value, (PointsResult, ShapesResult)):
            return ref.model_copy(update=description_of(value.grid.axes))
        return ref
    found = reference_to(value)
    if found is not None:
        return found
    ref = InputRef(
        memory=_kept(value.select(Selection()), value.name, memory),
        selection=value.selection,
        name=value.name,
    )
    return ref.model_copy(update=description_of(value.axes, value.rgb))


def _with_numbers(ref: InputRef, given: Valued | None) -> InputRef:
    if given is None:
        return ref
    return ref.model_copy(update={"values": given.numbers, "value_pattern": given.pattern})


def _kept(value: Value, name: str, memory: dict[str, Value]) -> str:
    """The name in `memory` of a value: its own where the same data are there already."""
    for known, other in memory.items():
        if other is value or (
            isinstance(other, Stack) and isinstance(value, Stack) and _same_data(other, value)
        ):
            return known
    unique, number = name, 1
    while unique in memory:
        number += 1
        unique = f"{name} {number}"
    memory[unique] = value
    return unique


def _same_data(one: Stack, other: Stack) -> bool:
    arrays = [getattr(each.source, "array", each.source) for each in (one, other)]
    return arrays[0] is arrays[1] and one.source.shape == other.source.shape


def _fresh(folder: Path, name: str, taken: Iterable[Path]) -> Path:
    """A place, still without a suffix, under a name that every file system takes."""
    folder.mkdir(parents=True, exist_ok=True)
    clean = re.sub(r"[^\w.-]+", "_", name).strip("._") or "input"
    stems = {path.stem.casefold() for path in taken}
    unique, number = clean, 1
    while unique.casefold() in stems:
        number += 1
        unique = f"{clean}-{number}"
    return folder / unique


def _write_value(value: Value, base: Path) -> Path:
    """Write one value; give back where."""
    if isinstance(value, Stack):
        return _write_array(value, base.with_name(f"{base.name}.npy"))
    path = base.with_name(f"{base.name}{'.npz' if isinstance(value, Model) else '.csv'}")
    if isinstance(value, Model):
        write_model(value, path)
    else:
        # A folder of images has a path, so it never waits in memory.
        assert not isinstance(value, RaggedStack)
        write_table(value if isinstance(value, Table) else table_of(value), path)
    return path


def _write_array(stack: Stack, path: Path) -> Path:
    """All of a stack's data as .npy, a few rows of the first axis at a time."""
    source = stack.source
    part = path.with_name(f".{path.name}.part")
    try:
        out = np.lib.format.open_memmap(part, "w+", source.dtype, source.shape)
        rest = tuple(slice(0, length) for length in source.shape[1:])
        row = source.dtype.itemsize * int(np.prod(source.shape[1:], dtype=np.int64))
        count = max(1, BLOCK_BYTES // max(1, row))
        for start in range(0, source.shape[0], count):
            rows = slice(start, min(start + count, source.shape[0]))
            out[rows] = source.read((rows, *rest))
        out.flush()
        del out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if stack.legend is not None:
        write_legend(stack.legend, path)
    return path


def _references(recipe: Recipe) -> Iterator[InputRef]:
    for step in recipe.steps:
        yield from step.references


def _with_kept(recipe: Recipe, change: Callable[[str], str]) -> Recipe:
    """The recipe with other names of the files that hold the values of its results."""
    results = tuple(tuple(item.with_kept(change) for item in step) for step in recipe.results)
    return recipe.model_copy(update={"results": results})


def _with_references(recipe: Recipe, change: Callable[[InputRef], InputRef]) -> Recipe:
    steps = tuple(step.with_references(change) for step in recipe.steps)
    return recipe.model_copy(update={"steps": steps})


def _filed(ref: InputRef, files: Mapping[str, Path]) -> InputRef:
    if ref.memory is None:
        return ref
    if ref.memory not in files:
        raise ValueError(
            f"{ref.memory} exists only in memory and was not given, so the recipe can't name it."
        )
    return ref.model_copy(update={"memory": None, "path": str(files[ref.memory])})


def _relative(ref: InputRef, base: Path) -> InputRef:
    """The reference with its path relative to the recipe, where it lies beside or below it."""
    if ref.path is None or not Path(ref.path).is_relative_to(base):
        return ref
    return ref.model_copy(update={"path": Path(ref.path).relative_to(base).as_posix()})
