"""The steps of a recipe, run one after the other."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.framework.inputs import Inputs, Value
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.framework.session import Change, Course
from napari_framewise.framework.valued import Valued
from napari_framewise.io.formats.guessing import GUESSES
from napari_framewise.io.recipes.references import resolve, resolve_input
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.registry import get_tool


def run_steps(
    recipe: Recipe, engine: Engine
) -> Generator[Progress | Partial, None, tuple[tuple[Outcome, ...], Recipe]]:
    """Run a recipe's steps; give back their outcomes, and the recipe with what was really used.

    Frames, channels and regions that were left open stand in it as they were chosen.
    """
    outcomes: list[Outcome] = []
    steps: list[Step] = []
    for step in recipe.steps:
        tool = get_tool(step.tool)
        kinds = {role.name: role.kinds for role in tool.inputs}
        inputs = tool.check_inputs(
            {
                role: [resolve_input(ref, kinds[role], outcomes) for ref in refs]
                for role, refs in step.inputs.items()
            }
        )
        parameters = tool.check_parameters(step.parameters)
        course = Course(
            tuple(
                Change(
                    change.step,
                    change.role,
                    tuple(resolve(ref, kinds[change.role], outcomes) for ref in change.values),
                )
                for change in step.changes
            ),
            step.steps,
        )
        outcome = yield from tool.start(inputs, parameters, engine, course)
        told = (*outcome.diagnostics, *_remarks(inputs))
        outcomes.append(replace(outcome, diagnostics=told))
        used = {
            role: tuple(map(_as_used, refs, inputs[role], inputs.numbers_given(role)))
            for role, refs in step.inputs.items()
        }
        plain = parameters.model_dump(mode="json")
        steps.append(step.model_copy(update={"inputs": used, "parameters": plain}))
    return tuple(outcomes), recipe.model_copy(update={"steps": tuple(steps)})


def _remarks(inputs: Inputs) -> tuple[str, ...]:
    """What is missing in the files that a step read, each once; guesses stand with the stack."""
    stacks = (value for values in inputs.values() for value in values if isinstance(value, Stack))
    said = ((each.name, remark) for each in stacks for remark in each.remarks)
    return tuple(dict.fromkeys(f"{name}: {text}" for name, text in said if text not in GUESSES))


def _as_used(ref: InputRef, value: Value, given: Valued | None) -> InputRef:
    if given is not None:
        ref = ref.model_copy(update={"values": given.numbers})
    if not isinstance(value, Stack):
        return ref
    return ref.model_copy(update={"selection": value.selection})
