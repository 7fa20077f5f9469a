"""Who computes blocks: the protocol of executors, and the threads of this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any, Protocol

from napari_framewise.engine.job import BlockError, Job, Pace, Stopped, one_blas_thread
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import Reduce, Scan
from napari_framewise.stacks.source import Array

POOL_NAME = "framewise"
_TURN_SECONDS = 0.02
_STOP_SECONDS = 0.08


class Run(Protocol):
    """A pass on its way."""

    @property
    def done(self) -> int:
        """Items finished so far, of blocks under way as well."""
        ...

    @property
    def values(self) -> list[Any]:
        """What the function gave, in order; of a reduction one merged value."""
        ...

    @property
    def state(self) -> Any:
        """State after the last block of a scan."""
        ...

    def wait(self, timeout: float) -> bool:
        """Whether the pass has ended, after so many seconds at most.

        Raises
        ------
        BlockError
            Where a block failed.
        """
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

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call an importable function once in every process that computes; what each gave."""
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

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call a function once, here."""
        return [function(*arguments)]

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
    return ThreadPoolExecutor(max(32, processors()), thread_name_prefix=POOL_NAME)


def failure(label: str, block: Any, error: BaseException) -> BlockError:
    """The error of a block, naming its frames, with the error itself as the cause."""
    failed = BlockError(f"{label}: {block.describe()} failed: {str(error) or type(error).__name__}")
    failed.__cause__ = error
    return failed


class Answers:
    """Blocks' values put in order, or merged in order, as they come.

    Any thread may add; one of them at a time does the merging.
    """

    def __init__(self, job: Job, plan: Plan) -> None:
        self._job, self._plan = job, plan
        self._lock = threading.Lock()
        self._waiting: dict[int, list[Any]] = {}
        self._merging = False
        self.merged = 0
        self.values: list[Any] = []

    @property
    def complete(self) -> bool:
        """Whether no block is missing."""
        return self.merged == len(self._plan.blocks)

    def add(self, number: int, values: list[Any]) -> None:
        """Take a block's values, and all that waited for them."""
        with self._lock:
            self._waiting[number] = values
            if self._merging:
                return
            self._merging = True
        while True:
            with self._lock:
                if self.merged not in self._waiting:
                    self._merging = False
                    return
                values = self._waiting.pop(self.merged)
            self._take(values)
            self.merged += 1

    def _take(self, values: list[Any]) -> None:
        job = self._job
        if job.into is not None:
            job.into.mark(self._plan.blocks[self.merged])
        if job.merge is not None and self.values:
            self.values[0] = job.merge(self.values[0], values[0])
        else:
            self.values.extend(values)


class Waiting:
    """What a run has wherever it goes on: its answers, and the end that is waited for."""

    def __init__(self, job: Job, plan: Plan, label: str, state: Any) -> None:
        self._job, self._plan, self._label = job, plan, label
        self.state, self.done = state, 0
        self._answers = Answers(job, plan)
        self._ended = threading.Event()
        self._error: BlockError | None = None
        self._stopped = False
        self._next = 0

    @property
    def values(self) -> list[Any]:
        """What the function gave, in order; of a reduction one merged value."""
        return self._answers.values

    def wait(self, timeout: float) -> bool:
        """Whether the pass has ended, after so many seconds at most; raises what ended it."""
        ended = self._ended.wait(timeout)
        if self._error is not None:
            raise self._error
        return ended


class _LocalRun(Waiting):
    """Blocks on the pool's threads, each taking the next one when it has finished the last."""

    def __init__(self, job: Job, plan: Plan, label: str, state: Any) -> None:
        super().__init__(job, plan, label, state)
        self._pace = Pace(plan.step)
        self._lock = threading.Condition()
        self._running = 0
        self._cap = one_blas_thread()
        self._cap.__enter__()
        self._begin()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            self._lock.wait_for(lambda: self._running == 0, timeout=_STOP_SECONDS)
        self._cap.__exit__(None, None, None)

    def _begin(self) -> None:
        """As many threads as there is work for."""
        if self._answers.complete:
            self._ended.set()
        with self._lock:
            while self._running < self._plan.workers and self._may_begin(self._running):
                self._running += 1
                pool().submit(self._work)

    def _may_begin(self, others: int) -> bool:
        """Whether there is a block to take when others take theirs."""
        limit = len(self._plan.blocks)
        if isinstance(self._job.work, Reduce):
            # What is not merged yet waits in memory.
            limit = min(limit, self._answers.merged + self._plan.window)
        return not self._stopped and self._next + others < limit

    def _work(self) -> None:
        """Blocks for a while, then a place at the end of the pool's queue: passes take turns."""
        until = time.perf_counter() + _TURN_SECONDS
        while time.perf_counter() < until:
            with self._lock:
                if not self._may_begin(0):
                    self._running -= 1
                    self._lock.notify_all()
                    return
                number = self._next
                self._next += 1
            try:
                self._answers.add(number, self._compute(number))
            except Stopped:
                continue
            except BaseException as error:  # noqa: BLE001 - it is raised where the pass is awaited
                self._error = failure(self._label, self._plan.blocks[number], error)
                self._stopped = True
                self._ended.set()
            self._begin()
        pool().submit(self._work)

    def _compute(self, number: int) -> list[Any]:
        job, block = self._job, self._plan.blocks[number]
        out = None if job.into is None else job.into.buffer(job.work, block)
        self.state, values = job.run(
            block,
            self._pace,
            self._check,
            self._report,
            out=out,
            arrays=self._arrays(number),
            state=self.state,
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
            self.done += items


class _LocalScan(_LocalRun):
    """Blocks one after the other, each with the last one's state, read ahead by other threads."""

    def __init__(self, job: Job, plan: Plan, label: str, state: Any) -> None:
        self._reads: dict[int, Future[list[Array]]] = {}
        super().__init__(job, replace(plan, workers=1), label, state)

    def _begin(self) -> None:
        with self._lock:
            ahead = min(len(self._plan.blocks), self._next + self._plan.window)
            for number in range(self._next, ahead):
                if number not in self._reads and not self._stopped:
                    block = self._plan.blocks[number]
                    self._reads[number] = pool().submit(self._job.read, block, self._check)
        super()._begin()

    def _arrays(self, number: int) -> Sequence[Array] | None:
        return self._reads.pop(number).result()
