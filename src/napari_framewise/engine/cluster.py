"""Passes on a dask.distributed cluster."""

from __future__ import annotations

import pickle
import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from napari_framewise import __version__
from napari_framewise.engine.executors import Run, Waiting, failure, pool
from napari_framewise.engine.job import Job, Stopped
from napari_framewise.engine.plan import MIB, Plan
from napari_framewise.engine.remote import Answer, run_blocks, stop_run, unreachable, version
from napari_framewise.engine.sinks import shape_of
from napari_framewise.engine.work import Block, Reduce, Scan
from napari_framewise.stacks.source import Array, ArraySource, Source
from napari_framewise.stacks.stack import Stack

_CONNECT_SECONDS = 10
_CANCEL_SECONDS = 0.03
_TASK_SECONDS = 0.2
_TASK_BYTES = 64 * MIB
# Pixels that travel inside a task stay with the scheduler until it is done.
_SHIPPED_BYTES = 8 * MIB


class ClusterExecutor:
    """The workers of a scheduler.

    Parameters
    ----------
    address : str
        Of the scheduler, such as tcp://host:8786.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise ValueError(
                "A cluster needs the package distributed, which is not installed: "
                'pip install "napari-framewise[cluster]".'
            ) from None
        connect: Any = distributed.Client
        try:
            self.client = connect(address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"No dask scheduler answers at {address} ({error}); give the address that "
                "`dask scheduler` showed when it started, such as tcp://host:8786."
            ) from error
        try:
            self.workers = self._count_workers(address)
            self._check_versions()
        except BaseException:
            self.client.close()
            raise

    def start(self, job: Job, plan: Plan, label: str, state: Any) -> Run:
        """Begin a pass; the places that workers read and write by themselves are checked first."""
        self._check_places(job)
        return _ClusterRun(self.client, self.workers, job, plan, label, state)

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call an importable function once in every worker; what each gave."""
        return list(self.client.run(function, *arguments).values())

    def close(self) -> None:
        """Close the connection; the cluster goes on."""
        self.client.close()

    def _count_workers(self, address: str) -> int:
        try:
            self.client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except TimeoutError:
            raise ValueError(
                f"The dask scheduler at {address} has no workers; start some with "
                f"`dask worker {address}`."
            ) from None
        threads: dict[str, int] = self.client.nthreads()
        return sum(threads.values())

    def _check_versions(self) -> None:
        ours = __version__
        try:
            found = self.client.run(version)
        except Exception as error:
            raise ValueError(
                f"The cluster's workers cannot import napari_framewise ({error}); install "
                f"napari-framewise {ours} where they run."
            ) from error
        for worker, theirs in found.items():
            if theirs != ours:
                raise ValueError(
                    f"The cluster's worker {worker} has napari-framewise {theirs}, here is {ours}; "
                    "install the same version in both places."
                )

    def _check_places(self, job: Job) -> None:
        paths = [path for stack in job.stacks for path in stack.source.paths]
        folders = () if job.into is None else job.into.paths
        if not paths and not folders:
            return
        # Of a folder of images some stand for all.
        sample = [*paths[:: max(1, len(paths) // 20)], *paths[-1:]]
        for worker, missing in self.client.run(unreachable, sample, folders).items():
            if missing:
                raise ValueError(
                    f"The cluster's worker {worker} cannot reach {missing}; use a place that this "
                    "machine and all workers have under the same path."
                )


class _ClusterRun(Waiting):
    """Runs of blocks as tasks, a bounded number of them with the scheduler at a time."""

    def __init__(
        self, client: Any, workers: int, job: Job, plan: Plan, label: str, state: Any
    ) -> None:
        super().__init__(job, plan, label, state)
        self._client = client
        scan = isinstance(job.work, Scan)
        self._workers = 1 if scan else workers
        self._window = 1 if scan else workers + 2
        self._key = f"framewise-{uuid.uuid4().hex}"
        self._shipped = not all(_travels(stack.source) for stack in job.stacks)
        self._returned = job.into is not None and not job.into.paths
        self._lock = threading.Lock()
        self._futures: dict[int, Any] = {}
        self._begun: deque[int] = deque()
        self._feeding = False
        self._answered = 0
        self._seconds = 0.0
        self._remote_job = self._load()
        self._begin()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            left = list(self._futures.values())
        self._remote_job.release()
        if left:
            # Not waited for longer: whoever cancelled gets an answer, the workers theirs soon.
            wait([pool().submit(self._cancel, left)], timeout=_CANCEL_SECONDS)

    def _begin(self) -> None:
        if self._answers.complete:
            self._ended.set()
        with self._lock:
            if self._feeding or not self._may_begin():
                return
            self._feeding = True
        pool().submit(self._feed)

    def _cancel(self, futures: list[Any]) -> None:
        self._client.cancel(futures, force=True)
        self._client.run(stop_run, self._key, on_error="ignore")

    def _load(self) -> Any:
        """The job as a task of its own: sent once, and known again if its worker is lost."""
        from distributed.protocol import pickle as portable

        pack: Any = portable.dumps
        job = self._job
        if self._shipped:
            job = replace(job, stacks=tuple(_without_pixels(stack) for stack in job.stacks))
        if self._returned:
            job = replace(job, into=None)
        return self._send("job", pickle.loads, pack(job))

    def _send(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        import dask

        # What is sent has been weighed; dask would warn of 10 MB.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TiB"}):
            return self._client.submit(function, *arguments, key=f"{self._key}-{name}", pure=False)

    def _may_begin(self) -> bool:
        """Whether the scheduler may have one more task."""
        if isinstance(self._job.work, Reduce):
            # What is not merged yet waits in memory.
            while self._begun and self._begun[0] < self._answers.merged:
                self._begun.popleft()
        waiting = len(self._begun)
        return not self._stopped and self._next < len(self._plan.blocks) and waiting < self._window

    def _feed(self) -> None:
        """Hand out tasks while there is room; on a thread of the pool, for it may have to read."""
        while True:
            with self._lock:
                if not self._may_begin():
                    self._feeding = False
                    return
                start = self._next
                self._next += self._run_length()
                self._begun.append(start)
                blocks = self._plan.blocks[start : self._next]
            try:
                future = self._submit(start, blocks)
            except Exception as error:  # noqa: BLE001 - it is raised where the pass is awaited
                self._fail(blocks, error)
                return
            with self._lock:
                self._futures[start] = future
                late = self._stopped
            if late:
                self._client.cancel([future])
                return
            future.add_done_callback(partial(self._arrived, start, blocks))

    def _submit(self, start: int, blocks: Sequence[Block]) -> Any:
        job = self._job
        arrays = [job.read(block, self._check) for block in blocks] if self._shipped else None
        places = None
        if self._returned and job.into is not None:
            places = [shape_of(job.into, job.work, block) for block in blocks]
        return self._send(
            str(start),
            run_blocks,
            self._remote_job,
            list(blocks),
            arrays,
            places,
            self.state,
            self._key,
        )

    def _run_length(self) -> int:
        """Blocks of the next task: 0.2 s or 64 MiB, but some for every worker."""
        measured = self._seconds / self._answered if self._answered else 0.0
        seconds = measured or self._plan.block_seconds
        if not seconds:
            return 1
        left = len(self._plan.blocks) - self._next
        most = _SHIPPED_BYTES if self._shipped else _TASK_BYTES
        by_bytes = most // max(1, self._plan.read_bytes)
        return max(1, min(-(-left // self._workers), by_bytes, int(_TASK_SECONDS / seconds)))

    def _arrived(self, start: int, blocks: Sequence[Block], future: Any) -> None:
        """Take over a task's answer; called on dask's own thread for such calls."""
        if self._stopped:
            return
        try:
            answer: Answer = future.result()
            if answer.error is not None:
                self._fail(blocks[len(answer.values) :][:1], answer.error)
                return
            self.state = answer.state
            with self._lock:
                del self._futures[start]
                self._answered += len(blocks)
                self._seconds += answer.seconds
                if not isinstance(self._job.work, Reduce):
                    self._begun.remove(start)
            for number, block in enumerate(blocks):
                frames = answer.frames[number]
                if frames is not None and self._job.into is not None:
                    self._job.into.commit(self._job.work, block, frames, self._check)
                self.done += block.size
                self._answers.add(start + number, answer.values[number])
        except Stopped:
            return
        except BaseException as error:  # noqa: BLE001 - it is raised where the pass is awaited
            self._fail(blocks, error)
            return
        self._begin()

    def _fail(self, blocks: Sequence[Block], error: BaseException) -> None:
        whole = replace(blocks[0], frames=(blocks[0].frames[0], blocks[-1].frames[1]))
        self._error = failure(self._label, whole, error)
        self._stopped = True
        self._ended.set()

    def _check(self) -> None:
        if self._stopped:
            raise Stopped


@dataclass(frozen=True)
class _Elsewhere:
    """Stands for pixels that are sent block by block."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...] | None = None
    paths: tuple[str, ...] = ()

    def read(self, region: Any) -> Array:
        """Never called: the blocks come with their pixels."""
        raise NotImplementedError


def _without_pixels(stack: Stack) -> Stack:
    return replace(stack, source=_Elsewhere(stack.source.shape, stack.source.dtype))


def _travels(source: Source) -> bool:
    """Whether workers can read it by themselves: from files, or from a small array sent once."""
    if isinstance(source, ArraySource):
        return isinstance(source.array, np.ndarray) and source.array.nbytes <= _SHIPPED_BYTES
    inner = getattr(source, "stacks", None)
    if inner is not None:
        return all(_travels(stack.source) for stack in inner)
    return bool(source.paths)
