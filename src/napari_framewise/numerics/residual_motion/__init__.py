"""How much motion is left in a stack: extremes of principal components, registered to each other.

What varies most over the frames of an aligned stack is either brightness, or motion that is left.
For each principal component the frames with the highest scores are averaged, those with the lowest
too, and the two means are registered: cells that flash change their brightness and stay in place,
motion moves them. After Stringer, C. and Pachitariu, M. (suite2p, metrics of registration), with
two things more: a shift is brought to the root mean square motion of the frames that the component
stands for, and what noise alone would give is taken out.

A stack is gone through block by block: `power_step` some times, then `scores`, then `means_of`.
"""

from napari_framewise.numerics.residual_motion.extremes import (
    PIXELS,
    SHARE,
    binned,
    binning,
    centred,
    extremes,
    first_basis,
    orthonormal,
    padding,
    power_step,
    principal,
    scores,
    sums_of,
)
from napari_framewise.numerics.residual_motion.judging import (
    Component,
    judge,
    least_seen,
    motion_left,
)

__all__ = [
    "PIXELS",
    "SHARE",
    "Component",
    "binned",
    "binning",
    "centred",
    "extremes",
    "first_basis",
    "judge",
    "least_seen",
    "motion_left",
    "orthonormal",
    "padding",
    "power_step",
    "principal",
    "scores",
    "sums_of",
]
