"""A photograph with a hole, beside what stood in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from skimage import data

from napari_framewise.samples.mixtures import SEED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.legend import Legend
from napari_framewise.stacks.stack import stack_of

_SHARE = 0.03
_MIDDLE = (250, 270)


def holed_photograph() -> SampleData:
    """A photograph of a brick wall, 512 x 512, 3 % of which are painted white.

    The truth holds `image` (512, 512), the photograph as it was. The part *hole* is 1 where it is
    painted over, in one piece with a smooth outline.
    """
    image = data.brick()
    rows, columns = np.indices(image.shape)
    down, right = rows - _MIDDLE[0], columns - _MIDDLE[1]
    angle = np.arctan2(down, right)
    random = np.random.default_rng(SEED + 11)
    bulges = [
        random.normal(0, 0.12 / np.sqrt(k)) * np.cos(k * angle + random.uniform(0, 2 * np.pi))
        for k in range(2, 7)
    ]
    reach = np.hypot(down, right) / (1 + sum(bulges))
    hole = reach <= np.quantile(reach, _SHARE)
    title = "Photograph with a hole"
    red = Legend(np.array([1]), np.array([[0.9, 0.2, 0.2, 1.0]]))
    truth = {"image": image}
    axes = ("y", "x")
    painted = stack_of(hole.astype(np.uint8), axes=axes, name=f"{title}, hole")
    stacks = (
        ("stack", stack_of(np.where(hole, 255, image).astype(np.uint8), axes=axes, name=title)),
        ("hole", replace(painted, legend=red)),
        ("truth", stack_of(image, axes=axes, name=f"{title}, truth")),
    )
    return SampleData(stacks, truth, described(title, "brick, ships with scikit-image", truth))
