"""File > Open Sample: one function per sample, made when the manifest asks for it.

``napari_framewise.plugin.samples:NAME`` opens the sample NAME, so a new one needs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from napari_framewise.plugin.readers import LayerTuple, image_tuple
from napari_framewise.samples import SAMPLES
from napari_framewise.stacks.stack import Origin


def open_sample(name: str) -> list[LayerTuple]:
    """The layers of a sample: the stack above the other images, and labels above it."""
    made = SAMPLES[name].make()
    frame_shape = made.stacks[0][1].frame_shape
    layers = []
    for part, stack in made.stacks:
        named = replace(stack, origin=Origin(sample=name, item=part))
        data, options, kind = image_tuple(named, {**made.metadata, "part": _role(part)})
        # What is no picture of the same scene, such as spectra, would lie beside it; a truth would
        # show through gaps.
        shown = stack.frame_shape == frame_shape and part != "truth"
        layers.append((data, {**options, "visible": shown}, kind))
    images = [layer for layer in layers[1:] if layer[2] != "labels"]
    labels = [layer for layer in layers[1:] if layer[2] == "labels"]
    return [*images, layers[0], *labels]


def _role(part: str) -> str:
    """The role that a part of a sample is made for: "reference 2" is one of the references."""
    name, _, number = part.rpartition(" ")
    return f"{name}s" if number.isdigit() else part


def __getattr__(name: str) -> Callable[[], list[LayerTuple]]:
    if name in SAMPLES:
        return partial(open_sample, name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
