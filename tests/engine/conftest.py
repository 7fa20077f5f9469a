from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress


@pytest.fixture(params=["1 thread", "3 threads", "cluster"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each place that passes run in."""
    if request.param == "cluster":
        return request.getfixturevalue("cluster_engine")
    return Engine.local(int(request.param[0]))


Drain = Callable[[Generator[Progress, None, Any]], tuple[Any, list[Progress]]]


@pytest.fixture
def drain() -> Drain:
    """Run a pass to its end: what it returns, and all it told."""

    def run(generator: Generator[Progress, None, Any]) -> tuple[Any, list[Progress]]:
        told = []
        while True:
            try:
                told.append(next(generator))
            except StopIteration as end:
                return end.value, told

    return run


@pytest.fixture(scope="session")
def movie() -> np.ndarray:
    """1,500 frames of 24 x 30, uint16."""
    return np.random.default_rng(5).integers(0, 60_000, (1500, 24, 30), dtype=np.uint16)
