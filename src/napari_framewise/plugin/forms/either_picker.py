"""A picker of a layer, or of a model that was made in this session or lies in a file."""

from __future__ import annotations

from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtWidgets import QFileDialog, QToolButton, QWidget

from napari_framewise.framework.inputs import Input, Kind, Value
from napari_framewise.plugin.connections import Connections
from napari_framewise.plugin.forms.layer_picker import LayerPicker
from napari_framewise.plugin.forms.value_picker import SHELF, fits
from napari_framewise.tools.registry import MODEL_NAMES


class EitherPicker(LayerPicker):
    """Chooses a layer or a model for a role, such as an image of a PSF or a PSF that was fitted."""

    def __init__(self, viewer: ViewerModel, role: Input, parent: QWidget | None = None) -> None:
        super().__init__(viewer, role, parent)
        button = QToolButton()
        button.setText("Open…")
        button.setToolTip("Take a model from a file.")
        button.clicked.connect(self._ask_file)
        self.add_button(button)
        self._of_shelf = Connections(self)
        self._of_shelf.connect(SHELF.changed, self.offer_layers)

    def others(self) -> list[str]:
        """Models of this session that the role takes."""
        return [name for name, value in SHELF.values.items() if fits(self._role, value)]

    def plain_value(self, origin: bool = False, under: Layer | None = None) -> Value | None:
        """The layer or the model that is chosen; None where nothing is."""
        name = self._combo.currentData()
        if isinstance(name, str):
            return SHELF.values.get(name)
        return super().plain_value(origin, under)

    def choose_name(self, name: str) -> None:
        """Choose what lies on the shelf under a name."""
        self._combo.setCurrentIndex(self._combo.findData(name))
        self._picked_by_hand()

    def close_connections(self) -> None:
        """Stop listening to the layer and the shelf."""
        super().close_connections()
        self._of_shelf.undo()

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, f"Open {self._role.title}", "", MODEL_NAMES)
        if not path:
            return
        try:
            SHELF.open(Kind.MODEL, path)
        except (OSError, ValueError) as error:
            self._summary.setText(str(error))
            self._summary.show()
            return
        self.choose_name(Path(path).name)
