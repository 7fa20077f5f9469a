"""Who computes blocks: the protocol of executors, and the threads of this process."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, Protocol

from .job import BlockError, Job, Pace, Stopped, one_blas_thread
from .plan import Plan
from .source import Array
from .work import Scan


class Run(Protocol):
    """A pass on its way."""

    @property
    def done(self) -> int:
        """Items finished so far, of blocks under way as well."""
        ...

    def collect(self, timeout: float) -> list[tuple[int, list[Any]]]:
        """Blocks that were finished: (position in the plan, values); waits for one if need be.

        Raises
        ------
        BlockError
            Where a block failed.
        """
        ...

    def advance(self, merged: int) -> None:
        """Blocks up to this position were taken over: as many more may be begun."""
        ...

    def final_state(self) -> Any:
        """State after a scan's last block."""
        ...

    def stop(self) -> None:
        """Begin no further block, and wait briefly for those under way."""
        ...


class Executor(Protocol):
    """Something that runs a pass."""

    @property
    def workers(self) -> int:
        """Blocks that it computes at once."""
        ...

    def start(self, job: Job, plan: Plan, label: str, state: Any) -> Run:
        """Begin a pass."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class LocalExecutor:
    """Threads of one pool that all passes of the process share."""

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"{workers} workers were asked for; give 1 or more.")
        self.workers = workers or processors()

    def start(self, job: Job, plan: Plan, label: str, state: Any) -> Run:
        """Begin a pass on the pool."""
        kind = _LocalScan if isinstance(job.work, Scan) else _LocalRun
        return kind(job, plan, label, state)

    def close(self) -> None:
        """Nothing to do: the pool stays for the next pass."""


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def pool() -> ThreadPoolExecutor:
    """The process's one thread pool; a pass takes as many of its threads as it has workers."""
    return ThreadPoolExecutor(max(32, processors()), thread_name_prefix="framewise")


def failure(label: str, block: Any, error: BaseException) -> BlockError:
    """The error of a block, naming its frames, with the error itself as the cause."""
    failed = BlockError(f"{label}: {block.describe()} failed: {str(error) or type(error).__name__}")
    failed.__cause__ = error
    return failed


class _LocalRun:
    """Blocks on the pool's threads, each taking the next one when it has finished the last."""

    def __init__(self, job: Job, plan: Plan, label: str, state: Any) -> None:
        self._job, self._plan, self._label = job, plan, label
        self._pace = Pace(plan.step)
        self._cap = one_blas_thread()
        self._cap.__enter__()
        self._lock = threading.Condition()
        self._finished: queue.SimpleQueue[tuple[int, Any, BaseException | None]]
        self._finished = queue.SimpleQueue()
        self._stopped = False
        self._next = self._merged = self._running = self._done = 0
        self._state = state
        self.advance(0)

    @property
    def done(self) -> int:
        return self._done

    def collect(self, timeout: float) -> list[tuple[int, list[Any]]]:
        found = []
        try:
            item = self._finished.get(timeout=timeout)
            while True:
                number, values, error = item
                if error is not None:
                    raise failure(self._label, self._plan.blocks[number], error)
                found.append((number, values))
                item = self._finished.get_nowait()
        except queue.Empty:
            return found

    def advance(self, merged: int) -> None:
        with self._lock:
            self._merged = merged
            while self._running < self._plan.workers and self._may_begin(self._running):
                self._running += 1
                pool().submit(self._work)

    def final_state(self) -> Any:
        return self._state

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            self._lock.wait_for(lambda: self._running == 0, timeout=0.25)
        self._cap.__exit__(None, None, None)

    def _may_begin(self, others: int) -> bool:
        limit = min(len(self._plan.blocks), self._merged + self._plan.window)
        return not self._stopped and self._next + others < limit

    def _work(self) -> None:
        """One block, then a place at the end of the pool's queue: passes take turns."""
        with self._lock:
            if not self._may_begin(0):
                self._running -= 1
                self._lock.notify_all()
                return
            number = self._next
            self._next += 1
        try:
            self._finished.put((number, self._compute(number), None))
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised where the pass is awaited
            self._stopped = True
            self._finished.put((number, None, error))
        pool().submit(self._work)

    def _compute(self, number: int) -> list[Any]:
        job, block = self._job, self._plan.blocks[number]
        out = None if job.into is None else job.into.buffer(job.work, block)
        self._state, values = job.run(
            block,
            self._pace,
            self._check,
            self._report,
            out=out,
            arrays=self._arrays(number),
            state=self._state,
        )
        if job.into is not None and out is not None:
            job.into.commit(job.work, block, out, self._check)
        return values

    def _arrays(self, number: int) -> Sequence[Array] | None:
        return None

    def _check(self) -> None:
        if self._stopped:
            raise Stopped

    def _report(self, items: int) -> None:
        with self._lock:
            self._done += items


class _LocalScan(_LocalRun):
    """Blocks one after the other, each with the last one's state, read ahead by other threads."""

    def __init__(self, job: Job, plan: Plan, label: str, state: Any) -> None:
        self._reads: dict[int, Future[list[Array]]] = {}
        super().__init__(job, plan, label, state)

    def advance(self, merged: int) -> None:
        with self._lock:
            for number in range(merged, min(len(self._plan.blocks), merged + self._plan.window)):
                if number >= self._next and number not in self._reads:
                    block = self._plan.blocks[number]
                    self._reads[number] = pool().submit(self._job.read, block, self._check)
            self._merged = merged
            if not self._running and self._may_begin(0):
                self._running = 1
                pool().submit(self._work)

    def _arrays(self, number: int) -> Sequence[Array] | None:
        return self._reads.pop(number).result()
