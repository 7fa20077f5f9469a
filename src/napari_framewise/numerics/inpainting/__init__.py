"""Filling of holes by exemplars (Criminisi, Perez & Toyama 2004), patch by patch."""

from napari_framewise.numerics.inpainting.filling import (
    WHOLE,
    Filling,
    Patch,
    Settings,
    begun,
    with_hole,
)
from napari_framewise.numerics.inpainting.workspace import Workspace, fill

__all__ = ["WHOLE", "Filling", "Patch", "Settings", "Workspace", "begun", "fill", "with_hole"]
