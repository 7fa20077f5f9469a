"""The steps of a recipe, run one after the other."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Notice, Progress
from napari_framewise.framework.inputs import Inputs, Value
from napari_framewise.framework.on_disk import check_folder
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
    recipe: Recipe, engine: Engine, memory: Mapping[str, Value] | None = None
) -> Generator[Progress | Partial | Notice, None, tuple[tuple[Outcome, ...], Recipe]]:
    """Run a recipe's steps; give back their outcomes, and the recipe with what was really used.

    Frames, channels and regions that were left open stand in it as they were chosen. `memory`
    holds the inputs that exist only in memory, by the name that their references have for them.
    """
    outcomes: list[Outcome] = []
    steps: list[Step] = []
    for number, step in enumerate(recipe.steps, 1):
        here = engine
        if engine.folder is not None:
            folder = engine.folder
            here = engine.writing_to(folder.path / f"step {number}", folder.fingerprint)
        outcome, used = yield from _run_step(step, here, outcomes, memory or {})
        outcomes.append(outcome)
        steps.append(used)
    return tuple(outcomes), recipe.model_copy(update={"steps": tuple(steps)})


def run_step(
    recipe: Recipe,
    number: int,
    engine: Engine,
    earlier: dict[int, Outcome],
    memory: Mapping[str, Value] | None = None,
) -> Generator[Progress | Partial | Notice, None, Outcome]:
    """Run one step of a recipe alone.

    Parameters
    ----------
    recipe : Recipe
        With absolute paths.
    number : int
        Of the step, from 0.
    engine : Engine
        Where it runs.
    earlier : dict
        Outcomes of other steps; those that this one needs and that are not there are run first,
        and put there. This step's outcome is put there too.
    memory : mapping, optional
        As `run_steps` takes it.
    """
    step = recipe.steps[number]
    needed = {ref.step for refs in step.inputs.values() for ref in refs} - {None}
    for before in sorted(each for each in needed if each is not None and each not in earlier):
        yield from run_step(recipe, before, engine, earlier, memory)
    results = [earlier.get(each, Outcome()) for each in range(number)]
    earlier[number], _ = yield from _run_step(step, engine, results, memory or {})
    return earlier[number]


def _run_step(
    step: Step, engine: Engine, results: Sequence[Outcome], memory: Mapping[str, Value]
) -> Generator[Progress | Partial | Notice, None, tuple[Outcome, Step]]:
    """Run a step on the results of those before it; its outcome, and itself as it was run."""
    tool = get_tool(step.tool)
    kinds = {role.name: role.kinds for role in tool.inputs}

    given = {
        role: [
            _kept(ref, memory)
            if _is_kept(ref, memory)
            else resolve_input(ref, kinds[role], results)
            for ref in refs
        ]
        for role, refs in step.inputs.items()
    }
    inputs = tool.check_inputs(given)
    parameters = tool.check_parameters(step.parameters)
    course = Course(
        tuple(
            Change(
                change.step,
                change.role,
                tuple(
                    _kept(ref, memory)
                    if _is_kept(ref, memory)
                    else resolve(ref, kinds[change.role], results)
                    for ref in change.values
                ),
            )
            for change in step.changes
        ),
        step.steps,
    )
    check_folder(tool, inputs, parameters, engine, "choose a folder for the output")
    yield from map(Notice, tool.warnings(inputs, parameters, engine))
    outcome = yield from tool.start(inputs, parameters, engine, course)
    told = (*outcome.diagnostics, *_remarks(inputs))
    outcome = replace(outcome, diagnostics=told)
    used = {
        role: tuple(map(_as_used, refs, inputs[role], inputs.numbers_given(role)))
        for role, refs in step.inputs.items()
    }
    plain = parameters.model_dump(mode="json")
    return outcome, step.model_copy(update={"inputs": used, "parameters": plain})


def _is_kept(ref: InputRef, memory: Mapping[str, Value]) -> bool:
    return ref.memory is not None and ref.memory in memory


def _kept(ref: InputRef, memory: Mapping[str, Value]) -> Value:
    """An input that exists only in memory, with what was chosen of it."""
    value = memory[ref.memory or ""]
    return value.select(ref.selection) if isinstance(value, Stack) else value


def _remarks(inputs: Inputs) -> tuple[str, ...]:
    """What is missing in the files that a step read, each once; guesses stand with the stack."""
    stacks = (value for values in inputs.values() for value in values if isinstance(value, Stack))
    said = ((each.name, remark) for each in stacks for remark in each.notes)
    return tuple(dict.fromkeys(f"{name}: {text}" for name, text in said if text not in GUESSES))


def _as_used(ref: InputRef, value: Value, given: Valued | None) -> InputRef:
    if given is not None:
        ref = ref.model_copy(update={"values": given.numbers})
    if not isinstance(value, Stack):
        return ref
    return ref.model_copy(update={"selection": value.selection})
