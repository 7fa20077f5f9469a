"""Functions and a source that a process of a cluster imports."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Mapped:
    """A .npy file, read as a memory map."""

    path: str
    chunks: tuple[int, ...] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return np.load(self.path, mmap_mode="r").shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.load(self.path, mmap_mode="r").dtype

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    def read(self, region: tuple[slice, ...]) -> np.ndarray:
        return np.load(self.path, mmap_mode="r")[region]


def frame_sums(block: np.ndarray) -> np.ndarray:
    return block.sum(axis=tuple(range(1, block.ndim)), dtype=np.float64)


def weighted_sums(block: np.ndarray, weights: np.ndarray, factor: float) -> np.ndarray:
    return factor * np.einsum("nij,ij->n", block.astype(np.float64), weights)


def dot_products(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.einsum("nij,nij->n", one.astype(np.float64), other.astype(np.float64))


def negative(block: np.ndarray, *, out: np.ndarray) -> int:
    np.negative(block, out=out, dtype=out.dtype)
    return len(block)


def native_byte_order(block: np.ndarray) -> bool:
    return block.dtype.isnative


def window_sums(block: np.ndarray, *, core: slice) -> np.ndarray:
    """Sum of each frame and those within reach."""
    sums = frame_sums(block)
    reach = 2
    return np.array(
        [sums[max(0, at - reach) : at + 2].sum() for at in range(len(block))[core]], float
    )


def window_means(block: np.ndarray, *, core: slice, out: np.ndarray) -> None:
    for place, at in zip(out, range(len(block))[core], strict=True):
        place[...] = block[max(0, at - 2) : at + 2].mean(0)


def steps_between(block: np.ndarray, *, core: slice) -> np.ndarray:
    return frame_sums(block[1:].astype(np.float64) - block[:-1])


def float_sum(block: np.ndarray) -> np.ndarray:
    return block.sum(0, dtype=np.float64)


def add(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    one += other
    return one


def count_frames(block: np.ndarray) -> int:
    return len(block)


def running_sum(state: float, block: np.ndarray) -> tuple[float, np.ndarray]:
    sums = state + np.cumsum(frame_sums(block))
    return (float(sums[-1]) if len(sums) else state), sums


def smoothed(state: np.ndarray, block: np.ndarray, *, out: np.ndarray) -> tuple[np.ndarray, None]:
    for place, frame in zip(out, block, strict=True):
        state = 0.5 * state + 0.5 * frame
        place[...] = state
    return state, None


def time_means(block: np.ndarray) -> np.ndarray:
    return block.mean(0, dtype=np.float64)


def time_maxima(block: np.ndarray, *, out: np.ndarray) -> None:
    np.max(block, axis=0, out=out)


def inner_products(rows: np.ndarray, columns: np.ndarray, *, out: np.ndarray) -> None:
    rows, columns = (a.reshape(len(a), -1).astype(np.float64) for a in (rows, columns))
    np.matmul(rows, columns.T, out=out)


def slow(block: np.ndarray, log: str, seconds: float) -> None:
    """Takes its time for every frame, and leaves a byte in a file for every call."""
    time.sleep(seconds * len(block))
    with Path(log).open("ab") as file:
        file.write(b".")


def slow_negative(block: np.ndarray, log: str, seconds: float, *, out: np.ndarray) -> None:
    negative(block, out=out)
    slow(block, log, seconds)


def failing(block: np.ndarray, value: int) -> float:
    if (block == value).any():
        raise ValueError("nothing but dust")
    return 0.0


class StubbornError(Exception):
    """An error that cannot be pickled."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def failing_stubbornly(block: np.ndarray) -> None:
    raise StubbornError("cannot be", "sent")


def frame_sums_once_killed(block: np.ndarray, flag: str, value: int) -> np.ndarray:
    """As `frame_sums`, but the first process that meets the value dies of it."""
    if (block == value).any() and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return frame_sums(block)


def float_sum_once_killed(block: np.ndarray, flag: str, value: int) -> np.ndarray:
    if (block == value).any() and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return float_sum(block)


def add_from_twins(block: np.ndarray, coefficients: np.ndarray, *, out: np.ndarray) -> None:
    """Frames times their own coefficient, from a second stack of frames of shape (1,)."""
    np.multiply(block, coefficients[:, :, np.newaxis], out=out)
