"""Whose fault it is that frames were not aligned: the reference's, or an image's own."""

from __future__ import annotations

import numpy as np

from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.masks import selected
from napari_framewise.numerics import alignment as numerics
from napari_framewise.numerics.frame_quality import REASONS
from napari_framewise.stacks.source import Array
from napari_framewise.tools.alignment.bad_frames import nearest_good
from napari_framewise.tools.alignment.blocks import Alignments, plane_of
from napari_framewise.tools.alignment.parameters import AlignmentParameters
from napari_framewise.tools.alignment.passes import Task

_FEW = 0.5
_PAIRS = 3


def faults_of(
    inputs: Inputs, parameters: AlignmentParameters, task: Task, alignments: Alignments
) -> tuple[str, ...]:
    """Sentences that name the image which is at fault; none where most frames were aligned."""
    found: Array = np.asarray(np.isfinite(alignments.matrices).all(axis=(1, 2)))
    given = inputs.optional_stack("template")
    number = parameters.reference_frame
    if given is not None:
        mask = inputs.optional_stack("template_mask")
        plane = plane_of(given.frame(0), task.channel)
        named = f"The template, {given.name},"
        chosen = None if mask is None else selected(mask.frame(0))
        fault = _fault(plane, chosen, task) if _few(found) else ""
    elif parameters.to in ("mean", "frame") and parameters.reference == "frame":
        code, numbers = int(task.bad[number]), np.asarray(task.stack.frame_numbers)
        others = np.delete(found, number)
        named = f"The reference frame {numbers[number]}"
        taken = nearest_good(task.bad, number)
        if taken != number:
            fault = f"{named} is bad itself ({REASONS[code]}): frame {numbers[taken]} was taken"
            return (f"{fault} instead.",)
        if not _few(others):
            return (f"{named} is bad itself ({REASONS[code]}): choose another.",) if code else ()
        fault = _fault(plane_of(task.stack.frame(number), task.channel), task.mask_of(number), task)
        if not fault and code:
            fault = f"is bad ({REASONS[code]})"
    else:
        return ()
    if fault:
        return (f"{named} {fault}: hardly anything can be aligned to it; choose another.",)
    if not _few(found):
        return ()
    if task.stack.n_frames == 1:
        fault = _fault(plane_of(task.stack.frame(0), task.channel), task.mask_of(0), task)
        return (f"{task.stack.name} {fault}.",) if fault else ()
    if _match_each_other(task, np.flatnonzero(~found)):
        return (f"{named} is unlike most frames, which are like each other: choose another.",)
    return ()


def _few(found: Array) -> bool:
    return bool(len(found) and found.mean() < _FEW)


def _fault(plane: Array, mask: Array | None, task: Task) -> str:
    return numerics.fault_of(plane, mask, settings=task.settings)


def _match_each_other(task: Task, lost: Array) -> bool:
    """Whether frames that match no reference match the next of their kind."""
    starts = np.unique(np.linspace(0, len(lost) - 2, _PAIRS).astype(int)) if len(lost) > 1 else ()
    matching = 0
    for one, two in ((lost[k], lost[k + 1]) for k in starts):
        first, second = (plane_of(task.stack.frame(int(each)), task.channel) for each in (one, two))
        template = numerics.prepare(first, task.mask_of(int(one)), settings=task.settings)
        matching += numerics.align(template, second, task.mask_of(int(two))).found
    return 2 * matching > len(starts)
