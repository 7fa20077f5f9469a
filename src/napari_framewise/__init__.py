"""A stack of frames goes in; a measured answer comes out as layers."""

from importlib.metadata import version

__version__ = version("napari-framewise")
