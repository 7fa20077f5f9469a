from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from tests.helpers.transform_contract import COUNT, SHAPE, TransformContract

from napari_framewise.framework.model import Space
from napari_framewise.framework.transform import Transform
from napari_framewise.numerics.transforms import inverse, jacobian, mapped
from napari_framewise.stacks.source import Array

SPACE = Space("scene", SHAPE, (1.0, 1.0), ("pixel", "pixel"))
MATRICES = np.array(
    [
        [[1.02, 0.03, 2.5], [-0.02, 0.98, -3.25], [0, 0, 1]],
        [[0.99, -0.05, 1.0], [0.04, 1.01, 4.0], [0, 0, 1]],
    ]
)


@dataclass(frozen=True, eq=False)
class Bare(Transform):
    """What a transform must say itself: its points, and how it is cut and turned round."""

    kind: ClassVar[str] = ""

    matrices: Array

    @property
    def maps(self) -> Array:
        return self.matrices

    def with_maps(self, maps: Array) -> Bare:
        return replace(self, matrices=maps)

    def frames_of(self, count: int, name: str) -> tuple[range, range]:
        return range(count), range(count)

    def pull_back(self, points: Array, frame: int) -> Array:
        return mapped(self.map_of(frame), points)

    def push(self, points: Array, frame: int) -> Array:
        return mapped(inverse(self.map_of(frame)), points)

    def jacobian(self, points: Array, frame: int) -> Array:
        return jacobian(self.map_of(frame), points)

    def inverse(self) -> Bare:
        return Bare(self.target, self.source, inverse(self.matrices))


class TestContract(TransformContract):
    """Images and labels follow from the points."""

    @pytest.fixture
    def transform(self) -> Bare:
        assert len(MATRICES) == COUNT
        return Bare(SPACE, SPACE, MATRICES)

    def known(self, points: Array, frame: int) -> Array:
        return points @ MATRICES[frame][:2, :2].T + MATRICES[frame][:2, 2]
