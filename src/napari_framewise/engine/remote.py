"""What a worker of a cluster runs: it needs neither napari nor the client's process."""

from __future__ import annotations

import os
import pickle
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from napari_framewise import __version__
from napari_framewise.engine.job import Job, Pace, Stopped, one_blas_thread
from napari_framewise.engine.sinks import made
from napari_framewise.engine.work import Block
from napari_framewise.stacks.source import Array

# Runs that were cancelled, as a worker's process knows them.
_stopped_runs: deque[str] = deque(maxlen=64)


@dataclass
class Answer:
    """What a task gives back: values and frames of each block, and where it ended."""

    values: list[list[Any]] = field(default_factory=list)
    frames: list[Array | None] = field(default_factory=list)
    state: Any = None
    seconds: float = 0.0
    error: Exception | None = None


def run_blocks(
    job: Job,
    blocks: Sequence[Block],
    arrays: Sequence[Sequence[Array]] | None,
    places: Sequence[Any] | None,
    state: Any,
    key: str,
) -> Answer:
    """A task: some blocks, one after the other, with their pixels where these were sent along."""

    def check() -> None:
        if key in _stopped_runs:
            raise Stopped

    answer = Answer(state=state)
    pace = Pace(job.step)
    began = time.perf_counter()
    with one_blas_thread():
        for number, block in enumerate(blocks):
            out = None if places is None else made(places[number])
            if job.into is not None:
                out = job.into.buffer(job.work, block)
            try:
                answer.state, values = job.run(
                    block,
                    pace,
                    check,
                    _untold,
                    out=out,
                    arrays=None if arrays is None else arrays[number],
                    state=answer.state,
                )
                if job.into is not None and out is not None:
                    job.into.commit(job.work, block, out, check)
            except Exception as error:  # noqa: BLE001 - it is raised where the pass is awaited
                answer.error = _portable(error)
                break
            answer.values.append(values)
            answer.frames.append(out if places is not None else None)
    answer.seconds = time.perf_counter() - began
    return answer


def _portable(error: Exception) -> Exception:
    """The error itself where it can be sent, else its words."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - whatever its class does
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def version() -> str:
    """Version of this package where it is asked."""
    return __version__


def unreachable(paths: Sequence[str], folders: Sequence[str]) -> str:
    """The first file that is not there, or folder that cannot be written to; empty if none."""
    for path in paths:
        if not os.path.exists(path):
            return path
    for folder in folders:
        if not os.access(folder, os.W_OK):
            return folder
    return ""


def stop_run(key: str) -> None:
    """Let the tasks of a run end with their next check."""
    _stopped_runs.append(key)


def _untold(_items: int) -> None:
    """A worker does not report parts of a block."""
