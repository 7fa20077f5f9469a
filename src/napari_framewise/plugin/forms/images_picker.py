"""A picker of a layer, or of a folder whose images may differ in size, which is no layer."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtWidgets import QFileDialog, QToolButton, QWidget

from napari_framewise.framework.inputs import Input, Value
from napari_framewise.io.ragged import open_images
from napari_framewise.plugin.forms.layer_picker import LayerPicker
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.stack import Stack


class ImagesPicker(LayerPicker):
    """Chooses a layer or a folder for a role."""

    def __init__(self, viewer: ViewerModel, role: Input, parent: QWidget | None = None) -> None:
        self._folder: Stack | RaggedStack | None = None
        super().__init__(viewer, role, parent)
        button = QToolButton()
        button.setText("Folder…")
        button.setToolTip("Take a folder of images, which may differ in size, without a layer.")
        button.clicked.connect(self._ask_folder)
        self.add_button(button)

    @property
    def layer(self) -> Layer | None:
        """The chosen layer; None where a folder is chosen."""
        return None if self._folder is not None else super().layer

    @property
    def chosen_by_hand(self) -> bool:
        """Whether the user chose, so that nothing may be chosen in their place."""
        return self._folder is not None or super().chosen_by_hand

    def plain_value(self, origin: bool = False, under: Layer | None = None) -> Value | None:
        """The folder or the layer that is chosen; None where nothing is."""
        return super().plain_value(origin, under) if self._folder is None else self._folder

    def choose_folder(self, path: str) -> None:
        """Choose a folder in place of a layer.

        Raises
        ------
        ValueError, OSError
            Where it holds no images, or images that differ in more than size.
        """
        self._folder = open_images(path)
        self._combo.setCurrentIndex(-1)
        self._combo.setPlaceholderText(self._folder.name)
        self.refresh_summary()
        self.changed.emit()

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, f"{self._role.title}: a folder of images")
        if not path:
            return
        try:
            self.choose_folder(path)
        except (OSError, ValueError) as error:
            self._folder = None
            self._summary.setText(str(error))
            self._summary.show()

    def _picked(self) -> None:
        if self._combo.currentIndex() >= 0:
            self._folder = None
        super()._picked()
