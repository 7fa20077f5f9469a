"""Scenes with a known truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Scene(NamedTuple):
    """References (K, y, x), the shares of them (n, K) in each frame, and the frames (n, y, x)."""

    references: FloatArray
    shares: FloatArray
    frames: FloatArray


@pytest.fixture
def scene() -> Callable[..., Scene]:
    """Make frames that are mixtures of `count` random references plus Gaussian noise."""

    def make(
        n: int = 30,
        count: int = 2,
        shape: tuple[int, ...] = (7, 9),
        noise: float = 20.0,
        seed: int = 0,
    ) -> Scene:
        rng = np.random.default_rng(seed)
        references = rng.uniform(500, 3000, (count, *shape))
        shares = rng.uniform(0.4, 0.7, (n, count))
        if count == 2:
            shares[:, 1] = 1 - shares[:, 0]
        else:
            shares /= shares.sum(axis=1, keepdims=True)
        frames = np.tensordot(shares, references, 1) + rng.normal(0, noise, (n, *shape))
        return Scene(references, shares, frames)

    return make
