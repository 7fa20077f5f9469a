"""What a worker needs to restore frames, and how it does."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_framewise.framework.framemap import Image
from napari_framewise.framework.framemap.blocks import fitted
from napari_framewise.numerics.deconvolution import Held, Prepared, Restored, restoring
from napari_framewise.stacks.source import Array

_TURN, _SLOPE = 0.0031308, 12.92


@dataclass(frozen=True, eq=False)
class Task:
    """How the frames of a series are restored.

    Attributes
    ----------
    prepared : tuple of Prepared
        For each channel, or one for all.
    channels : int
        Along the last axis of a frame that are restored; 0 where it has no such axis.
    saturation : float, optional
        From which value on pixels are missing.
    full : float, optional
        Value of full light where values are coded for a display; None where they are linear.
    """

    prepared: tuple[Prepared, ...]
    channels: int
    saturation: float | None
    full: float | None

    def images(self, frame: Array) -> tuple[Array, ...]:
        """The channels of a frame."""
        if not self.channels:
            return (frame,)
        return tuple(frame[..., channel] for channel in range(self.channels))

    def together(self, images: list[Array]) -> Array:
        """Restored channels as a frame, its light coded again."""
        frame = np.stack(images, axis=-1) if self.channels else images[0]
        return frame if self.full is None else self.full * coded(frame / self.full)

    def whole(self, images: list[Array], frame: Array) -> Array:
        """The same with what is not restored: the opacity of colours."""
        made = self.together(images)
        return (
            np.concatenate([made, frame[..., self.channels :]], axis=-1) if self.channels else made
        )

    def fitted(self, images: list[Array], frame: Array, dtype: np.dtype[Any]) -> Array:
        """The same in the type of the result."""
        return fitted(self.whole(images, frame), dtype)

    def restoring(
        self, frame: Array, mask: Array | None, channel: int, start: Array | None = None
    ) -> Generator[Restored, None, Restored]:
        """Iterations over one channel of a frame; see `numerics.deconvolution.restoring`."""
        image = self.images(frame)[channel]
        missing = None if self.saturation is None else image >= self.saturation
        if self.full is not None:
            image = decoded(np.asarray(image, np.float64) / self.full) * self.full
        use = None if mask is None else (mask != 0) & (mask == mask)
        return restoring(image, self.prepared[channel % len(self.prepared)], use, missing, start)


def decoded(values: Array) -> Array:
    """Light from 0 to 1 of values coded by IEC 61966-2-1 (sRGB); as they are outside 0 to 1."""
    inside = np.clip(values, 0.0, 1.0)
    light = np.where(
        inside <= _SLOPE * _TURN, inside / _SLOPE, np.power((inside + 0.055) / 1.055, 2.4)
    )
    return np.asarray(light + (values - inside))


def coded(light: Array) -> Array:
    """The inverse of `decoded`."""
    inside = np.clip(light, 0.0, 1.0)
    values = np.where(inside <= _TURN, _SLOPE * inside, 1.055 * np.power(inside, 1 / 2.4) - 0.055)
    return np.asarray(values + (light - inside))


def finished(steps: Generator[Restored, None, Restored]) -> Restored:
    """The end of iterations."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            restored: Restored = end.value
            return restored


def deconvolve_block(
    frames: Array, masks: Array | None, task: Task, *, out: Array
) -> list[list[Restored]]:
    """Restore a block of frames into `out`; give for each what its channels ended with."""
    _, ended = deconvolve_in_order(None, frames, masks, task, out=out, follow=False)
    return ended


def deconvolve_in_order(
    state: list[Array] | None,
    frames: Array,
    masks: Array | None,
    task: Task,
    *,
    out: Array,
    follow: bool = True,
) -> tuple[list[Array] | None, list[list[Restored]]]:
    """The same, each frame from where the frame before ended."""
    ended = []
    for number, frame in enumerate(frames):
        mask = None if masks is None else masks[number if len(masks) > 1 else 0]
        each = []
        for channel in range(max(1, task.channels)):
            start = state[channel] if follow and state is not None else None
            each.append(finished(task.restoring(frame, mask, channel, start)))
        out[number] = task.fitted([one.image for one in each], frame, out.dtype)
        known = all(np.isfinite(one.scene).all() for one in each)
        state = [one.scene for one in each] if follow and known else None
        ended.append([slim(one) for one in each])
    return state, ended


def lazy_block(frames: Array, masks: Array | None, task: Task, *, out: Array) -> None:
    """The same for frames that are computed as one looks."""
    deconvolve_block(frames, masks, task, out=out)


def slim(restored: Restored) -> Restored:
    """What is said of a frame, without its pixels."""
    return replace(restored, held=Held.nothing())


RESULT = Image("deconvolved", dtype="shown")
