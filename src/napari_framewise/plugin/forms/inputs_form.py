"""The inputs of a tool by role: a picker for each, more where a role takes several."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_framewise.framework.inputs import Input, Kind, Value, partner_of
from napari_framewise.framework.recipe import InputRef
from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.connections import Connections
from napari_framewise.plugin.forms.either_picker import EitherPicker
from napari_framewise.plugin.forms.folds import folded
from napari_framewise.plugin.forms.images_picker import ImagesPicker
from napari_framewise.plugin.forms.layer_picker import LAYER_TYPES, LayerPicker
from napari_framewise.plugin.forms.value_picker import ValuePicker
from napari_framewise.plugin.forms.wheel import guard_wheel
from napari_framewise.plugin.layers.layers_in import made_by_tool, part_of, stack_of_layer
from napari_framewise.plugin.layers.layers_out import passing
from napari_framewise.stacks.stack import Selection, Stack

Picker = LayerPicker | ValuePicker
DRAWN = {Kind.LABELS, Kind.SHAPES, Kind.POINTS}
_IMAGE_KINDS = (Kind.STACK, Kind.IMAGES, Kind.FRAME)


class RoleForm(QWidget):
    """The pickers of one role."""

    changed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        role: Input,
        under: Callable[[], Layer | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._under = under
        self.role = role
        self.pickers: list[Picker] = []
        self._changed_by_hand = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        head = QHBoxLayout()
        title = QLabel(f"<b>{role.title}</b>")
        title.setToolTip(f"<p>{role.description}</p>")
        head.addWidget(title)
        head.addStretch()
        if role.most > 1 and any(kind in LAYER_TYPES for kind in role.kinds):
            selected = QToolButton()
            selected.setText("take selected")
            selected.setToolTip("Take the selected layers, in the layer list's order.")
            selected.clicked.connect(self.take_selected)
            head.addWidget(selected)
        self.more_button = QToolButton()
        self.more_button.setText("add")
        self.more_button.setToolTip(f"One more: up to {role.most} are taken.")
        self.more_button.clicked.connect(self._add_by_hand)
        self.more_button.setVisible(role.most > 1)
        head.addWidget(self.more_button)
        self._layout.addLayout(head)
        for _ in range(max(role.least, role.usual)):
            self.add()

    @property
    def chosen_by_hand(self) -> bool:
        """Whether the user chose here, so that nothing may be chosen in their place."""
        return self._changed_by_hand or any(picker.chosen_by_hand for picker in self.pickers)

    def add(self) -> Picker:
        """One more picker."""
        picker: Picker = _picker_of(self.role)(self._viewer, self.role)
        if len(self.pickers) >= max(self.role.least, 1):
            button = QToolButton()
            button.setText("remove")
            button.clicked.connect(partial(self._remove_by_hand, picker))
            picker.add_button(button)
        if DRAWN & set(self.role.kinds):
            picker.draw_on(self._under)
        guard_wheel(picker)
        self.pickers.append(picker)
        self._layout.addWidget(picker)
        picker.changed.connect(self.changed)
        self.more_button.setEnabled(len(self.pickers) < self.role.most)
        return picker

    def _remove_by_hand(self, picker: Picker, *_: Any) -> None:
        self._changed_by_hand = True
        self.remove(picker)

    def remove(self, picker: Picker) -> None:
        """One picker less."""
        self.pickers.remove(picker)
        picker.close_connections()
        picker.hide()
        picker.deleteLater()
        self.more_button.setEnabled(True)
        self.changed.emit()

    def start_afresh(self) -> None:
        """Take what was chosen as never chosen."""
        self._changed_by_hand = False
        for picker in self.pickers:
            picker.forget()

    def set_count(self, count: int) -> None:
        """As many pickers as that, within what the role takes."""
        count = min(max(count, self.role.least, 1), self.role.most)
        while len(self.pickers) > count:
            self.remove(self.pickers[-1])
        while len(self.pickers) < count:
            self.add()

    def take_selected(self) -> None:
        """Take the layers that are selected in the layer list."""
        chosen = self._viewer.layers.selection
        layers = [layer for layer in self.pickers[0].candidates() if layer in chosen]
        if not layers:
            return
        self.set_count(len(layers))
        for picker, layer in zip(self.pickers, layers, strict=False):
            picker.choose(layer)
        self.changed.emit()

    def _add_by_hand(self) -> None:
        self._changed_by_hand = True
        picker = self.add()
        taken = [each.layer for each in self.pickers if each.layer is not None]
        free = _free(picker, taken)
        picker.choose_for(free[0] if free else None)
        self.changed.emit()


def _picker_of(role: Input) -> type[LayerPicker] | type[ValuePicker]:
    if Kind.IMAGES in role.kinds:
        return ImagesPicker
    if Kind.MODEL in role.kinds and role.images:
        return EitherPicker
    return ValuePicker if set(role.kinds) <= {Kind.MODEL, Kind.TABLE} else LayerPicker


def _free(picker: Picker, taken: Sequence[Layer]) -> list[Layer]:
    """Layers that may be chosen without being asked for: no result of a tool."""
    return [each for each in picker.candidates() if each not in taken and not made_by_tool(each)]


def _value_of(picker: Picker) -> Value | None:
    try:
        return picker.plain_value()
    except ValueError:
        return None


def _is_folded(role: Input) -> bool:
    """Whether a role stands under the fold."""
    return role.least == 0 == role.most - 1 if role.folded is None else role.folded


class InputsForm(QWidget):
    """All roles of a tool."""

    changed = Signal()

    def __init__(self, viewer: ViewerModel, tool: Tool[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._begin(viewer)
        for role in tool.inputs:
            self._add_role(role, tool.inputs)
        self._complete()

    @classmethod
    def in_pieces(cls, viewer: ViewerModel, tool: Tool[Any]) -> Generator[None, None, InputsForm]:
        """The same, one role in each piece."""
        form = cls.__new__(cls)
        QWidget.__init__(form)
        form._begin(viewer)
        for role in tool.inputs:
            form._add_role(role, tool.inputs)
            yield
        for each in form.roles.values():
            for picker in each.pickers:
                # Layers may have come or gone meanwhile.
                picker.offer_layers()
        form._complete()
        return form

    def _begin(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._choosing = False
        self._settled = False
        self._partners: dict[str, str | None] = {}
        self.roles: dict[str, RoleForm] = {}

    def _add_role(self, role: Input, roles: Sequence[Input]) -> None:
        partner = partner_of(role, roles) if DRAWN & set(role.kinds) else None
        self.roles[role.name] = RoleForm(self._viewer, role, partial(self._layer_of, partner))
        self._partners[role.name] = partner

    def _complete(self) -> None:
        """Lay out the roles, and choose layers for them."""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        extra = [form for form in self.roles.values() if _is_folded(form.role)]
        for form in self.roles.values():
            if form not in extra:
                layout.addWidget(form)
        if extra:
            layout.addWidget(folded("Optional inputs", extra))
        self._of_viewer = Connections(self)
        for event in ("inserted", "removed", "reordered"):
            self._of_viewer.connect(
                getattr(self._viewer.layers.events, event), self._layers_changed
            )
        self._choose_layers()
        for form in self.roles.values():
            form.changed.connect(self._changed)
        self._refresh_summaries()

    def given(self, origins: bool = False) -> dict[str, list[Any]]:
        """What is chosen, by role.

        Parameters
        ----------
        origins : bool
            Look up the files that stand behind the layers, for a recipe.

        Raises
        ------
        ValueError
            In one sentence, where a chosen layer cannot be read so.
        """
        given: dict[str, list[Any]] = {}
        for name, form in self.roles.items():
            values = []
            for picker in form.pickers:
                value = picker.value(origins, self._layer_of(self._partners[name]))
                if value is not None:
                    values.append(value)
            given[name] = values
        return given

    def layers(self) -> dict[str, list[Layer]]:
        """The chosen layers by role."""
        return {
            name: [picker.layer for picker in form.pickers if picker.layer is not None]
            for name, form in self.roles.items()
        }

    def write_numbers(self, role: str, refs: Sequence[InputRef]) -> None:
        """Write the numbers that a recipe has with the inputs of a role."""
        for picker, ref in zip(self.roles[role].pickers, refs, strict=False):
            if isinstance(picker, LayerPicker) and picker.number_box is not None:
                picker.number_box.set_numbers(ref.values, ref.value_pattern)

    def choose(self, role: str, chosen: list[tuple[Layer, Selection]]) -> None:
        """Choose layers for a role, as a recipe says."""
        form = self.roles[role]
        form.set_count(len(chosen))
        for picker, (layer, selection) in zip(form.pickers, chosen, strict=False):
            picker.choose(layer, selection)
        self._changed()

    def settle(self, run: bool = False) -> None:
        """Keep what is chosen from now on, whatever layers come: the panel said that it can run.

        A form whose roles hold other frames than they should waits for better layers, unless the
        user `run`s it as it is.
        """
        self._settled |= run or all(
            form.chosen_by_hand or self._filled(form) for form in self.roles.values()
        )

    def close_connections(self) -> None:
        """Stop listening to the viewer."""
        self._of_viewer.undo()
        for form in self.roles.values():
            for picker in form.pickers:
                picker.close_connections()

    def layer_under(self, role: str) -> Layer | None:
        """The layer on whose pixel grid points, shapes and labels of a role are wanted."""
        return self._layer_of(self._partners[role])

    def _layer_of(self, role: str | None) -> Layer | None:
        """The layer that is chosen for a role, if it is the only one."""
        pickers = self.roles[role].pickers if role in self.roles else []
        return pickers[0].layer if len(pickers) == 1 else None

    def _layers_changed(self, event: Any = None) -> None:
        layer = getattr(event, "value", None)
        if isinstance(layer, Layer) and passing(layer):
            return
        self._choosing = True
        for form in self.roles.values():
            for picker in form.pickers:
                picker.offer_layers()
            if not self._viewer.layers:
                form.start_afresh()
        self._choosing = False
        self._settled = self._settled and len(self._viewer.layers) > 0
        self._choose_layers()
        self._changed()

    def _changed(self) -> None:
        if not self._choosing:
            self._refresh_summaries()
            self.changed.emit()

    def _refresh_summaries(self) -> None:
        for form in self.roles.values():
            for picker in form.pickers:
                picker.refresh_summary()

    def _choose_layers(self) -> None:
        """Fill what the user left open with the layers that fit best, each once.

        The result of a tool is never chosen so, and nothing is once the form has settled.
        """
        if self._settled:
            return
        self._choosing = True
        taken: list[Layer] = []
        for form in self.roles.values():
            taken += [p.layer for p in form.pickers if p.chosen_by_hand and p.layer is not None]
        for form in self.roles.values():
            if form.chosen_by_hand:
                continue
            # The topmost layer comes first where one is wanted, the lowest where several are.
            free = _free(form.pickers[0], taken)
            best = self._best(form.role, free if form.role.most > 1 else free[::-1])
            form.set_count(len(best))
            for number, picker in enumerate(form.pickers):
                picker.choose_for(best[number] if number < len(best) else None)
            taken += best
        self._choosing = False

    def _best(self, role: Input, free: list[Layer]) -> list[Layer]:
        """The layers that fit a role best: those made for it, else those of the right shape."""
        fitness = {layer: self._fitness(role, layer) for layer in free}
        fitting = [each for each in free if fitness[each][0] or role.same_frame_as is None]
        made_for_it = [each for each in fitting if part_of(each) == role.name]
        if made_for_it or role.least == 0:
            return made_for_it[: role.most]
        if role.most > 1:
            return [each for each in fitting if fitness[each][1]][: role.most]
        return sorted(free, key=lambda layer: fitness[layer], reverse=True)[:1]

    def _filled(self, form: RoleForm) -> bool:
        """Whether a role has as many layers as it should, each with frames as it should."""
        role = form.role
        if role.least == 0 or not set(role.kinds) & set(_IMAGE_KINDS):
            return True
        layers = [picker.layer for picker in form.pickers if picker.layer is not None]
        return len(layers) >= role.least and all(self._fitness(role, layer)[1] for layer in layers)

    def _fitness(self, role: Input, layer: Layer) -> tuple[bool, bool]:
        """How well a layer fits a role: frames as its partner's, and many or one as asked."""
        if not isinstance(layer, Image):
            return False, False
        try:
            stack = stack_of_layer(layer)
        except ValueError:
            return False, False
        partner = self.roles.get(role.same_frame_as or "")
        other = _value_of(partner.pickers[0]) if partner is not None and partner.pickers else None
        same_shape = isinstance(other, Stack) and stack.frame_shape == other.frame_shape
        return same_shape, (stack.n_frames > 1) == bool({Kind.STACK, Kind.IMAGES} & set(role.kinds))
