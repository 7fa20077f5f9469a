"""The grey photograph with scribbles is coloured nearly as it was."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_framewise.numerics.colorization import chroma_of, coloured
from napari_framewise.samples import SAMPLES
from napari_framewise.tools.calls import run


def test_colorizing_it_comes_nearer_to_the_truth_than_the_nearest_scribble() -> None:
    sample = SAMPLES["grey_photograph"].make()
    stacks, truth = dict(sample.stacks), sample.truth["colours"]
    found = run("colorization", stack=stacks["stack"], scribbles=stacks["scribbles"])
    made = np.asarray(found.layer("colorized").data)
    labels = stacks["scribbles"].frame(0)
    legend = stacks["scribbles"].legend
    assert legend is not None
    at = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    nearest = chroma_of(legend.colour_of(labels[tuple(at)]))
    grey = stacks["stack"].frame(0) / 255
    plain = -10 * np.log10(np.mean((coloured(grey, nearest) - truth) ** 2))
    mine = -10 * np.log10(np.mean((made - truth) ** 2))
    assert mine > plain + 1
    assert mine > 25
