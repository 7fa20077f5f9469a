"""Inputs cut alike: what the user chose of the stack holds for the images that go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..stacks.stack import Selection, Stack


def alike(value: Stack, partner: Stack) -> Stack:
    """A stack with the choices its user left open made as its partner's, where they then agree.

    A reference that is as large as the whole frames of a cropped stack is cropped with it; one
    with the same channels gives the same channel; a volume that goes with a stack of volumes is
    one frame. What would still differ stays as it is.

    Parameters
    ----------
    value : Stack
        What is to agree with `partner` in the shape of its frames.
    partner : Stack
        The stack whose choices are taken over.
    """
    if value.frame_shape == partner.frame_shape:
        return value
    whole = partner.select(replace(partner.selection, region=None))
    for selection in _open_choices(value, partner):
        try:
            candidate = value.select(selection)
        except ValueError:
            continue
        if candidate.frame_shape == partner.frame_shape:
            return candidate
        if candidate.frame_shape == whole.frame_shape and selection.region is None:
            return candidate.select(replace(selection, region=partner.selection.region))
    return value


def _open_choices(value: Stack, partner: Stack) -> Iterator[Selection]:
    """Selections that change only what the user left open, the smallest change first."""
    chosen = value.selection
    channels = [chosen.channel]
    if chosen.channel is None and partner.selection.channel is not None:
        channels.append(partner.selection.channel)
    channel_dropped = partner.selection.channel is not None and value.channel_axis is not None
    n_leading = len(value.axes) - len(partner.frame_shape) - channel_dropped
    leading = [axis for axis in range(len(value.axes)) if axis != value.channel_axis]
    along = [chosen.frames_along]
    if chosen.frames_along is None and n_leading >= 0:
        along.append(tuple(leading[:n_leading]))
    for frames_along in along:
        for channel in channels:
            yield replace(chosen, frames_along=frames_along, channel=channel)
