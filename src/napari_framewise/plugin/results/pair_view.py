"""The two images of a pair beside each other and overlaid: of a click on a matrix, or on a row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap, QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_framewise.framework.outcome import Table
from napari_framewise.plugin.running.runner import Failure, Latest
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

FIRST, SECOND = "first", "second"
"""Columns of a table of pairs that name its two frames, or images."""
SHIFTS = ("shift_y", "shift_x")
"""Columns that say which pixel of the second shows what a pixel of the first shows."""
_SIDE = 512
_LEAST = 90


def pair_of(table: Table, row: int) -> tuple[int, int] | None:
    """The numbers of the two images of a row; None where the table holds no such pairs."""
    if table.entity != "pair" or not {FIRST, SECOND} <= table.columns.keys():
        return None
    return int(table.columns[FIRST][row]), int(table.columns[SECOND][row])


def shift_of(table: Table, row: int) -> tuple[float, float] | None:
    """From a pixel of the first to that of the second, of a row; None where it is not known."""
    if not set(SHIFTS) <= table.columns.keys():
        return None
    found = tuple(float(table.columns[name][row]) for name in SHIFTS)
    return (found[0], found[1]) if np.isfinite(found).all() else None


def shift_between(tables: Sequence[Table], pair: tuple[int, int]) -> tuple[float, float] | None:
    """The shift of a pair by number, either way round, where a table of pairs lists it."""
    for table in tables:
        if table.entity != "pair" or not {FIRST, SECOND} <= table.columns.keys():
            continue
        listed = np.stack([table.columns[name] for name in (FIRST, SECOND)])
        for order, sign in ((pair, 1), (pair[::-1], -1)):
            rows = np.flatnonzero((listed == np.array(order)[:, None]).all(axis=0))
            shift = shift_of(table, int(rows[0])) if len(rows) else None
            if shift is not None:
                return sign * shift[0], sign * shift[1]
    return None


class PairView(QWidget):
    """Two images with their names, and both overlaid; hidden until a pair is asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: Stack | RaggedStack | None = None
        self.names = [QElidingLabel(), QElidingLabel(), QElidingLabel()]
        self._pictures = [QLabel(), QLabel(), QLabel()]
        self._parts: list[QWidget] = []
        self._pixmaps: list[QPixmap] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for name, picture in zip(self.names, self._pictures, strict=True):
            name.setElideMode(Qt.TextElideMode.ElideMiddle)
            picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            picture.setMinimumHeight(_LEAST)
            picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
            whole = QWidget()
            part = QVBoxLayout(whole)
            part.setContentsMargins(0, 0, 0, 0)
            part.addWidget(name)
            part.addWidget(picture, 1)
            layout.addWidget(whole, 1)
            self._parts.append(whole)
        self._reading = Latest(self)
        self._reading.answered.connect(self._show_images)
        self._reading.failed.connect(self._tell)
        self.hide()

    @property
    def busy(self) -> bool:
        """Whether images are still to be read."""
        return self._reading.busy

    def set_images(self, images: Any) -> None:
        """The stack or the folder of images that pairs are of."""
        self._images = images if isinstance(images, (Stack, RaggedStack)) else None
        self.hide()

    def numbers(self, first: int, second: int) -> tuple[int, int] | None:
        """What tables call two images by their place; None where they are no images."""
        images = self._images
        if images is None or not all(0 <= each < images.n_frames for each in (first, second)):
            return None
        if isinstance(images, RaggedStack):
            return first, second
        return images.frame_numbers[first], images.frame_numbers[second]

    def show_pair(self, first: int, second: int, shift: tuple[float, float] | None = None) -> None:
        """Show two images, by their place among the chosen ones, counted from 0.

        Where it is known by which shift a pixel of the first is found in the second, both are
        overlaid there as well, the first in magenta, the second in green: what agrees is grey.
        """
        images = self._images
        if images is None or self.numbers(first, second) is None:
            return
        for label, number in zip(self.names, (first, second), strict=False):
            label.setText(name_of(images, number))
            label.setToolTip(label.text())
        self._parts[2].setVisible(shift is not None)
        if shift is not None:
            y, x = shift
            self.names[2].setText(f"{y:+.2f}, {x:+.2f} pixels, overlaid")
            self.names[2].setToolTip(
                f"{self.names[0].text()} in magenta, {self.names[1].text()} in green, moved by "
                f"{-y:+.2f} rows and {-x:+.2f} columns; what agrees is grey."
            )
        self.show()
        self._reading.ask(partial(read_pair, images, first, second, shift))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the images into the room there is."""
        super().resizeEvent(event)
        self._fit()

    def close_connections(self) -> None:
        """Wait for no image any more."""
        self._reading.drop()

    def _show_images(self, images: Sequence[Array]) -> None:
        self._pixmaps = [QPixmap.fromImage(image) for image in map(_as_image, images)]
        self._fit()

    def _tell(self, failure: Failure) -> None:
        self.names[0].setText(failure.sentence())

    def _fit(self) -> None:
        for label, pixmap in zip(self._pictures, self._pixmaps, strict=False):
            label.setPixmap(
                pixmap.scaled(
                    label.size(),
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.FastTransformation,
                )
            )


def name_of(images: Stack | RaggedStack, number: int) -> str:
    """The number of an image, as tables count it, before its file's name or its stack's."""
    if isinstance(images, RaggedStack):
        return f"{number:,}: {images.names[number]}"
    return f"{images.frame_numbers[number]:,}: {images.name}"


def read_pair(
    images: Stack | RaggedStack,
    first: int,
    second: int,
    shift: tuple[float, float] | None = None,
) -> list[Array]:
    """Two images as bytes (y, x) or (y, x, 3), in the same contrast, of at most 512 pixels.

    With a shift a third one: both overlaid (y, x, 3), each in its own contrast.
    """
    wholes = [
        _plane(images.read(k) if isinstance(images, RaggedStack) else images.frame(k), images)
        for k in (first, second)
    ]
    found = [image[:: _step(image), :: _step(image)].astype(float) for image in wholes]
    finite = np.concatenate([image[np.isfinite(image)].ravel() for image in found])
    shown = [_as_bytes(image, _limits(finite)) for image in found]
    return shown if shift is None else [*shown, overlaid(wholes[0], wholes[1], shift)]


def overlaid(first: Array, second: Array, shift: tuple[float, float]) -> Array:
    """The first in red and blue, the second, moved back by the shift, in green: (y, x, 3) bytes."""
    step = max(_step(first), _step(second))
    thin = [image[::step, ::step].astype(float) for image in (first, second)]
    planes = [each.mean(axis=-1) if each.ndim == 3 else each for each in thin]
    back = [round(-each / step) for each in shift]
    starts = [[max(0, -move) for move in back], [max(0, move) for move in back]]
    ends = [np.add(start, plane.shape) for start, plane in zip(starts, planes, strict=True)]
    whole = np.zeros((*np.max(ends, axis=0), 3), np.uint8)
    for plane, (top, left), colours in zip(planes, starts, ((0, 2), (1,)), strict=True):
        ready = _as_bytes(plane, _limits(plane[np.isfinite(plane)]))
        for colour in colours:
            whole[top : top + plane.shape[0], left : left + plane.shape[1], colour] = ready
    return whole


def _limits(values: Array) -> tuple[float, float]:
    low, high = np.percentile(values, (0.2, 99.8)) if values.size else (0.0, 1.0)
    return float(low), float(high)


def _as_bytes(image: Array, limits: tuple[float, float]) -> Array:
    low, high = limits
    scaled = np.clip((image - low) / ((high - low) or 1.0), 0, 1) * 255
    return np.asarray(np.nan_to_num(scaled).astype(np.uint8))


def _step(image: Array) -> int:
    return max(1, -(-max(image.shape[:2]) // _SIDE))


def _plane(image: Array, images: Stack | RaggedStack) -> Array:
    """The middle plane of an image; colours stay, other channels are averaged."""
    channels = image.ndim > 2 and (images.rgb or (isinstance(images, Stack) and images.channels))
    while image.ndim > 2 + bool(channels):
        image = image[image.shape[0] // 2]
    if not channels:
        return image
    return image[..., :3] if images.rgb else image.astype(float).mean(axis=-1)


def _as_image(values: Array) -> QImage:
    plain = np.ascontiguousarray(values)
    height, width = plain.shape[:2]
    kind = QImage.Format.Format_RGB888 if plain.ndim == 3 else QImage.Format.Format_Grayscale8
    # The picture only borrows the memory, so it is copied.
    return QImage(plain.tobytes(), width, height, plain.strides[0], kind).copy()
