"""Where passes run: threads of this process, or a dask cluster; and the memory they may take."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from napari_framewise.engine.executors import Executor, LocalExecutor
from napari_framewise.engine.plan import MIB


@dataclass(frozen=True)
class Engine:
    """An executor and the memory it may take for blocks in flight.

    Attributes
    ----------
    executor : Executor
        Runs blocks.
    budget : int
        Bytes for blocks in flight: input, output and temporaries.
    """

    executor: Executor
    budget: int = 96 * MIB

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
