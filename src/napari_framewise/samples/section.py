"""A section through a weld: dark boundaries of layers through speckle, jitter and gaps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_framewise.samples.mixtures import SEED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import stack_of

SHAPE = (600, 900)
_LAYERS = 3
_LINE, _DEPTH = 1.3, 0.45
_GAPS, _GAP = 0.06, (10, 40)
_LOOKS = 16
_SIZE = 0.02


def boundaries(
    rng: np.random.Generator, shape: tuple[int, int] = SHAPE, layers: int = _LAYERS
) -> npt.NDArray[np.float64]:
    """Rows of the layers' boundaries in every column, (layers, x), from top to bottom.

    Each is a bead on the one below it; on the plate beside them they start 9 pixels apart.
    """
    height, width = shape
    x = np.arange(width) / width
    plate = 0.78 * height + 0.02 * height * (x - 0.5)
    rows, top = [plate + 9.0 * (layers - 1)], plate + 9.0 * (layers - 1)
    centre = rng.uniform(0.45, 0.55)
    for number in range(layers):
        bead = height * rng.uniform(0.14, 0.19)
        wide = rng.uniform(0.13, 0.16) + 0.02 * number
        shape_of = np.exp(-(np.abs((x - centre) / wide) ** 2.5))
        ripple = sum(
            rng.normal(0, 1.0) * np.cos(np.pi * k * x + rng.uniform(0, 2 * np.pi))
            for k in range(4, 12)
        )
        top = (rows[-1] if number else top) - bead * shape_of + 0.6 * ripple * (shape_of + 0.1)
        rows.append(top - 9.0 * (number > 0))
    return np.array(rows[:0:-1])


def drawn(
    rows: npt.NDArray[np.float64],
    rng: np.random.Generator,
    height: int,
    jitter: float = 1.0,
    gaps: float = _GAPS,
) -> npt.NDArray[np.float64]:
    """The section that a camera sees: lines that jitter from column to column, gaps, speckle."""
    width = rows.shape[1]
    at = np.arange(height)[:, np.newaxis]
    image = np.ones((height, width))
    for row in rows:
        image += rng.uniform(-0.06, 0.06) * (at > row)
    for row in rows:
        seen = np.ones(width)
        while (seen == 0).mean() < gaps:
            length = int(rng.integers(*_GAP))
            start = int(rng.integers(0, width - length))
            seen[start : start + length] = 0
        line = row + rng.normal(0, jitter, width)
        image -= _DEPTH * seen * np.exp(-((at - line) ** 2) / (2 * _LINE**2))
    return image * rng.gamma(_LOOKS, 1 / _LOOKS, image.shape)


def weld_section() -> SampleData:
    """A section of 600 x 900 through three layers of a weld, 0.02 mm a pixel.

    The boundaries jitter by 1 px from column to column, 6 % of each are missing, and the speckle is
    that of 16 looks. The truth holds `rows` (3, 900), the boundaries in pixels, from top to bottom,
    and `jitter`.
    """
    rng = np.random.default_rng(SEED + 31)
    rows = boundaries(rng)
    image = (10_000 * drawn(rows, rng, SHAPE[0])).clip(0, 65_535).astype(np.uint16)
    title = "Section of a weld"
    truth = {"rows": rows, "jitter": 1.0}
    stack = stack_of(
        image,
        axes=("y", "x"),
        scale=(_SIZE, _SIZE),
        units=("millimeter", "millimeter"),
        name=title,
    )
    return SampleData((("stack", stack),), truth, described(title, "drawn", truth))
