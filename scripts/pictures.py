"""Make the pictures of the documentation again, in a real window: `make pictures`.

Name pictures to make only those: `python scripts/pictures.py mixing`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from window import opened, panel_of, picture, run, settle

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"


def shown(viewer: Any, *parts: str) -> None:
    """Show only the layers whose names begin or end so, the last one selected."""
    for layer in viewer.layers:
        layer.visible = layer.name.startswith(parts) or layer.name.endswith(parts)
        if layer.visible:
            viewer.layers.selection = {layer}


def mixing() -> Any:
    viewer = opened("photographs")
    run(panel_of(viewer, "Mixing coefficients"))
    viewer.dims.set_current_step(0, 200)
    return viewer


def mixing_preview() -> Any:
    from qtpy.QtWidgets import QCheckBox

    viewer = opened("two_references", theme="light")
    panel = panel_of(viewer, "Mixing coefficients")
    box = next(each for each in panel.findChildren(QCheckBox) if each.text() == "Preview")
    box.click()
    settle(2)
    return viewer


def mean_residual() -> Any:
    viewer = opened("photographs")
    reference = viewer.layers["Image 1"]
    reference.data = np.roll(reference.data, 1, axis=1)
    run(panel_of(viewer, "Mixing coefficients"))
    shown(viewer, "mean residual")
    return viewer


def unmixing() -> Any:
    viewer = opened("bands")
    run(panel_of(viewer, "Unmix pixels"))
    shown(viewer, "abundances")
    return viewer


def flow() -> Any:
    viewer = opened("known_flow")
    run(panel_of(viewer, "Optical flow"))
    return viewer


def flow_colours() -> Any:
    viewer = opened("known_flow")
    run(panel_of(viewer, "Optical flow"))
    for layer in viewer.layers:
        layer.visible = layer.name.endswith(("colours", "rim", "confidence"))
    confidence = next(layer for layer in viewer.layers if layer.name.endswith("confidence"))
    confidence.translate = (300, 0)
    viewer.reset_view()
    return viewer


def alignment() -> Any:
    viewer = opened("drifting")
    run(panel_of(viewer, "Align"))
    viewer.dims.set_current_step(0, 200)
    return viewer


def rigid() -> Any:
    viewer = opened("drifting_volume")
    panel = panel_of(viewer, "Align volumes")
    panel.parameters_form.set_values({"motion": "euclidean"})
    settle()
    run(panel)
    viewer.dims.set_current_step(0, 9)
    return viewer


def residual_motion() -> Any:
    return filtered("drifting", "Motion left")


def bleaching() -> Any:
    viewer = opened("bleaching_cells")
    panel = panel_of(viewer, "Bleach correction")
    panel.parameters_form.set_values({"method": "exponential", "background": 100.0})
    settle()
    run(panel)
    viewer.dims.set_current_step(0, 120)
    return viewer


def renormalise() -> Any:
    viewer = bleaching()
    corrected = next(layer for layer in viewer.layers if layer.name != "Bleaching cells")
    panel = panel_of(viewer, "Renormalise")
    panel.inputs_form.roles["stack"].pickers[0].choose(corrected)
    panel.parameters_form.set_values({"direction": "undo"})
    settle()
    run(panel)
    viewer.dims.set_current_step(0, 120)
    return viewer


def normalise() -> Any:
    viewer = opened("two_references")
    run(panel_of(viewer, "Normalise frames"))
    return viewer


def standardise() -> Any:
    viewer = opened("bands")
    run(panel_of(viewer, "Standardise channels"))
    return viewer


def missing(title: str, *layers: str, **values: Any) -> Any:
    """A filter of the index image, with the layers shown whose names end so."""
    viewer = opened("index_image")
    panel = panel_of(viewer, title)
    panel.parameters_form.set_values(panel.parameters_form.values() | values)
    run(panel)
    shown(viewer, *layers)
    return viewer


def smooth() -> Any:
    return missing("Smooth", "smoothed", sigma="3px")


def gradient() -> Any:
    return missing("Gradient", "missing pixels", "arrows", sigma="3px", arrows=True, spacing=10)


def fill() -> Any:
    return missing("Fill missing pixels", "filled")


def statistics() -> Any:
    viewer = opened("two_references")
    run(panel_of(viewer, "Stack statistics"))
    return viewer


def bilateral() -> Any:
    return missing("Bilateral filter", "base", sigma="4px")


def tonemap() -> Any:
    viewer = opened("bright_window")
    panel = panel_of(viewer, "Tone mapping")
    panel.parameters_form.set_values({"contrast": 30.0})
    settle()
    run(panel)
    return viewer


def rank() -> Any:
    return missing("Rank filter", "median")


def local_statistics() -> Any:
    return missing("Local statistics", "deviation")


def filtered(sample: str, title: str, *layers: str) -> Any:
    """A filter of a sample at its defaults, with the layers shown whose names begin or end so."""
    viewer = opened(sample)
    run(panel_of(viewer, title))
    if layers:
        shown(viewer, *layers)
    return viewer


def similarity() -> Any:
    viewer = opened("cropped")
    panel = panel_of(viewer, "Image similarity")
    panel.parameters_form.set_values({"max_shift": 24})
    settle()
    run(panel)
    panel.view.table.selectRow(3)
    shown(viewer, "ordered similarity")
    viewer.reset_view()
    return viewer


def speckle() -> Any:
    return filtered("speckled", "Speckle filter", "despeckled")


def bandpass() -> Any:
    return filtered("drifting", "Band-pass filter")


def noise_image() -> Any:
    viewer = opened("drifting")
    viewer.layers.clear()
    run(panel_of(viewer, "Noise image"))
    return viewer


def quality() -> Any:
    viewer = opened("clean_noisy_restored")
    panel = panel_of(viewer, "Quality beside a truth")
    roles = panel.inputs_form.roles
    roles["restored"].set_count(2)
    for picker, name in zip(
        roles["restored"].pickers, ("smoothed", "non-local means"), strict=True
    ):
        picker.choose(viewer.layers[name])
    roles["truth"].pickers[0].choose(viewer.layers["clean"])
    roles["noisy"].pickers[0].choose(viewer.layers["noisy"])
    settle()
    run(panel)
    shown(viewer, "error of non-local means")
    return viewer


def difference() -> Any:
    viewer = opened("known_changes")
    panel = panel_of(viewer, "Difference")
    roles = panel.inputs_form.roles
    roles["stack"].pickers[0].choose(viewer.layers["later"])
    roles["reference"].pickers[0].choose(viewer.layers["earlier"])
    settle()
    run(panel)
    viewer.dims.set_current_step(0, 1)
    shown(viewer, "later", "changed")
    return viewer


def noise_level() -> Any:
    return filtered("drifting", "Noise level")


def warp() -> Any:
    viewer = opened("zone_plate")
    panel = panel_of(viewer, "Warp")
    matrix = ((0.24, 0.07, 10.0), (-0.07, 0.24, 45.0))
    panel.parameters_form.set_values({"matrix": matrix, "output_grid": "whole"})
    settle()
    run(panel)
    shown(viewer, "warped")
    viewer.reset_view()
    return viewer


def resample() -> Any:
    viewer = opened("bricks")
    panel = panel_of(viewer, "Resample")
    panel.parameters_form.set_values({"scale": 0.25})
    settle()
    run(panel)
    shown(viewer, "resampled")
    return viewer


def contour_normals() -> Any:
    viewer = opened("bands")
    viewer.layers.clear()
    rows, columns = np.indices((200, 260))
    blobs = np.hypot(rows - 100, columns - 90) < 60 + 12 * np.cos(
        5 * np.arctan2(rows - 100, columns - 90)
    )
    labels = blobs + 2 * (np.hypot(rows - 90, 0.6 * (columns - 210)) < 25)
    viewer.add_labels(labels.astype(np.uint8), name="cells")
    run(panel_of(viewer, "Contour normals"))
    viewer.reset_view()
    return viewer


def curves() -> Any:
    return filtered("weld_section", "Curves through outlines")


def inpainting() -> Any:
    return filtered("holed_photograph", "Inpainting")


def colorization() -> Any:
    return filtered("grey_photograph", "Colorize")


def erasing() -> Any:
    return filtered("drifting", "Random erasing")


def elastic() -> Any:
    return filtered("bent_tissue", "Register elastically")


def dots(title: str) -> tuple[Any, Any]:
    """A viewer with the dots under pressure, and a tool's panel set for them."""
    viewer = opened("dots")
    panel = panel_of(viewer, title)
    panel.parameters_form.set_values({"pattern": "dots"})
    return viewer, panel


