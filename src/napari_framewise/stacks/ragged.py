"""Image files of different sizes, read one at a time; for tools that take each for itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array
from napari_framewise.stacks.sources.folder import read_file
from napari_framewise.stacks.stack import Origin, Stack, stack_of


@dataclass(frozen=True)
class RaggedStack:
    """Images of one type and as many channels, each of its own size.

    Attributes
    ----------
    folder : str
        Where the files are.
    names : tuple of str
        Their names in order.
    shapes : tuple of tuple of int
        Shape of each image: (y, x), or (y, x, 3 or 4) of colour.
    element : str
        Type of an element in NumPy's notation.
    name : str
        What the user calls it.
    origin : Origin
        How it was opened.
    """

    folder: str
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    element: str
    name: str
    origin: Origin

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element."""
        return np.dtype(self.element)

    @property
    def n_frames(self) -> int:
        """Number of images."""
        return len(self.shapes)

    @property
    def rgb(self) -> bool:
        """Whether the images have the components of a colour along their last axis."""
        return len(self.shapes[0]) > 2

    @property
    def n_pixels(self) -> int:
        """Pixels of all images."""
        return sum(rows * columns for rows, columns, *_ in self.shapes)

    def summary(self) -> str:
        """What it is in plain words: "600 images of 80 x 96 to 400 x 388, uint8"."""
        ordered = sorted(self.shapes, key=lambda shape: shape[0] * shape[1])
        least, most = (" x ".join(map(str, shape)) for shape in (ordered[0], ordered[-1]))
        return f"{self.n_frames:,} images of {least} to {most}, {self.dtype}"

    @property
    def numbers(self) -> Stack:
        """The images by number, as frames of one element: what a pass is cut along."""
        return stack_of(np.arange(self.n_frames)[:, None], axes=("frame", "n"), name=self.name)

    def read_each(self, numbers: Array) -> Iterator[Array]:
        """The images of a block of `numbers` in turn, one in memory at a time."""
        return (self.read(int(number)) for number in numbers[:, 0])

    def read(self, index: int) -> Array:
        """One image.

        Raises
        ------
        FileNotFoundError
            Where the file was taken away.
        ValueError
            Where it is damaged, or not what it was when the folder was opened; it is named.
        """
        path = os.path.join(self.folder, self.names[index])
        if not os.path.exists(path):
            raise FileNotFoundError(
                f"{path} is not there any more; put it back or open the folder again."
            )
        image = read_file(path)
        if image.shape != self.shapes[index] or image.dtype != self.dtype:
            raise ValueError(f"{path} has changed since the folder was opened; open it again.")
        return image
