"""Fit a real mixture in napari: `make demo`.

With --output the window is photographed, the table and the recipe are saved, and it closes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import napari
from window import opened, panel_of, picture, run, settle

from napari_framewise.io import write_table
from napari_framewise.io.recipes.files import save_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, help="folder for pictures, CSV and recipe")
    output: Path | None = parser.parse_args().output
    viewer = opened("photographs")
    panel = panel_of(viewer, "Mixing coefficients")
    if output is not None:
        picture(viewer, output / "1 before.png")
    run(panel)
    viewer.dims.set_current_step(0, viewer.dims.nsteps[0] // 3)
    settle()
    print(panel.record.outcome.summary)
    if output is None:
        napari.run()
        return
    picture(viewer, output / "2 coefficients.png")
    write_table(panel.record.outcome.table("mixing"), output / "mixing.csv")
    save_recipe(panel.record.recipe, output / "mixing.json", panel.record.memory)
    next(layer for layer in viewer.layers if "mean residual" in layer.name).visible = True
    picture(viewer, output / "3 mean residual.png")
    print(f"wrote the table and the recipe to {output}")
    viewer.close()


if __name__ == "__main__":
    main()