def grid_nodes() -> Any:
    viewer, panel = dots("Grid nodes")
    run(panel)
    viewer.dims.set_current_step(0, 3)
    return viewer


def calibration() -> Any:
    viewer, panel = dots("Calibration")
    panel.parameters_form.set_values({"quantity": "pressure", "unit": "bar"})
    panel.inputs_form.roles["images"].pickers[0].number_box.set_text("0, 1, 2, 3, 4, 5")
    settle()
    run(panel)
    return viewer


def undistort() -> Any:
    viewer = calibration()
    panel = panel_of(viewer, "Undistort")
    (picker,) = panel.inputs_form.roles["stack"].pickers
    picker.choose(viewer.layers["Dots under pressure"])
    picker.number_box.set_text("0, 1, 2, 3, 4, 5")
    settle()
    run(panel)
    viewer.dims.set_current_step(0, 5)
    return viewer


def psf() -> Any:
    viewer = opened("out_of_focus")
    panel = panel_of(viewer, "PSF")
    led = next(layer for layer in viewer.layers if layer.name.endswith("LED"))
    panel.inputs_form.roles["stack"].pickers[0].choose(led)
    panel.parameters_form.set_values({"radius": "10px"})
    settle()
    run(panel)
    shown(viewer, "PSF")
    layer = next(iter(viewer.layers.selection))
    viewer.camera.center = layer.extent.world.mean(axis=0)
    viewer.camera.zoom = 40
    return viewer


