"""Nodes of calibration grids: corners of chessboards, centres of dots, crossings of lines.

Candidates are extremes of the determinant of the Hessian, a lattice is grown through them with
rows and columns counted, and each node is then measured by the pixels around it.
"""

from napari_framewise.numerics.grid_nodes.finding import Nodes, find_nodes
from napari_framewise.numerics.grid_nodes.growing import Lattice, counted, lattice_of
from napari_framewise.numerics.grid_nodes.pairing import shift_between

__all__ = ["Lattice", "Nodes", "counted", "find_nodes", "lattice_of", "shift_between"]
