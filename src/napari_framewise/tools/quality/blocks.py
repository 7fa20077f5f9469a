"""What is computed for a block of frames beside their truth; importable by a cluster's workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.framework.masks import selected
from napari_framewise.numerics import quality as numerics
from napari_framewise.stacks.source import Array


@dataclass(frozen=True)
class Judging:
    """What is asked of each frame.

    Attributes
    ----------
    peak : float
        Range of values that counts as full.
    variant : Variant
        Which SSIM.
    multiscale, light, structure : bool
        Whether MS-SSIM, the measures apart from light, and what is left in the error.
    degree : int
        Of the polynomials of smooth light.
    channels : int
        Channels along the last axis of a frame; 0 for none.
    """

    peak: float
    variant: numerics.Variant
    multiscale: bool
    light: bool
    degree: int
    structure: bool
    channels: int


@dataclass(frozen=True, eq=False)
class Judged:
    """Columns of a block of frames, and what is left in their errors."""

    columns: dict[str, Array]
    left: tuple[numerics.Leftovers, ...] = ()


def judge_block(
    frames: Array, truth: Array, noisy: Array | None, masks: Array | None, judging: Judging
) -> Judged:
    """Measures of each frame beside its truth."""
    image, true = _pair(frames, truth, masks, judging.channels)
    errors = numerics.errors_of(true, image)
    columns = {
        "psnr": errors.psnr(judging.peak),
        "ssim": _similarity(true, image, judging),
        "rmse": errors.rmse,
        "mse": errors.mse,
        "mae": errors.mae,
        "maximum": errors.maximum,
        "bias": errors.bias,
    }
    if judging.multiscale:
        columns["ms_ssim"] = _by_channel(_ms_ssim, true, image, judging)
    columns |= {
        "snr_mean": errors.snr_mean,
        "snr_power": errors.snr_power,
        "snr_variance": errors.snr_variance,
    }
    if noisy is not None:
        before, _ = _pair(np.broadcast_to(noisy, frames.shape), truth, masks, judging.channels)
        columns["isnr"] = errors.isnr(numerics.errors_of(true, before))
    if judging.light:
        columns |= _apart_from_light(true, image, judging)
    left: tuple[numerics.Leftovers, ...] = ()
    if judging.structure:
        found = [numerics.leftovers(t, x) for t, x in _planes(true, image, judging.channels)]
        left = tuple(found)
        columns["neighbours"] = np.mean([each.neighbours for each in found], axis=0)
        columns["with_truth"] = np.mean([each.with_truth for each in found], axis=0)
    return Judged({**columns, "pixels": errors.count}, left)


def error_block(
    frames: Array, truth: Array, masks: Array | None, judging: Judging, *, out: Array
) -> None:
    """Image minus truth, averaged over channels."""
    image, true = _pair(frames, truth, masks, judging.channels)
    error = image - true
    out[...] = error.mean(axis=-1) if judging.channels else error


def ssim_block(
    frames: Array, truth: Array, masks: Array | None, judging: Judging, *, out: Array
) -> None:
    """SSIM around every pixel, averaged over channels."""
    pairs = _planes(*_pair(frames, truth, masks, judging.channels)[::-1], judging.channels)
    maps = [numerics.ssim(t, x, judging.peak, judging.variant).values for t, x in pairs]
    out[...] = np.mean(maps, axis=0)


def _pair(frames: Array, truth: Array, masks: Array | None, channels: int) -> tuple[Array, Array]:
    """Image and truth in float64, NaN where one of them has no data or the mask leaves it out."""
    image = np.array(frames, np.float64, order="C")
    true = np.array(np.broadcast_to(truth, frames.shape), np.float64, order="C")
    known = np.isfinite(image) & np.isfinite(true)
    if masks is not None:
        use = selected(masks)
        known &= use[..., None] if channels else use
    image[~known] = np.nan
    true[~known] = np.nan
    return image, true


def _planes(truth: Array, image: Array, channels: int) -> list[tuple[Array, Array]]:
    """Truth and image of each channel."""
    if not channels:
        return [(truth, image)]
    return [(truth[..., each], image[..., each]) for each in range(channels)]


def _by_channel(measure: Any, truth: Array, image: Array, judging: Judging) -> Array:
    pairs = _planes(truth, image, judging.channels)
    return np.asarray(np.mean([measure(t, x, judging) for t, x in pairs], axis=0))


def _ms_ssim(truth: Array, image: Array, judging: Judging) -> Array:
    return numerics.ms_ssim(truth, image, judging.peak, judging.variant)


def _ssim(truth: Array, image: Array, judging: Judging) -> Array:
    return numerics.ssim(truth, image, judging.peak, judging.variant).mean()


def _similarity(truth: Array, image: Array, judging: Judging) -> Array:
    return _by_channel(_ssim, truth, image, judging)


def _apart_from_light(truth: Array, image: Array, judging: Judging) -> dict[str, Array]:
    """The measures after gain and offset, and without what varies smoothly."""
    same = [numerics.matched(t, x) for t, x in _planes(truth, image, judging.channels)]
    even = [
        numerics.evened(t, x, judging.degree) for t, x in _planes(truth, image, judging.channels)
    ]
    joined = (lambda parts: np.stack(parts, axis=-1)) if judging.channels else (lambda p: p[0])
    columns = {
        "gain": np.mean([each[1] for each in same], axis=0),
        "offset": np.mean([each[2] for each in same], axis=0),
    }
    for name, made in (
        ("matched", joined([each[0] for each in same])),
        ("even", joined([each.image for each in even])),
    ):
        errors = numerics.errors_of(truth, made)
        columns[f"{name}_rmse"] = errors.rmse
        columns[f"{name}_psnr"] = errors.psnr(judging.peak)
        columns[f"{name}_ssim"] = _similarity(truth, made, judging)
    for part in ("uniform", "smooth", "rough"):
        squares = np.mean([getattr(each, part) for each in even], axis=0)
        columns[f"rms_{part}"] = np.sqrt(squares)
    return columns
