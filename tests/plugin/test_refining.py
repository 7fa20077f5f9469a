"""A quick preview is shown first, and its exact one takes its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.plugin.layers.previewing import Previewing
from napari_framewise.tools.erasing import TOOL


def test_the_exact_answer_follows_the_quick_one(make_panel: Any, qtbot: Any, viewer: Any) -> None:
    viewer.add_image(np.zeros((3, 20, 24), np.float32), name="film")
    panel = make_panel(TOOL)
    told: list[str] = []

    def answer(value: float, word: str) -> Outcome:
        grid = panel.setup.inputs().stack("stack").spatial_grid
        data = np.full((20, 24), value)
        return Outcome((ImageResult("film erased", data, grid),), summary=word)

    tool = replace(
        TOOL,
        preview=lambda *given: answer(1.0, "quick"),
        refine=lambda *given: answer(2.0, "exact"),
    )
    previewing = Previewing(viewer, tool, panel.setup)
    previewing.said.connect(told.append)
    previewing.ask()
    qtbot.waitUntil(lambda: not previewing.busy and len(told) == 2, timeout=10_000)
    assert told == ["quick", "exact"]
    (layer,) = [each for each in viewer.layers if each.name.startswith("Preview")]
    assert (np.asarray(layer.data) == 2).all()
    previewing.clear()
    qtbot.waitUntil(lambda: not previewing.busy, timeout=10_000)
    assert told == ["quick", "exact"]
    previewing.close()
