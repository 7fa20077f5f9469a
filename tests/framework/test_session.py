"""Steered runs without a window: steps, undo, changes, and the same numbers when run again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from distributed import LocalCluster
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from tests.helpers import filling, relaxing

import napari_framewise as fw
from napari_framewise.cli import main
from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.framework import session as sessions
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.recipe import Recipe, versions
from napari_framewise.framework.session import Change, Course, drive
from napari_framewise.io.recipes.files import along, load_recipe, save_recipe, step_of
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools import registry

ENGINE = Engine.local(1)


@pytest.fixture(autouse=True)
def _tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TOOLS, "filling", filling.ENTRY)
    monkeypatch.setitem(registry.TOOLS, "relaxing", relaxing.ENTRY)


def scene(seed: int = 4) -> Array:
    return np.random.default_rng(seed).random((2, 12, 15)) + 0.2


def seeds(*places: tuple[int, int, int]) -> Array:
    labels = np.zeros((12, 15), np.uint8)
    for row, column, label in places:
        labels[row, column] = label
    return labels


FIRST, LATER, LAST = seeds((2, 2, 1)), seeds((2, 2, 1), (9, 12, 2)), seeds((6, 7, 3))


def begun(image: Array | None = None, first: Array = FIRST) -> filling.FillSession:
    inputs = filling.TOOL.check_inputs(
        {
            "stack": stack_of(scene() if image is None else image, name="S"),
            "seeds": stack_of(first, name="seeds"),
        }
    )
    return filling.FillSession(inputs, filling.TOOL.check_parameters({}), ENGINE)


def steps(session: filling.FillSession, count: int) -> None:
    for _ in range(count):
        finish(session.step(), lambda _: None)


def change(session: filling.FillSession, labels: Array) -> None:
    session.change("seeds", stack_of(labels, name="seeds"))


def labels_of(outcome: Outcome) -> Array:
    return np.asarray(outcome.layer().data)


def test_run_is_the_session_driven_to_its_end() -> None:
    session = begun()
    while not session.done:
        steps(session, 1)
    truth = labels_of(session.outcome())
    assert 0 < np.count_nonzero(truth) < truth.size
    outcome = fw.run("filling", stack=scene(), seeds=FIRST)
    np.testing.assert_array_equal(labels_of(outcome), truth)
    assert len(outcome.table()) == session.number
    assert not session.course()
    with pytest.raises(ValueError, match="there is none to take"):
        steps(session, 1)


def test_undo_goes_back_to_the_very_state() -> None:
    session = begun()
    states = [labels_of(session.outcome())]
    for _ in range(4):
        steps(session, 1)
        states.append(labels_of(session.outcome()))
    for state in states[-2::-1]:
        session.undo()
        np.testing.assert_array_equal(labels_of(session.outcome()), state)
    with pytest.raises(ValueError, match="no step to undo"):
        session.undo()


def test_a_step_that_is_closed_in_its_middle_was_not_taken() -> None:
    session = begun()
    steps(session, 1)
    before = labels_of(session.outcome())
    step = session.step()
    next(step)
    step.close()
    assert session.number == 1
    np.testing.assert_array_equal(labels_of(session.outcome()), before)
    steps(session, 1)
    assert session.number == 2


def test_what_is_painted_later_does_not_change_what_was_recorded() -> None:
    painted = LATER.copy()
    session = begun()
    steps(session, 2)
    change(session, painted)
    steps(session, 2)
    reached = labels_of(session.outcome())
    painted[:] = 9
    again = finish(drive(begun(), session.course()), lambda _: None)
    np.testing.assert_array_equal(labels_of(again), reached)


MOVES = st.lists(st.sampled_from(["step", "step", "undo", "later", "last", "first"]), max_size=14)


@given(moves=MOVES)
@trials(max_examples=60)
def test_however_it_was_steered_its_course_leads_to_the_same(moves: list[str]) -> None:
    session = begun()
    painted = {"later": LATER, "last": LAST, "first": FIRST}
    for move in moves:
        if move in painted:
            change(session, painted[move])
        elif move == "step" and not session.done:
            steps(session, 1)
        elif move == "undo" and session.undoable:
            session.undo()
    first = session.first_inputs.stack("seeds").read(0, 1)[0]
    again = finish(drive(begun(first=first), session.course()), lambda _: None)
    np.testing.assert_array_equal(labels_of(again), labels_of(session.outcome()))
    np.testing.assert_array_equal(
        again.table().columns["filled"], session.outcome().table().columns["filled"]
    )


def test_memory_of_undo_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    session = begun()
    state = nbytes_of(session.begin())
    assert state == scene().size
    monkeypatch.setattr(sessions, "UNDO_BYTES", 3 * state)
    steps(session, 5)
    assert session.undoable == 3
    monkeypatch.setattr(sessions, "UNDO_BYTES", state - 1)
    steps(session, 1)
    assert session.undoable == 0


def test_only_what_may_be_steered_changes_and_only_to_what_fits() -> None:
    session = begun()
    steps(session, 1)
    with pytest.raises(ValueError, match=r"stack can't be changed in mid-run; .* are: seeds"):
        session.change("stack", stack_of(scene()))
    with pytest.raises(ValueError, match=r"must have the same shape|frames of"):
        change(session, np.zeros((5, 5), np.uint8))
    assert not session.course().changes
    with pytest.raises(ValueError, match="Relax takes no steps"):
        fw.run("relaxing", stack=scene(), course=Course(steps=3))


@pytest.fixture
def steered() -> filling.FillSession:
    """Two steps, other seeds, two more, one back, others, one more: not done."""
    session = begun()
    steps(session, 2)
    change(session, LATER)
    steps(session, 2)
    session.undo()
    change(session, LAST)
    steps(session, 1)
    return session


def test_python_a_recipe_and_the_command_line_run_it_again(
    steered: filling.FillSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reached = labels_of(steered.outcome())
    assert not np.array_equal(reached, labels_of(fw.run("filling", stack=scene(), seeds=FIRST)))
    course = Course([Change(2, "seeds", [LATER]), Change(3, "seeds", [LAST])], steps=4)
    outcome = fw.run("filling", stack=scene(), seeds=FIRST, course=course)
    np.testing.assert_array_equal(labels_of(outcome), reached)

    memory: dict[str, object] = {}
    step = step_of(filling.TOOL, steered.first_inputs, steered.parameters, memory)
    step = along(step, steered.course(), memory)
    assert [(each.step, each.role) for each in step.changes] == [(2, "seeds"), (3, "seeds")]
    with pytest.raises(ValueError, match="only in memory"):
        fw.to_python(Recipe(steps=(step,)))
    saved = save_recipe(Recipe(steps=(step,), versions=versions()), tmp_path / "r.json", memory)
    recipe = load_recipe(tmp_path / "r.json")
    assert recipe == saved
    (run,) = fw.run_recipe(recipe).runs
    np.testing.assert_array_equal(labels_of(run.outcomes[0]), reached)
    names: dict[str, object] = {}
    exec(fw.to_python(recipe), names)
    np.testing.assert_array_equal(labels_of(names["outcome"]), reached)

    tifffile.imwrite(tmp_path / "other.tif", scene(), metadata={"axes": "TYX"})
    call = [
        "run",
        "r.json",
        "other.tif",
        "--output",
        "o",
        "--layers",
        "all",
        "--image-format",
        "tif",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert main(call) == 0, capsys.readouterr().err
    assert "Filled in 4 steps." in capsys.readouterr().out
    (image,) = (tmp_path / "o").glob("*.tif")
    np.testing.assert_array_equal(tifffile.imread(image).reshape(reached.shape), reached)
    kept = load_recipe(next((tmp_path / "o").glob("*.recipe.json")))
    assert [each.step for each in kept.steps[0].changes] == [2, 3]
    assert kept.steps[0].steps == 4


def nbytes_of(*values: object) -> int:
    held = sessions.Held()
    for value in values:
        held.add(value)
    return held.nbytes


def test_arrays_that_states_share_count_once_until_the_last_of_them_goes() -> None:
    one, two, three = np.zeros(4), np.zeros(3), np.zeros(2)
    states = [(one, {"a": two}), (two, three), [one, three]]
    held = sessions.Held()
    for state in states:
        held.add(state)
    assert held.nbytes == 72
    left = list(states)
    while left:
        assert held.nbytes == nbytes_of(*left)
        held.drop(left.pop(0))
    assert held.nbytes == 0


def test_a_cluster_takes_the_same_steps(steered: filling.FillSession) -> None:
    course = Course([Change(2, "seeds", [LATER]), Change(3, "seeds", [LAST])], steps=4)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        outcome = fw.run(
            "filling",
            cluster=cluster.scheduler_address,
            stack=scene(),
            seeds=FIRST,
            course=course,
        )
    np.testing.assert_array_equal(labels_of(outcome), labels_of(steered.outcome()))
