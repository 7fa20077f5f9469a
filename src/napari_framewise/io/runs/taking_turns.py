"""The inputs of a batch, each in turn in the place of the recipe's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.io.recipes.naming import output_names, text_of
from napari_framewise.tools.registry import get_tool


def batch_refs(step: Step) -> tuple[InputRef, ...]:
    """References of the role that a batch runs over."""
    roles = get_tool(step.tool).inputs
    return step.inputs.get(roles[0].name, ()) if roles else ()


def input_sets(recipe: Recipe, inputs: Sequence[InputRef]) -> list[tuple[InputRef, ...]]:
    """The inputs of each run."""
    tool = get_tool(recipe.steps[0].tool)
    if not tool.inputs:
        if inputs:
            raise ValueError(f"{tool.title} takes no inputs, but {text_of(inputs[0])} was given.")
        return [()]
    role = tool.inputs[0]
    own = batch_refs(recipe.steps[0])
    if not inputs and not own:
        raise ValueError(f"{role.title}: nothing was given; it takes {role.wanted}.")
    if role.most > 1 or not inputs:
        return [tuple(inputs) or own]
    return [(ref,) for ref in inputs]


def on_inputs(recipe: Recipe, refs: tuple[InputRef, ...], name: str) -> Recipe:
    """The recipe with other inputs in place of those that it was made with."""
    before = batch_refs(recipe.steps[0])
    if refs == before and all(ref.name for ref in refs):
        return recipe
    after = tuple(
        _in_place_of(before[0] if before else ref, ref, name if len(refs) == 1 else ref.name)
        for ref in refs
    )
    steps = []
    for number, step in enumerate(recipe.steps):
        follows = number == 0 or list(map(text_of, batch_refs(step))) == list(map(text_of, before))
        if follows:
            role = get_tool(step.tool).inputs[0].name
            step = step.model_copy(update={"inputs": {**step.inputs, role: after}})
        steps.append(step.with_references(partial(_renamed, _names_of(before), _names_of(after))))
    return recipe.model_copy(update={"steps": tuple(steps)})


def _in_place_of(old: InputRef, new: InputRef, name: str) -> InputRef:
    """A new input with the choices and the names of the axes that the old one had.

    Its scale is its own.
    """
    frames = new.selection.frames or old.selection.frames
    return new.model_copy(
        update={
            "selection": replace(old.selection, frames=frames),
            "key": new.key or old.key,
            "pattern": new.pattern or old.pattern,
            "axes": old.axes,
            "rgb": old.rgb,
            "name": name,
            # Every frame has its number, as before; an image's number is its own.
            "values": new.values or _of_frames(old),
            "value_pattern": new.value_pattern or old.value_pattern,
        }
    )


def _names_of(refs: tuple[InputRef, ...]) -> tuple[str, ...]:
    """What the inputs are called, in the names of layers that a tool makes of them as well."""
    return tuple(ref.name or output_names([ref])[0] for ref in refs)


def _renamed(before: tuple[str, ...], after: tuple[str, ...], ref: InputRef) -> InputRef:
    """A reference to an earlier result that is named after an input, with the new one's name."""
    if ref.step is None or len(before) != len(after):
        return ref
    item = ref.item
    for old, new in zip(before, after, strict=True):
        if item.startswith(f"{old} "):
            item = f"{new}{item.removeprefix(old)}"
        elif item.endswith(f" of {old}"):
            item = f"{item.removesuffix(old)}{new}"
    return ref.model_copy(update={"item": item})


def _of_frames(old: InputRef) -> tuple[float, ...] | None:
    typed = old.value_pattern is None and len(old.values or ()) > 1
    return old.values if typed else None
