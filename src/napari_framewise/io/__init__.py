"""Files: which reader for which file, and back to disk."""

from .layers import contrast_limits, layer_data
from .opening import can_open, formats, open_stack
from .tables import read_table, write_table
from .writing import write_image

__all__ = [
    "can_open",
    "contrast_limits",
    "formats",
    "layer_data",
    "open_stack",
    "read_table",
    "write_image",
    "write_table",
]
