"""Tensor-product B-splines on regular knots: values, derivatives, roughness, smoothing fits.

A function of d coordinates is ``f(p) = sum_k c[k] prod_a B_k(p_a)`` with B-splines of degree 0 to 5
on equally spaced knots (Unser 1999; Eilers & Marx 1996). Beyond an axis' ends the polynomial of the
cell at the border goes on: whether that may be used is the caller's affair.
"""

from napari_framewise.numerics.bsplines.axis import Axis
from napari_framewise.numerics.bsplines.fitting import Fit, fit, roughness_scale
from napari_framewise.numerics.bsplines.lattice import Lattice

__all__ = ["Axis", "Fit", "Lattice", "fit", "roughness_scale"]
