"""Recipes as Python scripts: Copy as Python."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.io.recipes.naming import text_of
from napari_framewise.io.recipes.references import TABLE_ENDINGS
from napari_framewise.stacks.stack import Selection
from napari_framewise.tools.registry import get_tool

WIDTH = 100


_GETTERS = {Kind.MODEL: "model", Kind.TABLE: "table"}


def to_python(recipe: Recipe) -> str:
    """A script that runs a recipe's steps with the public Python calls.

    Parameters that have their default are left out. An input that exists only in memory is taken
    from the napari viewer, in whose console the script runs then; once the recipe is saved it is
    taken from its file.

    Parameters
    ----------
    recipe : Recipe
        With absolute paths.

    Returns
    -------
    str
        Python source; it ends with the last step's outcome in ``outcome``.
    """
    lines = ["import napari_framewise as fw", ""]
    known: dict[str, str] = {}
    names: list[str] = []
    for number, step in enumerate(recipe.steps):
        names.append("outcome" if number == len(recipe.steps) - 1 else f"outcome_{number + 1}")
        lines += _step_lines(step, names, known)
    lines.append("print(outcome.summary)")
    return "\n".join(lines) + "\n"


def _step_lines(step: Step, names: Sequence[str], known: dict[str, str]) -> list[str]:
    """Lines of one step: its inputs opened, then the call."""
    tool = get_tool(step.tool)
    lines: list[str] = []
    arguments = [repr(step.tool)]
    for role in tool.inputs:
        values = _values(step.inputs.get(role.name, ()), role, names, known, lines)
        if values:
            given = values[0] if role.most == 1 else f"[{', '.join(values)}]"
            arguments.append(f"{role.name}={given}")
    defaults = tool.parameters().model_dump(mode="json")
    arguments += [
        f"{name}={value!r}"
        for name, value in step.parameters.items()
        if defaults.get(name) != value
    ]
    if step.changes or step.steps is not None:
        arguments.append(f"course={_course(step, names, known, lines)}")
    return [*lines, *_call(f"{names[-1]} = fw.run", arguments), ""]


def _values(
    refs: Sequence[InputRef],
    role: Input,
    names: Sequence[str],
    known: dict[str, str],
    lines: list[str],
) -> list[str]:
    """Variables that hold what references name; lines that fill them are added."""
    values = []
    for number, ref in enumerate(refs, 1):
        source = _expression(ref, role, names)
        if source not in known:
            wanted = role.name if role.most == 1 else f"{role.name}_{number}"
            known[source] = _fresh(wanted, known.values())
            lines += _assignment(known[source], source, ref)
        values.append(_valued(known[source], ref))
    return values


def _course(step: Step, names: Sequence[str], known: dict[str, str], lines: list[str]) -> str:
    """How a steered step went, as an expression."""
    roles = {role.name: role for role in get_tool(step.tool).inputs}
    changes = []
    for change in step.changes:
        if any(ref.memory is not None for ref in change.values):
            raise ValueError(
                f"What {change.role} was changed to after step {change.step} exists only in "
                "memory; save the recipe first, which writes it to a file, then copy the script."
            )
        values = _values(change.values, roles[change.role], names, known, lines)
        changes.append(f"fw.Change({change.step}, {change.role!r}, [{', '.join(values)}])")
    arguments = [f"[{', '.join(changes)}]"] if changes else []
    if step.steps is not None:
        arguments.append(f"steps={step.steps}")
    return _joined("fw.Course", arguments)


def _valued(name: str, ref: InputRef) -> str:
    """An input with its numbers, where it has any."""
    return name if ref.values is None else _joined("fw.valued", [name, *map(repr, ref.values)])


def _assignment(name: str, source: str, ref: InputRef) -> list[str]:
    if ref.memory is None:
        return [f"{name} = {source}"]
    note = "# Only in napari: run this in its console, or save the recipe and copy it from there."
    return [note, f"{name} = {source}"]


def _expression(ref: InputRef, role: Input, names: Sequence[str]) -> str:
    """Source of an input."""
    place = _place(ref, role, names)
    if not _is_image(ref, role) or ref.step is not None:
        return place
    if ref.axes is not None:
        data = place if ref.memory is not None else f"{place}.source"
        place = _joined("fw.stack_of", [data, *_axes_arguments(ref)])
    chosen = _selection_arguments(ref.selection)
    if chosen:
        place = f"{place}.select(fw.Selection({', '.join(chosen)}))"
    return place


def _is_image(ref: InputRef, role: Input) -> bool:
    """Whether a reference is to an image: a role may take others as well."""
    ending = Path(ref.path or "").suffix.lower()
    model = Kind.MODEL in role.kinds and ending in (".npz", ".flo")
    return role.images and ending not in TABLE_ENDINGS and not model


def _place(ref: InputRef, role: Input, names: Sequence[str]) -> str:
    if ref.memory is not None:
        return f"viewer.layers[{ref.name or ref.memory!r}].data"
    if ref.step is not None:
        getter = _GETTERS.get(role.kinds[0], "layer")
        return f"{names[ref.step]}.{getter}({repr(ref.item) if ref.item else ''})"
    if ref.sample is not None:
        return f"fw.open_input({text_of(ref)!r})"
    whole_folder = Kind.IMAGES in role.kinds and not (ref.key or ref.pattern)
    if whole_folder or not _is_image(ref, role):
        kinds = [kind.value for kind in role.kinds]
        return f"fw.open_input({ref.path!r}, {(kinds if len(kinds) > 1 else kinds[0])!r})"
    options = [f"{name}={value!r}" for name in ("key", "pattern") if (value := getattr(ref, name))]
    return _joined("fw.open_stack", [repr(ref.path), *options])


def _axes_arguments(ref: InputRef) -> list[str]:
    fields = ("axes", "scale", "translate", "units", "rgb")
    return [f"{name}={value!r}" for name in fields if (value := getattr(ref, name)) is not None]


def _selection_arguments(selection: Selection) -> list[str]:
    return [f"{name}={value!r}" for name, value in vars(selection).items() if value is not None]


def _joined(function: str, arguments: Sequence[Any]) -> str:
    return f"{function}({', '.join(map(str, arguments))})"


def _call(function: str, arguments: Sequence[str]) -> list[str]:
    line = _joined(function, arguments)
    if len(line) <= WIDTH:
        return [line]
    return [f"{function}(", *(f"    {argument}," for argument in arguments), ")"]


def _fresh(wanted: str, taken: Any) -> str:
    """A variable's name that is not taken."""
    name = re.sub(r"\W", "_", wanted)
    name = f"{name}_" if keyword.iskeyword(name) or not name.isidentifier() else name
    candidate, number = name, 1
    while candidate in {*taken, "fw", "viewer", "outcome"}:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
