"""The steps of a recipe, run one after the other."""

from __future__ import annotations

from collections.abc import Generator

from ..stacks.engine import Engine
from ..stacks.progress import Progress
from ..stacks.stack import Stack
from ..tools.inputs import Value
from ..tools.outcome import Outcome
from ..tools.recipe import InputRef, Recipe, Step
from ..tools.registry import get_tool
from .references import resolve


def run_steps(
    recipe: Recipe, engine: Engine
) -> Generator[Progress, None, tuple[tuple[Outcome, ...], Recipe]]:
    """Run a recipe's steps; give back their outcomes, and the recipe with what was really used.

    Frames, channels and regions that were left open stand in it as they were chosen.
    """
    outcomes: list[Outcome] = []
    steps: list[Step] = []
    for step in recipe.steps:
        tool = get_tool(step.tool)
        kinds = {role.name: role.kind for role in tool.inputs}
        inputs = tool.check_inputs(
            {
                role: [resolve(ref, kinds[role], outcomes) for ref in refs]
                for role, refs in step.inputs.items()
            }
        )
        parameters = tool.check_parameters(step.parameters)
        outcomes.append((yield from tool.run(inputs, parameters, engine)))
        used = {
            role: tuple(map(_as_used, refs, inputs[role])) for role, refs in step.inputs.items()
        }
        plain = parameters.model_dump(mode="json")
        steps.append(Step(tool=step.tool, inputs=used, parameters=plain))
    return tuple(outcomes), recipe.model_copy(update={"steps": tuple(steps)})


def _as_used(ref: InputRef, value: Value) -> InputRef:
    if not isinstance(value, Stack):
        return ref
    return ref.model_copy(update={"selection": value.selection})
