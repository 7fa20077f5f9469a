from __future__ import annotations

import numpy as np

import napari_framewise as fw


def test_one_image_is_spoken_of_in_the_singular() -> None:
    outcome = fw.run("statistics", stack=np.arange(20.0).reshape(1, 4, 5))
    assert outcome.summary.endswith("over 20 pixels of 1 image.")
