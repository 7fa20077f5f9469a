"""The forms: what is typed is what the tool gets, and what a recipe says is what is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QLabel
from tests.helpers import toolbox

from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.io import open_stack
from napari_framewise.plugin.forms.inputs_form import InputsForm
from napari_framewise.plugin.forms.parameters_form import ParametersForm
from napari_framewise.plugin.forms.selection_form import SelectionForm
from napari_framewise.stacks.stack import Selection, Stack, stack_of
from napari_framewise.tools import registry


class Everything(Parameters):
    """A field of each kind."""

    mode: Literal["one_way", "other"] = parameter("one_way", "Mode", "Which way.")
    maybe: Literal["a", "b"] | None = parameter(None, "Maybe", "Or none.")
    flag: bool = parameter(True, "Flag", "On or off.")
    count: int = parameter(3, "Count", "How many.", ge=1, le=10)
    width: float = parameter(1.5, "Width", "How wide.", unit="pixels", gt=0)
    tiny: float = parameter(2.5e-7, "Tolerance", "How near.", gt=0, rare=True)
    limit: float | None = parameter(None, "Limit", "If any.", rare=True, group="Edges")
    several: tuple[float, ...] = parameter((0.4, 0.7), "Several", "Numbers.", group="Edges")
    words: tuple[str, ...] = parameter((), "Words", "Texts.", rare=True)
    text: str = parameter("name", "Text", "Any.")


@pytest.fixture
def form(qtbot: QtBot) -> ParametersForm:
    form = ParametersForm(Everything)
    qtbot.addWidget(form)
    return form


def test_an_untouched_form_holds_the_defaults(form: ParametersForm) -> None:
    assert Everything.model_validate(form.values()) == Everything()


@pytest.mark.parametrize("name", [*registry.TOOLS, "shifts"])
def test_every_tool_has_a_form_that_holds_its_defaults(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    tool = registry.get_tool(name)
    form = ParametersForm(tool.parameters)
    qtbot.addWidget(form)
    assert tool.check_parameters(form.values()) == tool.parameters()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(
        Everything,
        mode=st.sampled_from(["one_way", "other"]),
        maybe=st.sampled_from(["a", "b", None]),
        flag=st.booleans(),
        count=st.integers(1, 10),
        width=st.floats(1e-6, 1e6).map(lambda value: float(f"{value:.6g}")),
        tiny=st.floats(1e-9, 1).map(lambda value: float(f"{value:.4g}")),
        limit=st.none() | st.floats(-1e9, 1e9),
        several=st.lists(st.floats(-1e6, 1e6), max_size=4).map(tuple),
        words=st.lists(st.from_regex(r"[a-z0-9\-]{1,5}", fullmatch=True), max_size=3).map(tuple),
    )
)
def test_what_is_filled_in_is_what_comes_out(form: ParametersForm, wanted: Everything) -> None:
    form.set_values(wanted.model_dump())
    assert Everything.model_validate(form.values()) == wanted


def test_titles_units_and_tooltips_are_shown(form: ParametersForm) -> None:
    labels = [label.text() for label in form.findChildren(QLabel)]
    assert "Width [pixels]" in labels
    assert "<b>Edges</b>" in labels
    tips = [label.toolTip() for label in form.findChildren(QLabel) if label.text() == "Mode"]
    assert tips == ["<p>Which way.</p>"]


def test_a_wheel_over_a_value_scrolls_the_form(qtbot: QtBot, form: ParametersForm) -> None:
    form.show()
    (box,) = [each for each in form.findChildren(QAbstractSpinBox) if each.text() == "3"]
    turn = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    box.clearFocus()
    QApplication.sendEvent(box, turn)
    assert form.values()["count"] == 3
    assert not turn.isAccepted()


def test_a_change_is_told(qtbot: QtBot, form: ParametersForm) -> None:
    with qtbot.waitSignal(form.changed):
        form.set_values({"count": 7, "unknown": 1})
    assert form.values()["count"] == 7


# -- what of a stack is used -----------------------------------------------------------------------


def selection_form(qtbot: QtBot, stack: Stack, **options: bool) -> SelectionForm:
    form = SelectionForm(
        **{"single": False, "with_region": True, **options},
        frame_in_view=lambda stack: 2,
        rectangle=lambda: ((1, 4), (2, 6)),
    )
    qtbot.addWidget(form)
    form.show_stack(stack)
    return form


FIVE = stack_of(np.zeros((4, 3, 6, 7, 8)), axes=("t", "c", "z", "y", "x"), name="five")


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(frames_along=(2,)),
        Selection(frames_along=(0, 2), frames=(3, 20, 4)),
        Selection(channel=2),
        Selection(frames_along=(), channel=0, region=((2, 5), (1, 8))),
        Selection(frames_along=(0, 1), frames=(0, 6, 1), region=((0, 7), (0, 3))),
    ],
)
def test_a_selection_goes_in_and_comes_out(qtbot: QtBot, selection: Selection) -> None:
    form = selection_form(qtbot, FIVE)
    form.set_selection(selection)
    chosen = form.selection()
    assert FIVE.select(chosen).shape == FIVE.select(selection).shape
    assert chosen == selection


def test_frames_beyond_what_32_bits_count(qtbot: QtBot, tmp_path: Path) -> None:
    shape = (10**12, 8, 8)
    zarr.create_array(tmp_path / "a.zarr", shape=shape, chunks=(10**6, 8, 8), dtype="u1")
    form = selection_form(qtbot, open_stack(tmp_path / "a.zarr"))
    form.set_selection(Selection(frames=(10**10, 10**11, 1)))
    assert form.selection().frames == (10**10, 10**11, 1)


def test_whatever_is_chosen_the_stack_can_meet(qtbot: QtBot) -> None:
    form = selection_form(qtbot, FIVE)
    for index in range(form.axes_box.count()):
        form.axes_box.setCurrentIndex(index)
        stack = FIVE.select(form.selection())
        assert stack.n_frames >= 1
        assert len(stack.frame_shape) >= 2


def test_the_choice_stays_where_it_fits_other_data(qtbot: QtBot) -> None:
    form = selection_form(qtbot, stack_of(np.zeros((9, 6, 7))))
    form.set_selection(Selection(frames=(2, 8, 3)))
    form.show_stack(stack_of(np.zeros((8, 6, 7))), keep=True)
    assert form.selection().frames == (2, 8, 3)
    form.show_stack(stack_of(np.zeros((5, 6, 7))), keep=True)
    assert form.selection() == Selection()


def test_one_frame_and_a_drawn_rectangle_are_taken(qtbot: QtBot) -> None:
    form = selection_form(qtbot, stack_of(np.zeros((9, 6, 7))), single=True)
    assert form.selection().frames == (0, 1, 1)
    form.here_button.click()
    form.drawn_button.click()
    assert form.selection() == Selection(frames=(2, 3, 1), region=((1, 4), (2, 6)))


# -- which layers are chosen -----------------------------------------------------------------------


def mixing_inputs(qtbot: QtBot, viewer: ViewerModel) -> InputsForm:
    form = InputsForm(viewer, registry.get_tool("mixing"))
    qtbot.addWidget(form)
    return form


def chosen(form: InputsForm) -> dict[str, list[str]]:
    return {role: [layer.name for layer in layers] for role, layers in form.layers().items()}


def test_layers_that_fit_are_chosen_and_follow_what_is_opened(
    qtbot: QtBot, viewer: ViewerModel
) -> None:
    form = mixing_inputs(qtbot, viewer)
    assert not any(chosen(form).values())
    viewer.add_image(np.zeros((30, 8, 9)), name="film")
    viewer.add_image(np.zeros((8, 9)), name="first")
    viewer.add_image(np.zeros((5, 5)), name="odd")
    viewer.add_image(np.ones((8, 9)), name="second")
    viewer.add_labels(np.ones((8, 9), int), name="mask")
    assert chosen(form)["stack"] == ["film"]
    assert chosen(form)["references"] == ["first", "second"]
    assert chosen(form)["mask"] == []
    viewer.layers.remove("first")
    assert chosen(form)["references"] == ["second"]


def test_what_may_be_left_out_is_left_out(qtbot: QtBot, viewer: ViewerModel) -> None:
    optional = Input("others", Kind.STACK, "Others", "More.", least=0, most=8)
    form = InputsForm(viewer, replace(toolbox.TOOL, inputs=(*toolbox.TOOL.inputs, optional)))
    qtbot.addWidget(form)
    for name in ("a", "b", "c"):
        viewer.add_image(np.zeros((30, 8, 9)), name=name)
    assert chosen(form) == {"stack": ["c"], "reference": ["b"], "others": []}


def test_what_the_user_chose_stays(qtbot: QtBot, viewer: ViewerModel) -> None:
    films = [viewer.add_image(np.zeros((30, 8, 9)), name=name) for name in ("a", "b")]
    form = mixing_inputs(qtbot, viewer)
    assert chosen(form)["stack"] == ["b"]
    form.choose("stack", [(films[0], Selection(frames=(0, 10, 1)))])
    viewer.add_image(np.zeros((30, 8, 9)), name="c")
    films[0].name = "renamed"
    assert chosen(form)["stack"] == ["renamed"]
    assert form.given()["stack"][0].n_frames == 10
    viewer.layers.remove(films[0])
    assert chosen(form)["stack"] == []
    with pytest.raises(ValueError, match="Stack: renamed was removed; choose another layer"):
        form.given()
    assert "renamed was removed" in form.roles["stack"].pickers[0].summary
    form.roles["stack"].pickers[0].choose(films[1])
    assert form.given()["stack"][0].n_frames == 30


def test_references_are_added_removed_and_taken_from_the_selection(
    qtbot: QtBot, viewer: ViewerModel
) -> None:
    viewer.add_image(np.zeros((30, 8, 9)), name="film")
    layers = [viewer.add_image(np.zeros((4, 8, 9)), name=f"many {n}") for n in range(3)]
    form = mixing_inputs(qtbot, viewer)
    role = form.roles["references"]
    viewer.layers.selection = set(layers[:2])
    role.take_selected()
    assert chosen(form)["references"] == ["many 0", "many 1"]
    role.more_button.click()
    assert len(role.pickers) == 3
    role.set_count(99)
    assert len(role.pickers) == 16
    assert not role.more_button.isEnabled()
    role.set_count(0)
    assert len(role.pickers) == 1


def test_a_selection_that_a_role_takes_is_told_in_words(qtbot: QtBot, viewer: ViewerModel) -> None:
    viewer.add_image(np.zeros((30, 8, 9), np.uint16), name="film")
    form = InputsForm(viewer, toolbox.TOOL)
    qtbot.addWidget(form)
    picker = form.roles["stack"].pickers[0]
    assert picker.summary.startswith("30 frames of 8 x 9, uint16")
    form.choose("stack", [(viewer.layers["film"], Selection(frames=(0, 10, 2)))])
    assert picker.summary.startswith("5 frames of 8 x 9, uint16")
