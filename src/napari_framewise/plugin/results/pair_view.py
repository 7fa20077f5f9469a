"""The two images of a pair, side by side: of a click on a matrix of pairs or on a table's row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap, QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_framewise.framework.outcome import Table
from napari_framewise.plugin.running.runner import Failure, Latest
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

FIRST, SECOND = "first", "second"
"""Columns of a table of pairs that name its two frames, or images."""
_SIDE = 512
_LEAST = 90


def pair_of(table: Table, row: int) -> tuple[int, int] | None:
    """The numbers of the two images of a row; None where the table holds no such pairs."""
    if table.entity != "pair" or not {FIRST, SECOND} <= table.columns.keys():
        return None
    return int(table.columns[FIRST][row]), int(table.columns[SECOND][row])


class PairView(QWidget):
    """Two images with their names; hidden until a pair is asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: Stack | RaggedStack | None = None
        self.names = [QLabel(), QLabel()]
        self._pictures = [QLabel(), QLabel()]
        self._pixmaps: list[QPixmap] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for name, picture in zip(self.names, self._pictures, strict=True):
            picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            picture.setMinimumHeight(_LEAST)
            picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
            part = QVBoxLayout()
            part.addWidget(name)
            part.addWidget(picture, 1)
            layout.addLayout(part, 1)
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

    def show_pair(self, first: int, second: int) -> None:
        """Show two images, by their place among the chosen ones, counted from 0."""
        images = self._images
        if images is None or not all(0 <= each < images.n_frames for each in (first, second)):
            return
        for label, number in zip(self.names, (first, second), strict=True):
            label.setText(name_of(images, number))
            label.setToolTip(label.text())
        self.show()
        self._reading.ask(partial(read_pair, images, first, second))

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
    """What an image is called: its file, or its number in the whole stack."""
    if isinstance(images, RaggedStack):
        return images.names[number]
    return f"{images.name} {images.frame_numbers[number]:,}"


def read_pair(images: Stack | RaggedStack, first: int, second: int) -> list[Array]:
    """Two images as bytes (y, x) or (y, x, 3), in the same contrast, of at most 512 pixels."""
    found = []
    for number in (first, second):
        image = images.read(number) if isinstance(images, RaggedStack) else images.frame(number)
        found.append(_plane(image, images))
    finite = [image[np.isfinite(image)] for image in found]
    together = np.concatenate([values.ravel() for values in finite])
    low, high = np.percentile(together, (0.2, 99.8)) if together.size else (0.0, 1.0)
    width = (high - low) or 1.0
    scaled = [np.clip((image - low) / width, 0, 1) * 255 for image in found]
    return [np.nan_to_num(image).astype(np.uint8) for image in scaled]


def _plane(image: Array, images: Stack | RaggedStack) -> Array:
    """The middle plane of an image, thinned; colours stay, other channels are averaged."""
    channels = image.ndim > 2 and (images.rgb or (isinstance(images, Stack) and images.channels))
    while image.ndim > 2 + bool(channels):
        image = image[image.shape[0] // 2]
    step = max(1, -(-max(image.shape[:2]) // _SIDE))
    image = image[::step, ::step].astype(float)
    if not channels:
        return image
    return image[..., :3] if images.rgb else image.mean(axis=-1)


def _as_image(values: Array) -> QImage:
    plain = np.ascontiguousarray(values)
    height, width = plain.shape[:2]
    kind = QImage.Format.Format_RGB888 if plain.ndim == 3 else QImage.Format.Format_Grayscale8
    # The picture only borrows the memory, so it is copied.
    return QImage(plain.tobytes(), width, height, plain.strides[0], kind).copy()
