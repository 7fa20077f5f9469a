"""What of a stack is used: the frame axis, a range of frames, a channel, a region."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from napari_framewise.plugin.choice_box import ChoiceBox
from napari_framewise.plugin.forms.number_fields import WholeBox
from napari_framewise.stacks.stack import Selection, Stack

Region = tuple[tuple[int, int], tuple[int, int]]


class SelectionForm(QWidget):
    """Widgets for a Selection of one stack.

    Parameters
    ----------
    single : bool
        One frame is taken, not a range.
    with_region : bool
        Rows and columns can be chosen.
    frame_in_view : callable
        The frame that the slider stands on, among all of a stack.
    rectangle : callable
        The rectangle that was drawn, as rows and columns; None where there is none.
    """

    changed = Signal()

    def __init__(
        self,
        *,
        single: bool,
        with_region: bool,
        frame_in_view: Callable[[Stack], int | None],
        rectangle: Callable[[], Region | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._single = single
        self._with_region = with_region
        self._frame_in_view = frame_in_view
        self._rectangle = rectangle
        self._stack: Stack | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(8, 0, 0, 4)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        self.axes_box = ChoiceBox()
        self.axes_box.setToolTip("The axis of the data that the frames run along.")
        self._channel = ChoiceBox()
        self._channel.setToolTip("Which channel of each frame is used.")
        self._frames = [_spin(tip) for tip in _FRAME_TIPS[: 1 if single else 3]]
        self._rows = [_spin(tip) for tip in ("First row", "Last row")]
        self._columns = [_spin(tip) for tip in ("First column", "Last column")]
        self.here_button = _button("in view", "Take the frame that the slider stands on.", self)
        self.drawn_button = _button(
            "Take the drawn rectangle",
            "Rows and columns under the first rectangle of a shapes layer.",
            self,
        )
        self.here_button.clicked.connect(self._take_frame_in_view)
        self.drawn_button.clicked.connect(self._take_rectangle)
        self.axes_box.currentIndexChanged.connect(self._axes_changed)
        self._channel.currentIndexChanged.connect(self._tell)
        for spin in (*self._frames, *self._rows, *self._columns):
            spin.valueChanged.connect(self._tell)
        self.no_data_field = QLineEdit()
        self.no_data_field.setToolTip(
            "Value that stands for missing pixels, such as -9999; empty: what the file says."
        )
        self.no_data_field.editingFinished.connect(self._tell)
        self._lines: dict[str, list[QWidget]] = {}
        self._add_line("axes", "Frames along", self.axes_box)
        if single:
            self._add_line("frames", "Frame", self._frames[0], self.here_button)
        else:
            self._add_line("frames", "Frames", *self._frames[:2])
            self._add_line("every", "Every", self._frames[2])
            self.here_button.hide()
        self._add_line("channel", "Channel", self._channel)
        self._add_line("rows", "Rows", *self._rows)
        self._add_line("columns", "Columns", *self._columns)
        self._add_line("drawn", "", self.drawn_button)
        self._add_line("no_data", "No data", self.no_data_field)

    def show_stack(self, stack: Stack | None, keep: bool = False) -> None:
        """Offer what a stack has to choose from; `keep` what is chosen where that still fits."""
        chosen = self.selection() if keep and self._stack is not None else Selection()
        self._stack = stack
        if stack is not None:
            try:
                self.set_selection(stack.select(chosen).selection)
            except ValueError:
                self.set_selection(Selection())

    def set_selection(self, selection: Selection) -> None:
        """Fill the widgets."""
        stack = self._stack
        if stack is None:
            return
        blockers = [QSignalBlocker(widget) for widget in self._inputs()]
        self.axes_box.clear()
        for axes in _axes_choices(stack):
            self.axes_box.addItem(_axes_text(stack, axes), axes)
        wanted = selection.frames_along
        default = stack.select(Selection()).frame_axes
        self.axes_box.setCurrentIndex(max(self._find(wanted if wanted is not None else default), 0))
        self._fill_frames(selection)
        self._channel.clear()
        axis = stack.channel_axis
        if axis is not None:
            self._channel.addItem("all", None)
            for number in range(stack.source.shape[axis]):
                self._channel.addItem(str(number), number)
            self._channel.setCurrentIndex(max(self._channel.findData(selection.channel), 0))
        self.no_data_field.setPlaceholderText(
            "none" if stack.no_data is None else f"{stack.no_data:g}, as the file says"
        )
        value = selection.no_data
        self.no_data_field.setText("" if value is None else f"{value!r}".removesuffix(".0"))
        del blockers
        self._show_lines()
        self.changed.emit()

    def selection(self) -> Selection:
        """What is chosen, in the fewest words: whatever is left as it is stays None."""
        stack = self._stack
        if stack is None:
            return Selection()
        along = tuple(self.axes_box.currentData() or ())
        chosen = Selection(
            frames_along=None if along == stack.select(Selection()).frame_axes else along
        )
        plain = stack.select(chosen)
        frames = self._chosen_frames(plain.n_frames)
        channel = self._channel.currentData() if self._channel_counts(plain) else None
        region = self._chosen_region(plain)
        return Selection(chosen.frames_along, frames, channel, region, self._chosen_no_data())

    def _inputs(self) -> list[Any]:
        spins = [*self._frames, *self._rows, *self._columns]
        return [self.axes_box, self._channel, *spins, self.no_data_field]

    def _find(self, axes: tuple[int, ...]) -> int:
        # findData compares Qt variants, which do not hold tuples as such.
        found = [
            n for n in range(self.axes_box.count()) if tuple(self.axes_box.itemData(n)) == axes
        ]
        return found[0] if found else -1

    def _fill_frames(self, selection: Selection) -> None:
        stack = self._stack
        assert stack is not None
        plain = stack.select(Selection(frames_along=tuple(self.axes_box.currentData() or ())))
        last = max(plain.n_frames - 1, 0)
        start, stop, step = selection.frames or (0, last + 1, 1)
        for spin, value, most in zip(
            self._frames, (start, stop - 1, step), (last, last, max(last, 1)), strict=False
        ):
            spin.setRange(1 if spin is self._frames[-1] and not self._single else 0, most)
            spin.setValue(value)
        size = _plane(plain)
        region = selection.region or tuple((0, length) for length in size)
        for spins, limits, length in zip((self._rows, self._columns), region, size, strict=False):
            for spin, value in zip(spins, (limits[0], limits[1] - 1), strict=True):
                spin.setRange(0, length - 1)
                spin.setValue(value)

    def _chosen_no_data(self) -> float | None:
        """The value typed; a text that is no number stands for none."""
        try:
            return float(self.no_data_field.text())
        except ValueError:
            return None

    def _chosen_frames(self, n: int) -> tuple[int, int, int] | None:
        first = self._frames[0].value()
        if self._single:
            return None if n <= 1 else (first, first + 1, 1)
        last, step = self._frames[1].value(), self._frames[2].value()
        return None if (first, last, step) == (0, n - 1, 1) or n <= 1 else (first, last + 1, step)

    def _chosen_region(self, plain: Stack) -> Region | None:
        size = _plane(plain)
        if not self._with_region or len(size) < 2:
            return None
        rows = (self._rows[0].value(), self._rows[1].value() + 1)
        columns = (self._columns[0].value(), self._columns[1].value() + 1)
        return None if (rows, columns) == ((0, size[0]), (0, size[1])) else (rows, columns)

    def _channel_counts(self, plain: Stack) -> bool:
        return plain.channel_axis is not None and plain.channel_axis not in plain.frame_axes

    def _axes_changed(self) -> None:
        blockers = [QSignalBlocker(widget) for widget in self._inputs()]
        self._fill_frames(Selection())
        del blockers
        self._show_lines()
        self.changed.emit()

    def _take_frame_in_view(self) -> None:
        number = self._frame_in_view(self._stack.select(Selection())) if self._stack else None
        if number is not None:
            self._frames[0].setValue(number)

    def _take_rectangle(self) -> None:
        region = self._rectangle()
        if region is None or self._stack is None:
            return
        for spins, (start, stop) in zip((self._rows, self._columns), region, strict=True):
            spins[1].setValue(stop - 1)
            spins[0].setValue(start)

    def _show_lines(self) -> None:
        stack = self._stack
        assert stack is not None
        plain = stack.select(Selection(frames_along=tuple(self.axes_box.currentData() or ())))
        planar = self._with_region and len(_plane(plain)) == 2
        shown = {
            "axes": self.axes_box.count() > 1,
            "frames": plain.n_frames > 1,
            "every": plain.n_frames > 1,
            "channel": self._channel_counts(plain),
            "rows": planar,
            "columns": planar,
            "drawn": planar,
            "no_data": True,
        }
        for name, widgets in self._lines.items():
            for widget in widgets:
                widget.setVisible(shown[name])

    def _add_line(self, name: str, title: str, *widgets: QWidget) -> None:
        row = self._grid.rowCount()
        label = QLabel(title)
        self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignVCenter)
        for column, widget in enumerate(widgets, start=1):
            self._grid.addWidget(widget, row, column, 1, 2 if len(widgets) == 1 else 1)
        self._lines[name] = [label, *widgets]

    def _tell(self) -> None:
        self.changed.emit()


_FRAME_TIPS = ("First frame", "Last frame", "Every how many frames one is taken")


def _spin(tip: str) -> WholeBox:
    spin = WholeBox(0, None)
    spin.setToolTip(tip)
    spin.setMinimumWidth(80)
    spin.setKeyboardTracking(False)
    spin.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return spin


def _button(text: str, tip: str, parent: QWidget) -> QPushButton:
    button = QPushButton(text, parent)
    button.setToolTip(tip)
    return button


def _plane(stack: Stack) -> tuple[int, ...]:
    """Rows and columns of the whole frames."""
    shape = stack.source.shape
    spatial = [axis for axis in stack.image_axes if axis != stack.channel_axis]
    return tuple(shape[axis] for axis in spatial[-2:])


def _axes_choices(stack: Stack) -> list[tuple[int, ...]]:
    """Axes that frames may run along, so that a frame keeps at least two of them.

    Those that make sense first: as the axes are named, along all but rows and columns (and
    channels), and along the first axis alone.
    """
    colour = stack.channel_axis if stack.rgb else None
    axes = [axis for axis in range(len(stack.axes)) if axis != colour]
    most = max(len(axes) - 2, 0)
    every = [choice for count in range(most + 1) for choice in combinations(axes, count)]
    plain = [axis for axis in axes if axis != stack.channel_axis]
    likely = (stack.select(Selection()).frame_axes, tuple(plain[:-2]), tuple(plain[:1]))
    return list(dict.fromkeys([*(each for each in likely if each in every), *every]))


def _axes_text(stack: Stack, axes: tuple[int, ...]) -> str:
    if not axes:
        return "none: it is one image"
    return " and ".join(
        f"axis {axis}"
        + ("" if stack.axes[axis].name == f"axis {axis}" else f" ({stack.axes[axis].name})")
        for axis in axes
    )
