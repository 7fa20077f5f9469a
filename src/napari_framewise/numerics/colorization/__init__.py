"""Colorization: colours of scribbles, spread over a grey image where neighbours are alike."""

from __future__ import annotations

from napari_framewise.numerics.colorization.affinity import Affinity, Form, affinity, weighted
from napari_framewise.numerics.colorization.coarse import coarse_chroma
from napari_framewise.numerics.colorization.colours import (
    LUMA,
    chroma_of,
    coloured,
    luminance_of,
)
from napari_framewise.numerics.colorization.loss import loss, loss_gradient
from napari_framewise.numerics.colorization.system import Factored, factored, memory_needed

__all__ = [
    "LUMA",
    "Affinity",
    "Factored",
    "Form",
    "affinity",
    "chroma_of",
    "coarse_chroma",
    "coloured",
    "factored",
    "loss",
    "loss_gradient",
    "luminance_of",
    "memory_needed",
    "weighted",
]
