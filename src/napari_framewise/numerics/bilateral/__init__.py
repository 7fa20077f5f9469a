"""Bilateral filter: smooth where the image is alike, keep its edges."""

from __future__ import annotations

from napari_framewise.numerics.bilateral.choosing import CELLS, Accuracy, accuracy_of, choose
from napari_framewise.numerics.bilateral.filtering import bilateral_filter, reach

__all__ = ["CELLS", "Accuracy", "accuracy_of", "bilateral_filter", "choose", "reach"]
