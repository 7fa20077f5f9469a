"""Inputs that match: what the user chose of the stack holds for the images that go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from napari_framewise.stacks.stack import Selection, Stack


def matching(value: Stack, partner: Stack) -> Stack:
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
    if value.frame_shape == partner.frame_shape and _channel_of(partner, value) is None:
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


def as_long(value: Stack, partner: Stack) -> Stack:
    """A stack with its partner's choice of frames, where it has as many and left them open."""
    chosen, whole = (
        partner.selection.frames,
        partner.select(replace(partner.selection, frames=None)),
    )
    if chosen is None or value.selection.frames is not None or value.n_frames != whole.n_frames:
        return value
    return value.select(replace(value.selection, frames=chosen))


def _open_choices(value: Stack, partner: Stack) -> Iterator[Selection]:
    """Selections that change only what the user left open, the smallest change first."""
    chosen = value.selection
    channel = _channel_of(partner, value)
    channels = [chosen.channel] if channel is None else [channel, chosen.channel]
    channel_dropped = partner.selection.channel is not None and value.channel_axis is not None
    n_leading = len(value.axes) - len(partner.frame_shape) - channel_dropped
    leading = [axis for axis in range(len(value.axes)) if axis != value.channel_axis]
    along = [chosen.frames_along]
    if chosen.frames_along is None and n_leading >= 0:
        along.append(tuple(leading[:n_leading]))
    for each in channels:
        for frames_along in along:
            yield replace(chosen, frames_along=frames_along, channel=each)


def _channel_of(partner: Stack, value: Stack) -> int | None:
    """The partner's channel, where the value has as many channels and its user left it open."""
    theirs, ours = partner.channel_axis, value.channel_axis
    chosen = value.selection
    if theirs is None or ours is None or chosen.channel is not None:
        return None
    left_open = chosen.frames_along is None or ours not in chosen.frames_along
    as_many = partner.source.shape[theirs] == value.source.shape[ours]
    return partner.selection.channel if left_open and as_many else None
