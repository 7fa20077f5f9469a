"""The first page of a panel: the inputs and the parameters that a run is to have."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.forms.inputs_form import InputsForm
from napari_framewise.plugin.forms.parameters_form import ParametersForm


class SetupForm(QScrollArea):
    """The inputs and the parameters of a tool, checked together.

    Its two forms may have been made before.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        tool: Tool[Any],
        parent: QWidget | None = None,
        *,
        inputs_form: InputsForm | None = None,
        parameters_form: ParametersForm | None = None,
    ) -> None:
        super().__init__(parent)
        self._tool = tool
        self.inputs_form = inputs_form or InputsForm(viewer, tool)
        self.parameters_form = parameters_form or ParametersForm(tool.parameters)
        asked = QWidget()
        inside = QVBoxLayout(asked)
        inside.setContentsMargins(0, 4, 6, 0)
        inside.addWidget(self.inputs_form)
        inside.addWidget(_rule())
        inside.addWidget(self.parameters_form)
        inside.addStretch()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(asked)
        self.inputs_form.changed.connect(self.changed)
        self.parameters_form.changed.connect(self.changed)

    def inputs(self, origins: bool = False) -> Inputs:
        """The chosen inputs.

        Parameters
        ----------
        origins : bool
            Look up the files that stand behind the layers, for a recipe.

        Raises
        ------
        ValueError
            In one sentence, where they are not what the tool takes.
        """
        return self._tool.check_inputs(self.inputs_form.given(origins))

    def parameters(self) -> Parameters:
        """The parameters in the form.

        Raises
        ------
        ValueError
            In one sentence, where they make no sense.
        """
        checked: Parameters = self._tool.check_parameters(self.parameters_form.values())
        return checked

    def layers(self) -> dict[str, list[Layer]]:
        """The chosen layers by role."""
        return self.inputs_form.layers()

    def close_connections(self) -> None:
        """Stop listening to the viewer."""
        self.inputs_form.close_connections()


def _rule() -> QFrame:
    rule = QFrame()
    rule.setFrameShape(QFrame.Shape.HLine)
    return rule
