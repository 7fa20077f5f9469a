"""Where passes run: threads of this process, or a dask cluster; and the memory they may take."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from napari_framewise.engine.executors import Executor, LocalExecutor
from napari_framewise.engine.plan import MIB


@dataclass(frozen=True)
class ResultFolder:
    """Where a run writes what memory does not hold.

    Attributes
    ----------
    path : Path
        A folder, made when something comes into it; on a cluster its workers see it too.
    fingerprint : str
        Names the computation: what an earlier run with the same one left is gone on with.
    """

    path: Path
    fingerprint: str = ""

    def of(self, name: str) -> Path:
        """The folder of an array there."""
        return self.path / f"{name.replace('/', '-')}.ome.zarr"


@dataclass(frozen=True)
class Engine:
    """An executor and the memory it may take for blocks in flight.

    Attributes
    ----------
    executor : Executor
        Runs blocks.
    budget : int
        Bytes for blocks in flight: input, output and temporaries.
    folder : ResultFolder, optional
        Where a run writes what memory does not hold.
    """

    executor: Executor
    budget: int = 96 * MIB
    folder: ResultFolder | None = None

    @classmethod
    def local(cls, workers: int | None = None) -> Engine:
        """Threads of this process; by default as many as it may use processors."""
        return cls(LocalExecutor(workers))

    @classmethod
    def cluster(cls, address: str) -> Engine:
        """The dask.distributed scheduler at an address ("tcp://host:8786"); close it afterwards.

        Raises
        ------
        ValueError
            Where distributed is not installed, nothing answers at the address, it has no workers,
            or they have another version of this package or none.
        """
        from napari_framewise.engine.cluster import ClusterExecutor

        return cls(ClusterExecutor(address))

    def writing_to(self, folder: str | os.PathLike[str], fingerprint: str = "") -> Engine:
        """The same with a folder for what memory does not hold."""
        return replace(self, folder=ResultFolder(Path(os.path.abspath(folder)), fingerprint))

    def close(self) -> None:
        """Give back a cluster's connection; nothing to do for threads."""
        self.executor.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
