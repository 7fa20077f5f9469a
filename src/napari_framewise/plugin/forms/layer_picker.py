"""One picker of a layer, with what it holds in plain words and what of it is used."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points, Shapes
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_framewise.framework.inputs import SCRIBBLES, Input, Kind, Value
from napari_framewise.plugin.choice_box import ChoiceBox
from napari_framewise.plugin.connections import Connections
from napari_framewise.plugin.forms.chosen import Lost, first_rectangle, summary_of
from napari_framewise.plugin.forms.number_box import NumberBox
from napari_framewise.plugin.forms.selection_form import Region, SelectionForm
from napari_framewise.plugin.layers.edits import Edits
from napari_framewise.plugin.layers.layers_in import (
    as_painted,
    frame_in_view,
    labels_on,
    points_of_layer,
    shapes_of_layer,
    stack_of_layer,
    tool_of,
    with_origin,
)
from napari_framewise.plugin.layers.layers_out import passing
from napari_framewise.plugin.layers.new_layers import new_layer_on
from napari_framewise.stacks.stack import Selection, Stack

LAYER_TYPES: dict[Kind, tuple[type[Layer], ...]] = {
    Kind.STACK: (Image,),
    Kind.IMAGES: (Image,),
    Kind.FRAME: (Image,),
    Kind.LABELS: (Labels, Image),
    Kind.POINTS: (Points,),
    Kind.SHAPES: (Shapes,),
}
_LAYER_EVENTS = (
    "data", "name", "scale", "translate", "rotate", "shear", "affine", "units", "axis_labels",
    "features", "face_color", "edge_color", "edge_width",
)  # fmt: skip


class LayerPicker(QWidget):
    """Chooses a layer for a role.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers are offered.
    role : Input
        What is asked for.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, role: Input, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._role = role
        self._listened: Layer | None = None
        self._chosen_by_hand = False
        self._lost: Lost | None = None
        self._of_layer = Connections(self)
        self._combo = ChoiceBox()
        self._combo.setToolTip(role.description)
        self._combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._combo.setMinimumContentsLength(12)
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._combo.currentIndexChanged.connect(self._picked)
        self._combo.activated.connect(self._picked_by_hand)
        self._summary = QLabel()
        self._summary.setWordWrap(True)
        self._summary.setObjectName("summary")
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self._combo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(self._row)
        self._drawn_row = QHBoxLayout()
        self.use_button = QToolButton()
        self.use_button.setToolTip("Take the newest result that was made for this.")
        self.use_button.clicked.connect(self._use_result)
        self.use_button.hide()
        self._drawn_row.addWidget(self.use_button)
        layout.addLayout(self._drawn_row)
        layout.addWidget(self._summary)
        self.number_box = None if role.value is None else NumberBox(role.value)
        if self.number_box is not None:
            layout.addWidget(self.number_box)
            self.number_box.changed.connect(self.changed)
        self._selection: SelectionForm | None = None
        if role.images:
            self._selection = self._selection_form(layout)
        self.offer_layers()

    @property
    def layer(self) -> Layer | None:
        """The chosen layer."""
        layer = self._combo.currentData()
        return layer if isinstance(layer, Layer) and layer in self._viewer.layers else None

    @property
    def summary(self) -> str:
        """What is chosen, in words."""
        return self._summary.text()

    @property
    def chosen_by_hand(self) -> bool:
        """Whether the user chose, so that nothing may be chosen in their place."""
        return self._chosen_by_hand

    def value(self, origin: bool = False, under: Layer | None = None) -> Any:
        """What is chosen, with its numbers where the role asks for them; None where nothing is.

        Parameters
        ----------
        origin : bool
            For a run: look up the file that stands behind the layer, and keep what is painted as
            it is now.
        under : Layer, optional
            The layer on whose pixel grid points, shapes and labels are wanted.

        Raises
        ------
        ValueError
            Where the layer cannot be read so, or was chosen and is no longer there.
        """
        value = self.plain_value(origin, under)
        return value if self.number_box is None or value is None else self.number_box.valued(value)

    def plain_value(self, origin: bool = False, under: Layer | None = None) -> Value | None:
        """What is chosen, without its numbers."""
        layer = self.layer
        if layer is None:
            if self._lost is not None:
                raise ValueError(self._lost.sentence(self._role))
            return None
        if isinstance(layer, Points):
            return points_of_layer(layer, under)
        if isinstance(layer, Shapes):
            return shapes_of_layer(layer, under)
        on_grid = under is not None and Kind.LABELS in self._role.kinds
        stack = labels_on(layer, under) if on_grid else stack_of_layer(layer)
        if origin and (on_grid or isinstance(layer, Labels)):
            stack = as_painted(stack, layer)
        elif origin:
            stack = with_origin(stack, layer)
        assert self._selection is not None
        return stack.select(self._selection.selection())

    def choose(self, layer: Layer | None, selection: Selection | None = None) -> None:
        """Choose a layer and what of it is used."""
        self._lost = None
        self._combo.setCurrentIndex(self._find(layer))
        if selection is not None and self._selection is not None:
            self._selection.set_selection(selection)
        self._chosen_by_hand = True

    def candidates(self) -> list[Layer]:
        """The layers that may be chosen."""
        kinds = tuple(each for kind in self._role.kinds for each in LAYER_TYPES.get(kind, ()))
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, kinds) and not passing(layer)
        ]

    def others(self) -> list[str]:
        """Names of what else may be chosen."""
        return []

    def offer_layers(self) -> None:
        """Fill the list of layers anew; the choice stays, or is said to be gone."""
        chosen, index_before = self._combo.currentData(), self._combo.currentIndex()
        lost = self._lost
        with QSignalBlocker(self._combo):
            self._combo.clear()
            if self._role.least == 0:
                self._combo.addItem("none", None)
            for layer in self.candidates():
                self._combo.addItem(layer.name, layer)
                self._combo.setItemData(
                    self._combo.count() - 1, layer.name, Qt.ItemDataRole.ToolTipRole
                )
            for name in self.others():
                self._combo.addItem(name, name)
            back = None if lost is None else lost.back_among(self.candidates())
            if isinstance(chosen, Layer) and self._find(chosen) < 0:
                lost = Lost.of(chosen)
            elif back is not None:
                lost = None
            index = -1 if lost is not None else self._find(chosen if back is None else back)
            self._combo.setCurrentIndex(index)
            self._lost = lost
            self._say_what_is_missing()
        self._offer_result()
        if self._combo.currentData() is not chosen or (index < 0) != (index_before < 0):
            self._picked()

    def choose_for(self, layer: Layer | None) -> None:
        """Choose a layer in the user's place."""
        self._lost = None
        if layer is not self._combo.currentData() or self._combo.currentIndex() < 0:
            self._combo.setCurrentIndex(self._find(layer))
            self._say_what_is_missing()

    def forget(self) -> None:
        """Take what was chosen as never chosen, for the viewer holds nothing any more."""
        self._lost, self._chosen_by_hand = None, False
        self._say_what_is_missing()

    def refresh_summary(self) -> None:
        """Say in words what is chosen."""
        try:
            value = self.plain_value()
        except ValueError as error:
            self._summary.setText(str(error))
            self._summary.show()
            return
        self._summary.setText(summary_of(value))
        self._summary.setVisible(value is not None)

    def close_connections(self) -> None:
        """Stop listening to the layer."""
        self._of_layer.undo()

    def draw_on(self, under: Callable[[], Layer | None]) -> None:
        """Offer a new layer to draw in, on the pixel grid of the layer that `under` gives."""
        for kind in (Kind.LABELS, Kind.SHAPES, Kind.POINTS):
            if kind in self._role.kinds:
                button = QToolButton()
                button.setText(f"new {kind.value}")
                button.setToolTip(f"Add a layer of {kind.value} that lies on the stack, and draw.")
                button.clicked.connect(partial(self._draw_new, kind, under))
                self._drawn_row.addWidget(button)
        self._drawn_row.addStretch()

    def _result(self) -> Layer | None:
        """The newest layer that a tool made which the role names."""
        made = [each for each in self.candidates() if tool_of(each) in self._role.made_by]
        return made[-1] if made else None

    def _offer_result(self) -> None:
        result = self._result() if self._role.made_by else None
        self.use_button.setVisible(result is not None and result is not self.layer)
        if result is not None:
            self.use_button.setText(f"use {result.name}")

    def _use_result(self) -> None:
        self.choose(self._result())

    def _draw_new(self, kind: Kind, under: Callable[[], Layer | None], *_: Any) -> None:
        layer = under()
        if layer is None:
            self._summary.setText("Choose the stack first: a new layer lies on its frames.")
            self._summary.show()
            return
        new = new_layer_on(kind, layer, self._role.title)
        self._viewer.add_layer(new)
        self._viewer.layers.selection.active = new
        self.choose(new)

    def add_button(self, button: QToolButton) -> None:
        """Put a button beside the list of layers."""
        self._row.addWidget(button)

    def _selection_form(self, layout: QVBoxLayout) -> SelectionForm:
        stacks = bool({Kind.STACK, Kind.IMAGES} & set(self._role.kinds))
        single = not stacks and not self._role.several_frames
        form = SelectionForm(
            single=single,
            with_region=self._role.same_frame_as is None,
            frame_in_view=self._frame_in_view,
            rectangle=self._rectangle,
        )
        form.changed.connect(self.changed)
        form.hide()
        self._fold = QToolButton()
        self._fold.setText("frames")
        self._fold.setToolTip("Which axis, frames, channel and region are used.")
        self._fold.setCheckable(True)
        self._fold.setArrowType(Qt.ArrowType.RightArrow)
        self._fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._fold.toggled.connect(self._unfold)
        self._row.addWidget(self._fold)
        layout.addWidget(form)
        return form

    def _unfold(self, shown: bool) -> None:
        self._fold.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        if self._selection is not None:
            self._selection.setVisible(shown and self.layer is not None)

    def _find(self, layer: Any) -> int:
        found = [n for n in range(self._combo.count()) if self._combo.itemData(n) is layer]
        if not found and layer is not None:
            found = [n for n in range(self._combo.count()) if self._combo.itemData(n) == layer]
        return found[0] if found else -1

    def _picked_by_hand(self) -> None:
        self._chosen_by_hand = True

    def _say_what_is_missing(self) -> None:
        """What the list shows where nothing is chosen."""
        nothing = "choose a layer" if self._combo.count() else "no layer of this kind is open"
        lost = self._lost
        self._combo.setPlaceholderText(nothing if lost is None else f"{lost.name} was removed")

    def _picked(self) -> None:
        if self._combo.currentIndex() >= 0:
            self._lost = None
        self._of_layer.undo()
        layer = self.layer
        if layer is not None:
            for name in _LAYER_EVENTS:
                emitter = getattr(layer.events, name, None)
                if emitter is not None:
                    self._of_layer.connect(emitter, self._layer_changed)
            if isinstance(layer, Labels | Points | Shapes):
                self._edits = Edits(
                    layer,
                    self._viewer,
                    self._layer_changed,
                    self._of_layer,
                    colours=set(SCRIBBLES) <= set(self._role.kinds),
                )
        self._combo.setToolTip(self._role.description if layer is None else layer.name)
        self._offer_result()
        self._show_stack(keep=False)
        self.changed.emit()

    def _layer_changed(self, event: Any = None) -> None:
        del event
        layer = self.layer
        if layer is not None:
            self._combo.setItemText(self._combo.currentIndex(), layer.name)
        self._show_stack(keep=True)
        self.changed.emit()

    def _show_stack(self, keep: bool) -> None:
        if self._selection is None:
            return
        layer = self.layer
        self._fold.setEnabled(layer is not None)
        self._selection.setVisible(self._fold.isChecked() and layer is not None)
        try:
            self._selection.show_stack(None if layer is None else stack_of_layer(layer), keep)
        except ValueError:
            self._selection.show_stack(None)

    def _frame_in_view(self, stack: Stack) -> int | None:
        layer = self.layer
        return None if layer is None else frame_in_view(self._viewer, layer, stack)

    def _rectangle(self) -> Region | None:
        """Rows and columns under the first rectangle of the topmost shapes layer."""
        layer = self.layer
        drawn = [each for each in reversed(self._viewer.layers) if isinstance(each, Shapes)]
        corners = first_rectangle(drawn)
        if layer is None or corners is None:
            return None
        inside = np.array([layer.world_to_data(corner)[-2:] for corner in corners])
        shape = layer.data[0].shape if getattr(layer, "multiscale", False) else layer.data.shape
        size = shape[:-1][-2:] if getattr(layer, "rgb", False) else shape[-2:]
        low = np.clip(np.ceil(inside.min(axis=0)).astype(int), 0, np.array(size) - 1)
        high = np.clip(np.floor(inside.max(axis=0)).astype(int) + 1, low + 1, size)
        return (int(low[0]), int(high[0])), (int(low[1]), int(high[1]))
