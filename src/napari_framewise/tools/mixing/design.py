"""From the inputs of a mixture to its design: references, masks, detector, middle mixture."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress, finish
from napari_framewise.engine.work import Cost, Reduce
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.masks import selected
from napari_framewise.framework.regions import Region
from napari_framewise.numerics import mixing as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.mixing.blocks import RegionDesign, replicate_statistics
from napari_framewise.tools.mixing.parameters import MixingParameters

SAMPLED = 64


@dataclass(frozen=True, eq=False)
class Prepared:
    """A design and what its references are called.

    Attributes
    ----------
    design : Design
        What every block of frames is fitted to.
    names : tuple of str
        Where each reference came from.
    corrected : bool
        The noise of the references is known and corrected for.
    regions : tuple of RegionDesign
        Parts of the frames that are fitted by themselves as well.
    left_out : tuple of str
        Regions that can't be, each with its reason.
    """

    design: numerics.Design
    names: tuple[str, ...]
    corrected: bool
    regions: tuple[RegionDesign, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the coefficients are called: x1, x2, ..."""
        return tuple(f"x{number}" for number in range(1, len(self.names) + 1))


def prepared_design(
    inputs: Inputs, parameters: MixingParameters, engine: Engine
) -> Generator[Progress, None, Prepared]:
    """The design that the inputs and parameters ask for."""
    stack = inputs.stack("stack")
    groups = _reference_groups(inputs, parameters)
    if not 2 <= len(groups) <= numerics.MAX_REFERENCES:
        raise ValueError(
            f"References: {len(groups)} {'was' if len(groups) == 1 else 'were'} given; 2 to "
            f"{numerics.MAX_REFERENCES} are needed: give each as an image, or take the frames of "
            "one layer separately (Several frames)."
        )
    references, noises = [], []
    for _, group in groups:
        mean, noise = yield from _averaged(group, engine)
        references.append(mean)
        noises.append(noise)
    images: dict[str, Array | None] = {}
    for role in ("mask", "weights", "dark", "flat"):
        given = inputs.optional_stack(role)
        varying = role == "mask" and given is not None and given.n_frames > 1
        images[role] = None
        if given is not None and not varying:
            images[role], _ = yield from _averaged(given, engine)
    averaged = all(group.n_frames > 1 for _, group in groups)
    correct = averaged and parameters.reference_noise == "correct"
    options: dict[str, Any] = {
        "constraint": parameters.constraint,
        "bounds": _bounds(parameters),
        "offset": parameters.offset,
        "gain": parameters.gain,
        "loss": parameters.loss,
        "errors": parameters.errors,
        "reference_noise": np.stack(noises) if correct else None,
        **images,
    }
    shown = np.stack(references)
    detected: dict[str, Any] = {}
    sampled = None
    if parameters.detector_gain is not None:
        detector = numerics.Detector(
            gain=parameters.detector_gain,
            offset=parameters.detector_offset,
            read_noise=parameters.read_noise,
            saturation=parameters.saturation,
        )
        detected = {"detector": detector, "poisson_weights": parameters.poisson_weights}
        sampled = sampled_frames(stack, SAMPLED)
    design = _designed(shown, options, detected, sampled)
    regions, left_out = [], []
    for region in inputs.regions("regions"):
        part = None if sampled is None else region.part(sampled)
        try:
            cut = region.part(shown)
            own = _designed(cut, _of_region(options, region, cut.shape[1:]), detected, part)
        except ValueError as error:
            left_out.append(f"Region {region.number} was left out: {error}")
        else:
            regions.append(RegionDesign(region, own))
    if left_out and not regions:
        raise ValueError(left_out[0])
    names = tuple(name for name, _ in groups)
    return Prepared(design, names, correct, tuple(regions), tuple(left_out))


def _designed(
    references: Array, options: dict[str, Any], detected: dict[str, Any], sampled: Array | None
) -> numerics.Design:
    """The design of all pixels or of a region; a detector's noise is that of its own mixtures."""
    if sampled is None:
        return numerics.prepare(references, **options)
    middle = _middle(sampled, numerics.prepare(references, **options))
    return numerics.prepare(references, **options, **detected, middle=middle)


