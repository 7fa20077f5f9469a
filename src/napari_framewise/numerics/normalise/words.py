"""The status of normalised frames, in bits and in sentences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.scaling import Status


def clipped_status(clipped: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Status of frames and channels by the number of their clipped pixels.

    Examples
    --------
    >>> clipped_status(np.array([[0], [3]])).tolist()
    [[0], [8]]
    """
    return np.where(clipped > 0, Status.CLIPPED, 0).astype(np.uint8)


def diagnostics(status: NDArray[np.uint8]) -> tuple[str, ...]:
    """Sentences such as "3 frames held no data."; empty where all is well.

    Examples
    --------
    >>> diagnostics(np.zeros((2, 1), np.uint8))
    ()
    """
    said = []
    for flag, text in _SENTENCES.items():
        found = np.flatnonzero((status & flag).any(axis=1))
        if not len(found):
            continue
        if len(status) == 1:
            said.append(f"The data {text}.")
            continue
        names = ", ".join(map(str, found[:5])) + (" ..." if len(found) > 5 else "")
        said.append(f"{len(found):,} frame{'s' if len(found) > 1 else ''} {text}: {names}.")
    return tuple(said)


_SENTENCES: dict[Status, str] = {
    Status.NO_DATA: "held no pixel to go by, and got no result",
    Status.FLAT: "had nothing to scale by, as where all pixels are equal, and became constant",
    Status.CLIPPED: "were clipped in part, which undoing does not bring back",
    Status.PARTIAL: "held NaN or infinite pixels, which took no part",
}
