"""Make the figures of the documentation that no window shows: `make pictures`.

Name figures to make only those: `python scripts/figures.py bilateral-stairs`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from scipy import ndimage

import napari_framewise as fw
from napari_framewise.samples.index import index_image

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"


def bilateral_stairs() -> Figure:
    """A blurred edge and a slope with noise, filtered with two sigmas of the range."""
    x, noise = np.arange(160), np.random.default_rng(3).normal(0, 0.015, (160, 160))
    edge = ndimage.gaussian_filter(np.where(x < 40, 0.0, 0.5), 5.0)
    frame = edge + np.clip((x - 80) / 120, 0, 0.5) + noise
    figure = Figure((7, 3), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for panel, sigma in zip(axes, (0.5, 0.12), strict=True):
        base = fw.run("bilateral", stack=frame, sigma="12px", range_sigma=sigma).layer("base").data
        panel.plot(frame[80], color="0.7", label="row of the frame")
        panel.plot(np.asarray(base)[80], color="C3", label="base")
        panel.set(title=f"sigma of the range {sigma:g}", xlabel="x (pixels)")
    axes[0].set_ylabel("value")
    axes[0].legend(frameon=False)
    return figure


def missing_edges() -> Figure:
    """Index, gaps, and what a Gaussian over the fill value and `smooth` make of their edges."""
    frame = np.asarray(dict(index_image().stacks)["stack"].read(0, 1)[0], float)
    missing = np.isnan(frame)
    plain = ndimage.gaussian_filter(np.where(missing, 0.0, frame), 3.0)
    smooth = np.asarray(fw.run("smooth", stack=frame, sigma="3px").layer("smoothed").data)
    figure = Figure((8, 3), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    titles = ("with missing pixels", "Gaussian, missing = 0", "Smooth, for the pixels with data")
    shown = (frame, plain, np.where(missing, np.nan, smooth))
    for panel, title, image in zip(axes, titles, shown, strict=True):
        place = panel.imshow(image[64:192, 64:192], vmin=-50, vmax=0, interpolation="nearest")
        panel.set_facecolor("black")
        panel.set(title=title, xticks=[], yticks=[])
    figure.colorbar(place, ax=axes, label="index")
    return figure


FIGURES: dict[str, Callable[[], Any]] = {
    "bilateral-stairs": bilateral_stairs,
    "missing-edges": missing_edges,
}


def main() -> None:
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    for name in sys.argv[1:] or FIGURES:
        path = FOLDER / f"{name}.png"
        FIGURES[name]().savefig(path, dpi=110)
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