def _of_region(options: dict[str, Any], region: Region, shape: tuple[int, ...]) -> dict[str, Any]:
    """Options of a design with their images cut to a region, outside of which nothing counts."""
    if not region.inside.any():
        raise ValueError("it holds no pixel of the frames; draw it on them.")
    cut = dict(options)
    for name in ("mask", "weights", "dark", "flat"):
        if options[name] is not None:
            cut[name] = options[name][region.box]
    if options["reference_noise"] is not None:
        cut["reference_noise"] = region.part(options["reference_noise"])
    # channels are pixels like others
    inside = region.inside.reshape(region.inside.shape + (1,) * (len(shape) - region.inside.ndim))
    inside = np.broadcast_to(inside, shape)
    cut["mask"] = inside if cut["mask"] is None else selected(cut["mask"]) & inside
    return cut


def prepared_here(inputs: Inputs, parameters: MixingParameters) -> Prepared:
    """The design, computed in the calling thread for a preview."""
    return finish(prepared_design(inputs, parameters, Engine.local()), lambda _: None)


def fitted_stacks(inputs: Inputs) -> tuple[Stack, Stack | None]:
    """The stack, and the mask where there is one for every frame."""
    stack, mask = inputs.stack("stack"), inputs.optional_stack("mask")
    if mask is None or mask.n_frames == 1:
        return (stack, None)
    return (stack, in_step(mask, stack, "Mask", channels=True))


def sampled_frames(stack: Stack, count: int) -> Array:
    """Up to `count` frames, evenly spread over the stack."""
    indices = np.unique(np.linspace(0, stack.n_frames - 1, count).round().astype(int))
    return np.concatenate([stack.read(int(index), int(index) + 1) for index in indices])


def _reference_groups(inputs: Inputs, parameters: MixingParameters) -> list[tuple[str, Stack]]:
    """Each reference as the frames that are averaged to it, with its name."""
    groups: list[tuple[str, Stack]] = []
    for given in inputs.stacks("references"):
        if parameters.several_frames == "average" or given.n_frames == 1:
            groups.append((given.name, given))
            continue
        groups += [
            (f"{given.name} [{number}]", _part(given, index))
            for index, number in enumerate(given.frame_numbers)
        ]
    return groups


def _part(stack: Stack, index: int) -> Stack:
    """One frame of a stack, as a stack."""
    number = stack.frame_numbers[index]
    return stack.select(replace(stack.selection, frames=(number, number + 1, 1)))


def shares_frames(reference: Stack, stack: Stack) -> bool:
    """Whether a reference was taken from the stack itself."""
    if reference.source.paths:
        return reference.source == stack.source
    ours, theirs = (getattr(each.source, "array", None) for each in (reference, stack))
    return ours is not None and ours is theirs


def _averaged(stack: Stack, engine: Engine) -> Generator[Progress, None, tuple[Array, Array]]:
    """Mean of the frames and its standard error; the error of one frame is NaN."""
    if stack.n_frames == 1:
        frame = stack.frame(0)
        return frame, np.full(frame.shape, np.nan)
    pixels = int(np.prod(stack.frame_shape))
    statistics = yield from run_pass(
        Reduce(),
        replicate_statistics,
        (stack,),
        engine=engine,
        cost=Cost(scratch=8 * pixels, seconds=5e-9 * pixels),
        label=f"Averaging {stack.name}",
        merge=numerics.ReplicateMean.merge,
    )
    mean, error = statistics.result()
    return mean, error


def _bounds(parameters: MixingParameters) -> tuple[Any, Any] | None:
    if not parameters.lowest and not parameters.highest:
        return None
    lowest = parameters.lowest or (-np.inf,)
    highest = parameters.highest or (np.inf,)
    low, high = (each[0] if len(each) == 1 else np.array(each) for each in (lowest, highest))
    return low, high


def _middle(sampled: Array, design: numerics.Design) -> Array | None:
    """Coefficients that span what a few frames hold: low, middle and high of each."""
    fits = numerics.fit(sampled, design)
    known = fits.coefficients[np.isfinite(fits.coefficients).all(axis=1)]
    if not len(known):
        return None
    return np.asarray(np.quantile(known, (0.05, 0.5, 0.95), axis=0))
