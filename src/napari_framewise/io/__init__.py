"""Files: which reader for which file, and back to disk."""

from napari_framewise.io.formats.layers import contrast_limits, layer_data
from napari_framewise.io.formats.tables import read_table, write_table
from napari_framewise.io.formats.writing import write_image
from napari_framewise.io.opening import can_open, open_stack, readable_formats

__all__ = [
    "can_open",
    "contrast_limits",
    "layer_data",
    "open_stack",
    "read_table",
    "readable_formats",
    "write_image",
    "write_table",
]
