from __future__ import annotations

import pytest

from napari_framewise.engine.progress import Progress


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("Fitting", 2048, 10000, elapsed=0.75), "2,048 of 10,000 frames, 3 s left"),
        (Progress("Fitting", 0, 10000, elapsed=5.0), "0 of 10,000 frames"),
        (Progress("Fitting", 10000, 10000, elapsed=5.0), "10,000 of 10,000 frames"),
        (Progress("Fitting", 1, 2, "rows", 0.1), "1 of 2 rows, 1 s left"),
        (Progress("Fitting", 1, 11, "pairs", 60.0), "1 of 11 pairs, 10 min left"),
        (Progress("Fitting", 1, 11, "pairs", 603.0), "1 of 11 pairs, 1 h 40 min left"),
        (Progress("Fitting", 1, 11, "pairs", 86400.0), "1 of 11 pairs, 10 days left"),
    ],
)
def test_tells_how_far_it_is(progress: Progress, text: str) -> None:
    assert progress.text() == f"Fitting: {text}"


def test_fraction_and_time_left() -> None:
    progress = Progress("Fitting", 250, 1000, elapsed=2.0)
    assert progress.fraction == 0.25
    assert progress.seconds_left == pytest.approx(6.0)
    assert Progress("Fitting", 0, 0).fraction == 1.0
    assert Progress("Fitting", 0, 5).seconds_left is None
