from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import everything, toolbox
from tests.helpers.recipes import add_tools, everything_on, write_frames

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.framework.inputs import Value
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.io.formats.models import write_model
from napari_framewise.io.opening import open_stack
from napari_framewise.io.recipes.files import save_recipe, step_of
from napari_framewise.io.recipes.scripts import to_python
from napari_framewise.io.runs.steps import run_steps
from napari_framewise.stacks.stack import Selection, stack_of


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tools(monkeypatch)


def executed(script: str, **names: Any) -> Outcome:
    scope = dict(names)
    exec(compile(script, "<script>", "exec"), scope)
    outcome = scope["outcome"]
    assert isinstance(outcome, Outcome)
    return outcome


def means(outcome: Outcome) -> Any:
    return outcome.table("means").columns["mean"]


def run_of(recipe: Recipe) -> Outcome:
    outcomes, _ = finish(run_steps(recipe, Engine.local(1)), lambda _: None)
    return outcomes[-1]


def test_a_script_gives_the_same_numbers(tmp_path: Path) -> None:
    write_frames(tmp_path / "my cells.npy", n=6)
    recipe = everything_on(tmp_path / "my cells.npy", factor=0.1)
    script = to_python(recipe)
    assert script == (
        "import napari_framewise as fw\n"
        "\n"
        f"stack = fw.open_stack({str(tmp_path / 'my cells.npy')!r})\n"
        "outcome = fw.run('everything', stack=stack, factor=0.1)\n"
        "\n"
        "print(outcome.summary)\n"
    )
    np.testing.assert_array_equal(means(executed(script)), means(run_of(recipe)))


def test_what_was_chosen_is_in_the_script(tmp_path: Path) -> None:
    write_frames(tmp_path / "cells.npy", n=6)
    write_model(
        toolbox.Translation(*[Space("a", (2, 2), (1.0, 1.0), ("s", "s"))] * 2, np.zeros((3, 2))),
        tmp_path / "model.npz",
    )
    selection = Selection(frames=(0, 5, 2), region=((1, 4), (0, 3)))
    opened = open_stack(tmp_path / "cells.npy").select(selection)
    stack = stack_of(
        opened.source,
        axes=("t", "y", "x"),
        scale=(0.5, 2.0, 2.0),
        name="renamed",
        selection=selection,
        origin=opened.origin,
    )
    inputs = everything.TOOL.check_inputs({"stack": stack})
    step = step_of(everything.TOOL, inputs, everything.TOOL.check_parameters({}), {})
    model = InputRef(path=str(tmp_path / "model.npz"))
    recipe = Recipe(steps=(step.model_copy(update={"inputs": {**step.inputs, "model": (model,)}}),))
    outcome = executed(to_python(recipe))
    np.testing.assert_array_equal(means(outcome), means(run_of(recipe)))
    assert "inputs [1, 0, 0, 0]" in outcome.summary
    image = outcome.layers[1]
    assert [axis.scale for axis in image.grid.axes] == [1.0, 2.0, 2.0]


def test_steps_and_samples_are_in_the_script(tmp_path: Path) -> None:
    few = Selection(frames=(0, 4, 1))
    first = Step(
        tool="everything",
        inputs={"stack": (InputRef(sample="two_references", name="s", selection=few),)},
    )
    second = Step(
        tool="everything",
        inputs={
            "stack": (InputRef(step=0, item="doubled", selection=few),),
            "model": (InputRef(step=0),),
            "table": (InputRef(step=0, item="totals"),),
            "points": (InputRef(step=0, item="spots"),),
        },
        parameters={"factor": 3.0, "crash": False},
    )
    recipe = Recipe(steps=(first, second))
    outcome = executed(to_python(recipe))
    np.testing.assert_array_equal(means(outcome), means(run_of(recipe)))


def test_a_long_call_has_a_line_for_each_argument() -> None:
    refs = {
        "stack": (InputRef(path="/s.tif"),),
        "references": (InputRef(path="/a.tif"), InputRef(path="/b.tif")),
    }
    parameters = {"constraint": "fully_constrained", "lowest": [0.25, 0.125], "offset": False}
    recipe = Recipe(steps=(Step(tool="mixing", inputs=refs, parameters=parameters),))
    assert to_python(recipe).splitlines()[5:] == [
        "outcome = fw.run(",
        "    'mixing',",
        "    stack=stack,",
        "    references=[references_1, references_2],",
        "    constraint='fully_constrained',",
        "    lowest=[0.25, 0.125],",
        ")",
        "",
        "print(outcome.summary)",
    ]


def test_memory_is_taken_from_the_viewer_until_the_recipe_is_saved(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(3, 5, 6))
    stack = stack_of(
        data, axes=("t", "y", "x"), name="painted", selection=Selection(frames=(1, 3, 1))
    )
    memory: dict[str, Value] = {}
    inputs = everything.TOOL.check_inputs({"stack": stack})
    step = step_of(everything.TOOL, inputs, everything.TOOL.check_parameters({}), memory)
    recipe = Recipe(steps=(step,))

    class Layer:
        def __init__(self, data: Any) -> None:
            self.data = data

    class Viewer:
        layers = {"painted": Layer(data)}  # noqa: RUF012

    script = to_python(recipe)
    assert "# Only in napari" in script
    expected = 2.0 * data[1:].mean(axis=(1, 2))
    np.testing.assert_allclose(means(executed(script, viewer=Viewer())), expected)
    saved = to_python(save_recipe(recipe, tmp_path / "r.json", memory))
    assert "viewer" not in saved
    np.testing.assert_allclose(means(executed(saved)), expected)


def test_a_script_runs_by_itself_and_never_loads_napari(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    images = rng.uniform(100, 1000, (2, 8, 8))
    shares = rng.uniform(0.2, 0.8, (5, 1, 1))
    frames = shares * images[0] + (1 - shares) * images[1]
    np.save(tmp_path / "s.npy", frames)
    refs = []
    for number, image in enumerate(images):
        np.save(tmp_path / f"{number}.npy", image)
        refs.append(InputRef(path=str(tmp_path / f"{number}.npy")))
    inputs = {"stack": (InputRef(path=str(tmp_path / "s.npy")),), "references": tuple(refs)}
    script = to_python(Recipe(steps=(Step(tool="mixing", inputs=inputs),)))
    script += "import sys\nassert 'napari' not in sys.modules and 'qtpy' not in sys.modules\n"
    script += "print(*outcome.table('mixing').columns['x1'])\n"
    (tmp_path / "script.py").write_text(script)
    run = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True
    )
    numbers = [float(word) for word in run.stdout.splitlines()[-1].split()]
    np.testing.assert_allclose(numbers, shares.ravel(), atol=1e-9)
