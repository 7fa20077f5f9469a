from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import everything
from tests.helpers.recipes import add_tools, everything_on, write_frames
from tests.helpers.toolbox import Translation

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.framework.inputs import Inputs, Kind, Value
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import Outcome, PointsResult, ShapesResult, Table
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.io.formats.coordinates import default_placing
from napari_framewise.io.opening import open_stack
from napari_framewise.io.recipes.files import check_recipe, load_recipe, save_recipe, step_of
from napari_framewise.io.recipes.references import open_input, reference_to, resolve, sample
from napari_framewise.io.runs.steps import run_steps
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import Selection, Stack, stack_of

TOOL = everything.TOOL
SPACE = Space("a", (5, 6), (1.0, 1.0), ("pixel", "pixel"))
DEFAULTS = TOOL.check_parameters({})


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tools(monkeypatch)


def recorded(inputs: dict[str, Any]) -> tuple[Recipe, dict[str, Value]]:
    memory: dict[str, Value] = {}
    step = step_of(TOOL, Inputs(TOOL.inputs, inputs), DEFAULTS, memory)
    return Recipe(steps=(step,)), memory


def ran(recipe: Recipe) -> Outcome:
    (outcome,), _ = finish(run_steps(recipe, Engine.local(1)), lambda _: None)
    return outcome


def stack_in(recipe: Recipe, role: str = "stack", kind: Kind = Kind.STACK) -> Stack:
    value = resolve(recipe.steps[0].inputs[role][0], kind)
    assert isinstance(value, Stack)
    return value


# -- what is on disk ---------------------------------------------------------------------------


def test_a_file_is_named_with_what_was_chosen_of_it(tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "cells.npy")
    selection = Selection(frames=(1, 4, 2), region=((1, 3), (2, 5)))
    recipe, memory = recorded({"stack": open_stack(tmp_path / "cells.npy").select(selection)})
    assert memory == {}
    save_recipe(recipe, tmp_path / "r.json")
    again = load_recipe(tmp_path / "r.json")
    assert again.steps == recipe.steps
    np.testing.assert_array_equal(stack_in(again).read(0, 2), frames[1:4:2, 1:3, 2:5])


def test_all_parameters_are_recorded() -> None:
    recipe, _ = recorded({"stack": stack_of(np.zeros((2, 5, 6)))})
    assert recipe.steps[0].parameters == {"factor": 2.0, "crash": False}


def test_axes_are_named_only_where_the_user_changed_them(tmp_path: Path) -> None:
    write_frames(tmp_path / "cells.npy")
    opened = open_stack(tmp_path / "cells.npy")
    ref = reference_to(opened)
    assert ref is not None
    assert ref.axes is None
    renamed = stack_of(
        opened.source, axes=("z", "y", "x"), scale=(2.0, 1.0, 1.0), origin=opened.origin
    )
    ref = reference_to(renamed)
    assert ref is not None
    assert (ref.axes, ref.scale, ref.units) == (("z", "y", "x"), (2.0, 1.0, 1.0), ("pixel",) * 3)
    value = resolve(ref, Kind.STACK)
    assert isinstance(value, Stack)
    assert value.axes == renamed.axes