def in_focus() -> tuple[Any, Any]:
    """The sample out of focus with its PSF, and the panel of Deconvolution with both chosen."""
    viewer = psf()
    panel = panel_of(viewer, "Deconvolution")
    roles = panel.inputs_form.roles
    roles["stack"].pickers[0].choose(viewer.layers["Photograph out of focus"])
    roles["psf"].pickers[0].choose(next(x for x in viewer.layers if x.name.endswith("PSF")))
    settle()
    return viewer, panel


def deconvolution() -> Any:
    viewer, panel = in_focus()
    run(panel)
    shown(viewer, "deconvolved")
    viewer.reset_view()
    return viewer


def deconvolution_methods() -> Any:
    viewer, panel = in_focus()
    before = set(viewer.layers)
    panel.parameters_form.set_values({"side_by_side": True})
    settle()
    run(panel)
    for layer in viewer.layers:
        layer.visible = layer not in before
    viewer.reset_view()
    return viewer


PICTURES: dict[str, Callable[[], Any]] = {
    "flow": flow,
    "flow-colours": flow_colours,
    "mixing": mixing,
    "mixing-preview": mixing_preview,
    "mean-residual": mean_residual,
    "unmixing": unmixing,
    "alignment": alignment,
    "rigid": rigid,
    "residual-motion": residual_motion,
    "bleaching": bleaching,
    "renormalise": renormalise,
    "normalise": normalise,
    "standardise": standardise,
    "statistics": statistics,
    "smooth": smooth,
    "gradient": gradient,
    "fill": fill,
    "bilateral": bilateral,
    "tonemap": tonemap,
    "rank": rank,
    "local-statistics": local_statistics,
    "similarity": similarity,
    "speckle": speckle,
    "bandpass": bandpass,
    "noise-image": noise_image,
    "warp": warp,
    "resample": resample,
    "quality": quality,
    "difference": difference,
    "noise-level": noise_level,
    "psf": psf,
    "deconvolution": deconvolution,
    "deconvolution-methods": deconvolution_methods,
    "contour-normals": contour_normals,
    "curves": curves,
    "inpainting": inpainting,
    "colorization": colorization,
    "erasing": erasing,
    "elastic": elastic,
    "grid-nodes": grid_nodes,
    "calibration": calibration,
    "undistort": undistort,
}


def main() -> None:
    for name in sys.argv[1:] or PICTURES:
        viewer = PICTURES[name]()
        picture(viewer, FOLDER / f"{name}.png")
        viewer.close()


if __name__ == "__main__":
    main()
