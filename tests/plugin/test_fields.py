"""Fields of the form: shown where they matter, and each as the kind of value asks for."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QLabel
from tests.helpers import asking
from tests.plugin.conftest import MakePanel, run_to_end, settle

from napari_framewise.framework.fields import FieldSpec
from napari_framewise.framework.lengths import Length
from napari_framewise.plugin.forms.number_fields import ExactBox, OptionalField
from napari_framewise.plugin.forms.parameters_form import ParametersForm
from napari_framewise.plugin.forms.value_fields import ChoicesField, LengthField, MatrixField
from napari_framewise.stacks.axes import Axis
from napari_framewise.tools import registry


def form_of(qtbot: QtBot, name: str) -> ParametersForm:
    model = asking.AskingParameters if name == "asking" else registry.get_tool(name).parameters
    form = ParametersForm(model)
    qtbot.addWidget(form)
    form.show()
    return form


def shown(form: ParametersForm) -> set[str]:
    return {label.text() for label in form.findChildren(QLabel) if not label.isHidden()}


def test_a_field_is_shown_where_it_matters(qtbot: QtBot) -> None:
    form = form_of(qtbot, "alignment")
    assert "Memory [frames]" not in shown(form)
    assert "Passes" in shown(form)
    form.set_values({"to": "running_mean"})
    assert "Memory [frames]" in shown(form)
    assert not shown(form) & {"Passes", "Reference frame"}


def test_a_hidden_field_is_not_asked(qtbot: QtBot) -> None:
    tool = registry.get_tool("standardise")
    form = form_of(qtbot, "standardise")
    form.set_values({"scope": "given", "means": (1.0, 2.0), "stds": (1.0, 1.0)})
    assert tool.check_parameters(form.values()).means == (1.0, 2.0)
    form.set_values({"scope": "frame"})
    assert tool.check_parameters(form.values()).means == ()
    form.set_values({"scope": "given"})
    assert tool.check_parameters(form.values()).means == (1.0, 2.0)


def test_a_heading_without_fields_is_hidden(qtbot: QtBot) -> None:
    form = form_of(qtbot, "normalise")
    assert "<b>Range</b>" in shown(form)
    form.set_values({"method": "z_score"})
    assert "<b>Range</b>" not in shown(form)


def test_a_number_that_may_be_left_open_is_a_number_field(qtbot: QtBot) -> None:
    form = form_of(qtbot, "mixing")
    field = form._widgets["saturation"]
    assert isinstance(field, OptionalField)
    assert form.values()["saturation"] is None
    with qtbot.waitSignal(form.changed):
        field.given.click()
    assert form.values()["saturation"] == 65535
    field.field.box.setValue(4095)
    assert form.values()["saturation"] == 4095
    field.given.click()
    assert form.values()["saturation"] is None
    form.set_values({"saturation": 255.0})
    assert field.given.isChecked()
    assert form.values()["saturation"] == 255


def within(spec: FieldSpec, number: float) -> bool:
    low, high = spec.low, spec.high
    above = low is None or number > low or (number == low and not spec.open_low)
    return above and (high is None or number <= high)


@pytest.mark.parametrize("name", [*registry.TOOLS, "asking"])
def test_what_an_open_number_begins_with_is_allowed(qtbot: QtBot, name: str) -> None:
    form = form_of(qtbot, name)
    for spec in form._fields:
        field = form._widgets[spec.name]
        if isinstance(field, OptionalField):
            number = field.field.value
            assert (
                spec.low is None or number > spec.low or (number == spec.low and not spec.open_low)
            )
            assert spec.high is None or number <= spec.high


def test_a_number_is_typed_as_people_type_it(qtbot: QtBot) -> None:
    box = ExactBox(0.0, 10.0, 0.1)
    qtbot.addWidget(box)
    box.selectAll()
    qtbot.keyClicks(box, "2,5e-7")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert (box.value(), box.text()) == (2.5e-7, "2.5e-07")
    box.setValue(0.3)
    box.stepBy(-1)
    assert box.text() == "0.2"
    assert box.validate("1e", 2)[0] == QValidator.State.Intermediate
    assert box.validate("11", 2)[0] == QValidator.State.Intermediate
    assert box.validate("1x", 2)[0] == QValidator.State.Invalid


def test_several_choices_are_checked(qtbot: QtBot) -> None:
    form = form_of(qtbot, "asking")
    field = form._widgets["measures"]
    assert isinstance(field, ChoicesField)
    assert form.values()["measures"] == ("mean",)
    with qtbot.waitSignal(form.changed):
        field.item(2).setCheckState(Qt.CheckState.Checked)
    assert form.values()["measures"] == ("mean", "greatest")
    form.set_values({"measures": ["least"]})
    assert form.values()["measures"] == ("least",)


def test_a_length_has_a_unit_and_one_number_for_each_axis(qtbot: QtBot) -> None:
    form = form_of(qtbot, "asking")
    field = form._widgets["sigma"]
    assert isinstance(field, LengthField)
    assert form.values()["sigma"] == Length((1.0,))
    assert field.apart.isHidden()
    form.set_axes((Axis("y", 0.5, 0.0, "um"), Axis("x", 0.5, 0.0, "um")))
    assert [field.unit_box.itemText(n) for n in range(field.unit_box.count())] == ["px", "µm"]
    field.unit_box.setCurrentIndex(1)
    field.apart.click()
    assert form.values()["sigma"] == Length((1.0, 1.0), "micrometer")
    assert [box.toolTip() for box in field.boxes] == ["along y", "along x"]
    form.set_values({"sigma": "3,2,1 nm"})
    assert form.values()["sigma"] == Length((3.0, 2.0, 1.0), "nanometer")
    field.apart.click()
    assert form.values()["sigma"] == Length((3.0,), "nanometer")


def test_a_matrix_is_pasted(qtbot: QtBot) -> None:
    form = form_of(qtbot, "asking")
    field = form._widgets["matrix"]
    assert isinstance(field, MatrixField)
    assert "Fill" not in shown(form)
    field.setPlainText("[1 0 3; 0 1 2]")
    assert form.values()["matrix"] == ((1, 0, 3), (0, 1, 2))
    assert "Fill" in shown(form)
    field.setPlainText("1 0 3; 0")
    with pytest.raises(ValueError, match="Matrix was given '1 0 3; 0'; it should be 2 x 3 or"):
        asking.TOOL.check_parameters(form.values())


def test_in_the_panel_lengths_know_the_layer(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    frames = np.random.default_rng(5).normal(10, 1, (3, 9, 8))
    viewer.add_image(frames, name="film", scale=(1, 0.5, 0.25), units=("pixel", "um", "um"))
    panel = make_panel(asking.TOOL)
    field = panel.parameters_form._widgets["sigma"]
    assert field.unit_box.findData("micrometer") == 1
    panel.parameters_form.set_values({"sigma": "1um", "measures": ("mean", "greatest")})
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    assert panel.record is not None
    assert panel.record.outcome.summary == "Sigma is 2, 4 pixels."
    assert list(panel.record.outcome.table().columns) == ["frame", "mean", "greatest"]
    assert panel.record.recipe.steps[0].parameters["sigma"] == "1 µm"


def test_a_whole_number_of_any_size_stays_what_it_is(qtbot: QtBot) -> None:
    form = form_of(qtbot, "warp")
    form.set_values({"output_grid": "shape", "rows": 10**12, "columns": 7})
    assert (form.values()["rows"], form.values()["columns"]) == (10**12, 7)
    box = form._widgets["rows"].field.box
    assert box.text() == "1000000000000"
    box.selectAll()
    qtbot.keyClicks(box, "123456789012")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert form.values()["rows"] == 123456789012
    assert type(form.values()["rows"]) is int
    form.set_values({"rows": 10**30})
    assert form.values()["rows"] == 2**53
