"""What every test stands on: nothing of the user's is read, nothing outlives the run."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numba
import pytest
import threadpoolctl
from hypothesis import settings

if TYPE_CHECKING:
    from distributed import LocalCluster

    from napari_framewise.engine import Engine

ROOT = Path(__file__).parents[1]


def _kernel_cache() -> Path:
    """A cache of compiled kernels for the sources as they stand now.

    numba looks at the date of a kernel's own file only: where a kernel calls another that has
    changed in another file, it would take the old machine code.
    """
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src").rglob("*.py")):
        source = path.read_bytes()
        if b"compiling" in source:
            digest.update(source)
    return ROOT / ".cache" / "numba" / digest.hexdigest()[:16]


def pytest_configure(config: pytest.Config) -> None:
    home = tempfile.TemporaryDirectory(prefix="framewise-tests-")
    config.add_cleanup(home.cleanup)
    os.environ.update(
        # napari and Qt would read the settings and the window sizes of whoever runs the tests.
        NAPARI_CONFIG=str(Path(home.name, "napari", "settings.yaml")),
        XDG_CONFIG_HOME=str(Path(home.name, "config")),
        DASK_CONFIG=str(Path(home.name, "dask")),
        MPLCONFIGDIR=str(Path(home.name, "matplotlib")),
        MPLBACKEND="agg",
        NAPARI_STRICT_QT="1",
        NUMBA_CACHE_DIR=str(_kernel_cache()),
        # For the processes that tests start; this one has loaded its BLAS already.
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
    )
    numba.core.config.reload_config()
    threadpoolctl.threadpool_limits(1, user_api="blas")


# The first call of a kernel compiles it, so no deadline can hold.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """Two processes of one thread each."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cluster_engine(cluster: LocalCluster) -> Iterator[Engine]:
    from napari_framewise.engine import Engine

    with Engine.cluster(cluster.scheduler_address) as engine:
        yield engine