def test_a_recipe_can_be_moved_with_its_data(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    frames = write_frames(there / "data" / "cells.npy")
    save_recipe(everything_on(there / "data" / "cells.npy"), there / "r.json")
    assert json.loads((there / "r.json").read_text())["steps"][0]["inputs"]["stack"] == [
        {"path": "data/cells.npy", "name": "cells"}
    ]
    shutil.move(there, here)
    np.testing.assert_array_equal(stack_in(load_recipe(here / "r.json")).frame(0), frames[0])


def test_data_elsewhere_are_named_absolutely(tmp_path: Path) -> None:
    write_frames(tmp_path / "data" / "cells.npy")
    (tmp_path / "recipes").mkdir()
    written = save_recipe(
        everything_on(tmp_path / "data" / "cells.npy"), tmp_path / "recipes" / "r.json"
    )
    moved = shutil.move(tmp_path / "recipes" / "r.json", tmp_path / "r.json")
    assert load_recipe(moved) == written


# -- what is in memory -------------------------------------------------------------------------


def test_what_is_only_in_memory_is_written_beside_the_recipe(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    data = rng.normal(size=(3, 4, 5, 6)).astype(">f4")
    stack = stack_of(
        data,
        axes=("t", "z", "y", "x"),
        scale=(0.5, 3.0, 0.1, 0.1),
        translate=(0.0, 1.0, 0.0, 0.0),
        units=("s", "um", "um", "um"),
        name="painted by hand/2",
        selection=Selection(frames_along=(0, 1), frames=(2, 9, 3)),
    )
    marks = stack_of(rng.integers(0, 2, (5, 6)).astype(bool), name="marks")
    recipe, memory = recorded({"stack": stack, "marks": marks})
    assert set(memory) == {"painted by hand/2", "marks"}
    expected = ran_live(stack)

    written = save_recipe(recipe, tmp_path / "r.json", memory)
    assert load_recipe(tmp_path / "r.json") == written
    assert {path.name for path in (tmp_path / "r.inputs").iterdir()} == {
        "painted_by_hand_2.npy",
        "marks.npy",
    }
    again = stack_in(written)
    assert (again.axes, again.name, again.selection) == (stack.axes, stack.name, stack.selection)
    assert again.dtype == data.dtype
    np.testing.assert_array_equal(again.read(0, 3), stack.read(0, 3))
    np.testing.assert_array_equal(stack_in(written, "marks", Kind.LABELS).frame(0), marks.frame(0))
    np.testing.assert_array_equal(ran(written).table("means").columns["mean"], expected)


def ran_live(stack: Stack) -> Any:
    run = TOOL.run(Inputs(TOOL.inputs, {"stack": stack}), DEFAULTS, Engine.local(1))
    return finish(run, lambda _: None).table("means").columns["mean"]


def test_frames_of_the_same_data_are_written_once(tmp_path: Path) -> None:
    data = np.arange(120.0).reshape(4, 5, 6)
    stack = stack_of(data, name="cells")
    marks = stack.select(Selection(frames=(2, 3, 1)))
    recipe, memory = recorded({"stack": stack, "marks": marks})
    assert list(memory) == ["cells"]
    written = save_recipe(recipe, tmp_path / "r.json", memory)
    np.testing.assert_array_equal(stack_in(written, "marks", Kind.LABELS).frame(0), data[2])


def test_other_data_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    first, second = np.zeros((2, 5, 6)), np.ones((5, 6))
    recipe, memory = recorded(
        {"stack": stack_of(first, name="a b"), "marks": stack_of(second, name="a b")}
    )
    assert len(memory) == 2
    written = save_recipe(recipe, tmp_path / "r.json", memory)
    assert stack_in(written, "marks", Kind.LABELS).frame(0).all()
    assert not stack_in(written).frame(0).any()


def test_names_that_one_file_would_share_are_told_apart(tmp_path: Path) -> None:
    recipe, memory = recorded(
        {
            "stack": stack_of(np.zeros((2, 5, 6)), name="a/b"),
            "marks": stack_of(np.ones((5, 6)), name="a:b"),
        }
    )
    written = save_recipe(recipe, tmp_path / "r.json", memory)
    assert stack_in(written, "marks", Kind.LABELS).frame(0).all()
    assert not stack_in(written).frame(0).any()


def test_models_points_shapes_and_tables_are_written_too(tmp_path: Path) -> None:
    points = PointsResult("spots", np.array([[0.0, 1.5], [2.0, 3.0]]), default_placing(2))
    axes = (Axis("y", 0.1, 0.0, "um"), Axis("x", 0.1, 0.0, "um"))
    shapes = ShapesResult("cells", [np.zeros((3, 2))], Grid(axes), "polygon")
    table = Table("landmarks", "landmark", {"landmark": [0, 1], "x": [0.5, np.nan]})
    model = Translation(SPACE, SPACE, np.array([[1.0, 2.0]]))
    recipe, memory = recorded(
        {
            "stack": stack_of(np.zeros((2, 5, 6))),
            "points": points,
            "shapes": shapes,
            "table": table,
            "model": model,
        }
    )
    written = save_recipe(recipe, tmp_path / "r.json", memory)
    refs = {
        role: refs[0] for role, refs in load_recipe(tmp_path / "r.json").steps[0].inputs.items()
    }
    again = resolve(refs["points"], Kind.POINTS)
    assert isinstance(again, PointsResult)
    np.testing.assert_array_equal(again.data, points.data)
    outlines = resolve(refs["shapes"], Kind.SHAPES)
    assert isinstance(outlines, ShapesResult)
    assert outlines.grid.axes == axes
    numbers = resolve(refs["table"], Kind.TABLE)
    assert isinstance(numbers, Table)
    assert numbers.entity == "landmark"
    np.testing.assert_array_equal(numbers.columns["x"], [0.5, np.nan])
    fitted = resolve(refs["model"], Kind.MODEL)
    assert isinstance(fitted, Translation)
    assert "inputs [1, 1, 1, 1], points [2]" in ran(written).summary


def test_memory_that_was_not_saved_is_named(tmp_path: Path) -> None:
    recipe, memory = recorded({"stack": stack_of(np.zeros((2, 5, 6)), name="painted")})
    with pytest.raises(ValueError, match="painted exists only in memory; save the recipe"):
        stack_in(recipe)
    with pytest.raises(ValueError, match="painted exists only in memory and was not given"):
        save_recipe(recipe, tmp_path / "r.json", {})
    assert not (tmp_path / "r.json").exists()
    save_recipe(recipe, tmp_path / "r.json", memory)


# -- samples and steps -------------------------------------------------------------------------


def test_a_sample_is_named_and_made_again() -> None:
    parts = dict(sample("two_references").stacks)
    stack = open_input("sample:two_references/reference-1")
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(stack.frame(0), parts["reference 1"].frame(0))
    ref = reference_to(stack)
    assert ref is not None
    assert (ref.sample, ref.item, ref.path, ref.axes) == (
        "two_references",
        "reference 1",
        None,
        None,
    )


def test_samples_that_are_not_there_are_named() -> None:
    with pytest.raises(ValueError, match="There is no sample 'moon'; the samples are: two_refer"):
        sample("moon")
    with pytest.raises(ValueError, match="The sample two_references has no 'moon'; it has: stack"):
        open_input("sample:two_references/moon")


def test_a_step_takes_results_of_earlier_ones(tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "cells.npy")
    first = everything_on(tmp_path / "cells.npy").steps[0]
    second = Step(
        tool="everything",
        inputs={
            "stack": (InputRef(step=0, item="doubled", selection=Selection(frames=(1, 3, 1))),),
            "model": (InputRef(step=0),),
            "points": (InputRef(step=0, item="spots"),),
            "shapes": (InputRef(step=0, item="outlines"),),
            "table": (InputRef(step=0, item="totals"),),
        },
        parameters={"factor": 10.0},
    )
    save_recipe(Recipe(steps=(first, second)), tmp_path / "r.json")
    loaded = load_recipe(tmp_path / "r.json")
    (_, outcome), _ = finish(run_steps(loaded, Engine.local(1)), lambda _: None)
    assert "inputs [1, 1, 1, 1]" in outcome.summary
    np.testing.assert_allclose(
        outcome.table("means").columns["mean"], 20.0 * frames[1:3].mean(axis=(1, 2))
    )


def test_a_result_that_no_step_gave_is_named(tmp_path: Path) -> None:
    write_frames(tmp_path / "cells.npy")
    first = everything_on(tmp_path / "cells.npy").steps[0]
    second = Step(tool="everything", inputs={"stack": (InputRef(step=0, item="tripled"),)})
    with pytest.raises(ValueError, match="The layer 'tripled' was asked for; the layers are: "):
        finish(run_steps(Recipe(steps=(first, second)), Engine.local(1)), lambda _: None)


def test_what_was_really_used_is_said(tmp_path: Path) -> None:
    write_frames(tmp_path / "cells.npy")
    write_frames(tmp_path / "marks.npy", n=1)
    (step,) = everything_on(tmp_path / "cells.npy").steps
    selection = Selection(frames=(1, 10**9, 2), region=((0, 4), (1, 5)))
    stack = step.inputs["stack"][0].model_copy(update={"selection": selection})
    marks = InputRef(path=str(tmp_path / "marks.npy"))
    inputs = {"stack": (stack,), "marks": (marks,)}
    recipe = Recipe(steps=(step.model_copy(update={"inputs": inputs}),))
    _, used = finish(run_steps(recipe, Engine.local(1)), lambda _: None)
    assert used.steps[0].inputs["stack"][0].selection.frames == (1, 4, 2)
    assert used.steps[0].inputs["marks"][0].selection.region == ((0, 4), (1, 5))
    assert used.steps[0].parameters == {"factor": 2.0, "crash": False}


# -- what can't be read ------------------------------------------------------------------------


def recipe_text(**changes: Any) -> str:
    step = {"tool": "everything", "inputs": {"stack": [{"path": "a.npy"}]}, **changes}
    return json.dumps({"schema_version": 1, "steps": [step]})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "can't be read as a recipe"),
        ("{", "can't be read as a recipe"),
        ("\x00\xff", "can't be read as a recipe"),
        ("[1]", "is not a recipe: it is JSON, but without steps"),
        ('{"steps": []}', "of schema version None, but this napari-framewise reads version 1"),
        ('{"schema_version": 2, "steps": []}', "of schema version 2"),
        ('{"schema_version": 1, "steps": []}', "The recipe has no steps"),
        ('{"schema_version": 1, "steps": [{}]}', "is not a recipe: at steps > 0 > tool: field req"),
        (
            recipe_text(tool="knitting"),
            r"step 1 \(knitting\): There is no tool 'knitting'; the t",
        ),
        (
            recipe_text(parameters={"size": 3}),
            r"step 1 \(everything\): There is no parameter",
        ),
        (recipe_text(parameters={"factor": "x"}), r"step 1 .*: Factor was given 'x'; it should be"),
        (recipe_text(inputs={"pile": []}), "There is no input 'pile'; the inputs are: stack,"),
        (
            recipe_text(inputs={"stack": [{"step": 0}]}),
            "is the result of a step that is not",
        ),
        (recipe_text(inputs={"stack": [{}]}), "an input names no place"),
        (recipe_text(colour="red"), "at steps > 0 > colour: extra inputs are not permitted"),
    ],
)
def test_what_is_no_recipe_is_said_in_a_sentence(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=message) as caught:
        load_recipe(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_of_another_version_says_so(tmp_path: Path) -> None:
    content = json.loads(recipe_text(parameters={"size": 3}))
    path = tmp_path / "r.json"
    path.write_text(json.dumps(content | {"versions": {"napari-framewise": "99.0"}}))
    with pytest.raises(ValueError, match=r"The recipe was written by napari-framewise 99\.0; this"):
        load_recipe(path)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no recipe .*nothing\.json"):
        load_recipe(tmp_path / "nothing.json")
    with pytest.raises(ValueError, match=r"There is no file or folder .*gone\.npy"):
        ran(everything_on(tmp_path / "gone.npy"))


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    write_frames(tmp_path / "cells.npy")
    ref = InputRef(path=str(tmp_path / "cells.npy"), axes=("t", "z", "y", "x"))
    with pytest.raises(ValueError, match="4 axis names were given for data of 3 dimensions"):
        resolve(ref, Kind.STACK)
    late = InputRef(path=str(tmp_path / "cells.npy"), selection=Selection(frames=(4, 9, 1)))
    with pytest.raises(ValueError, match="frames from 4 on were asked for, but it has 4 frames"):
        resolve(late, Kind.STACK)


def test_a_good_recipe_passes() -> None:
    check_recipe(Recipe(steps=(Step(tool="mixing"),)))
