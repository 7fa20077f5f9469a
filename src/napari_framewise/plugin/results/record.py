"""What a finished run was made of, so that it can be told, saved and done again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from napari.layers import Layer

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.framework.inputs import Inputs, Value
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.recipe import Recipe, versions
from napari_framewise.framework.session import Course
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.io.recipes.files import along, step_of
from napari_framewise.stacks.stack import Stack


@dataclass(frozen=True, eq=False)
class Record:
    """One run: the tool, what went in and what came out.

    Attributes
    ----------
    layers : mapping
        The layers that the inputs were read from, by role; some may be gone by now.
    memory : dict
        Inputs that no file stands behind, by the name that the recipe has for them.
    unfinished : bool
        It was stopped before its end.
    """

    tool: Tool[Any]
    inputs: Inputs
    parameters: Parameters
    layers: Mapping[str, list[Layer]]
    outcome: Outcome
    recipe: Recipe
    memory: dict[str, Value] = field(default_factory=dict)
    unfinished: bool = False

    @classmethod
    def of(
        cls,
        tool: Tool[Any],
        inputs: Inputs,
        parameters: Parameters,
        layers: Mapping[str, list[Layer]],
        outcome: Outcome,
    ) -> Record:
        """The record of a run; files and samples that stand behind its inputs are looked up."""
        memory: dict[str, Value] = {}
        step = step_of(tool, inputs, parameters, memory)
        recipe = Recipe(steps=(step,), versions=versions())
        return cls(tool, inputs, parameters, layers, outcome, recipe, memory)

    def along(self, course: Course, outcome: Outcome) -> Record:
        """The record of a steered run that went so, and has come to an outcome."""
        memory = dict(self.memory)
        (step,) = self.recipe.steps
        recipe = self.recipe.model_copy(update={"steps": (along(step, course, memory),)})
        return replace(self, outcome=outcome, recipe=recipe, memory=memory)

    @property
    def first_values(self) -> tuple[Value, ...]:
        """What stood in the tool's first role."""
        return self.inputs[self.tool.inputs[0].name] if self.tool.inputs else ()

    @property
    def stack(self) -> Stack | None:
        """The stack whose frames the rows of tables are, if the tool takes one."""
        first = next(iter(self.first_values), None)
        return first if isinstance(first, Stack) else None

    @property
    def stack_layer(self) -> Layer | None:
        """The layer of that stack."""
        return self.layer_of(self.tool.inputs[0].name) if self.tool.inputs else None

    def layer_of(self, role: str | None) -> Layer | None:
        """The layer that stood in a role."""
        return next(iter(self.layers.get(role or "", ())), None)

    def provenance(self) -> dict[str, Any]:
        """Tool, version, parameters and inputs, as plain values for a layer's metadata."""
        told = {"tool": self.tool.name, "recipe": self.recipe.model_dump(mode="json")}
        return told | ({"unfinished": True} if self.unfinished else {})

    def methods(self) -> str:
        """Sentence for the methods part of a paper, with its sources."""
        sentence = self.tool.methods(self.inputs, self.parameters)
        made = f"napari-framewise {self.recipe.versions['napari-framewise']}"
        sources = "".join(f"\n- {each}" for each in self.tool.citations)
        return f"{sentence} Computed with {made}." + (f"\n\nSources:{sources}" if sources else "")


@dataclass(frozen=True, eq=False)
class RecordSoFar(Partial):
    """What a run has so far, with the record that it would have."""

    record: Record

    def stopped(self) -> Record:
        """The record where the run ends here."""
        note = "Stopped before its end: this is what there was so far."
        outcome = replace(self.outcome, diagnostics=(*self.outcome.diagnostics, note))
        return replace(self.record, outcome=outcome, unfinished=True)


def recorded(
    tool: Tool[Any],
    inputs: Inputs,
    parameters: Parameters,
    layers: Mapping[str, list[Layer]],
    engine: Callable[[], Engine],
    folder: str | None = None,
) -> Generator[Progress | Partial, None, Record]:
    """Run a tool; give back its record. All of it happens in the thread that drives it.

    What memory does not hold is written to `folder`.
    """
    record = Record.of(tool, inputs, parameters, layers, Outcome())
    where = engine()
    if folder is not None:
        # What no file stands behind may be another the next time.
        named = "" if record.memory else record.recipe.model_dump_json()
        where = where.writing_to(
            folder, hashlib.sha256(named.encode()).hexdigest() if named else ""
        )
    run: Run = tool.run(inputs, parameters, where)
    with closing(run):
        while True:
            try:
                report = next(run)
            except StopIteration as end:
                return replace(record, outcome=end.value)
            if isinstance(report, Partial):
                report = RecordSoFar(report.outcome, replace(record, outcome=report.outcome))
            yield report
