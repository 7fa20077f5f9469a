"""Plane transforms as 3 x 3 matrices: families, points, composition, fits to landmarks, warps.

A matrix acts on columns ``(row, column, 1)`` from the left, in pixels with centres on integers;
points are ``matrix @ (r, c, 1)`` divided by their third component. An image is pulled back: the
matrix leads from the pixels of the result to those of the image that values are taken from.
"""

from __future__ import annotations

from napari_framewise.numerics.transforms.cropping import shown_by_all as shown_by_all
from napari_framewise.numerics.transforms.fitting import fitted_to_points as fitted_to_points
from napari_framewise.numerics.transforms.fitting import nearest as nearest
from napari_framewise.numerics.transforms.matrices import MOTIONS as MOTIONS
from napari_framewise.numerics.transforms.matrices import FloatArray as FloatArray
from napari_framewise.numerics.transforms.matrices import Motion as Motion
from napari_framewise.numerics.transforms.matrices import accumulated as accumulated
from napari_framewise.numerics.transforms.matrices import composed as composed
from napari_framewise.numerics.transforms.matrices import corners as corners
from napari_framewise.numerics.transforms.matrices import described as described
from napari_framewise.numerics.transforms.matrices import displacement as displacement
from napari_framewise.numerics.transforms.matrices import generators as generators
from napari_framewise.numerics.transforms.matrices import inverse as inverse
from napari_framewise.numerics.transforms.matrices import jacobian as jacobian
from napari_framewise.numerics.transforms.matrices import mapped as mapped
from napari_framewise.numerics.transforms.matrices import normalised as normalised
from napari_framewise.numerics.transforms.matrices import parameter_names as parameter_names
from napari_framewise.numerics.transforms.warping import as_type as as_type
from napari_framewise.numerics.transforms.warping import warp as warp
