"""A mask for every frame: what it leaves out has no say, in every tool that takes one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.framework.outcome import Outcome
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.registry import get_tool

SHIFTS = np.array([[0.0, 0.0], [2.0, -1.0], [-1.5, 2.5], [1.0, 3.0], [0.5, -2.0]])


@pytest.fixture(scope="module")
def hidden() -> tuple[Array, Array]:
    """Shifted frames, a bright spot somewhere in each, and masks that leave the spots out."""
    rng = np.random.default_rng(8)
    texture = ndimage.gaussian_filter(rng.normal(size=(90, 100)), 2.0)
    frames = np.stack([ndimage.shift(texture, s, mode="wrap") for s in SHIFTS])[:, 10:74, 10:82]
    frames = 100 + 500 * frames + rng.normal(0, 1, frames.shape)
    masks = np.ones(frames.shape, np.uint8)
    for number, (row, column) in enumerate(((8, 8), (30, 45), (40, 10), (10, 50), (44, 40))):
        frames[number, row : row + 18, column : column + 18] = 4000 + 100 * number
        masks[number, row - 2 : row + 20, column - 2 : column + 20] = 0
    return frames.astype(np.float32), masks


def ran(tool: str, given: dict[str, object], **parameters: object) -> Outcome:
    loaded = get_tool(tool)
    inputs, chosen = loaded.check_inputs(given), loaded.check_parameters(parameters)
    return finish(loaded.run(inputs, chosen, Engine.local(2)), lambda _: None)


@pytest.mark.parametrize("to", ["frame", "previous", "mean", "running_mean"])
def test_frames_are_aligned_by_the_pixels_of_their_masks(
    hidden: tuple[Array, Array], to: str
) -> None:
    frames, masks = hidden
    given = {"stack": stack_of(frames), "mask": stack_of(masks)}
    outcome = ran("alignment", given, motion="translation", to=to)
    (model,) = outcome.models
    moves = model.matrices[:, :2, 2]  # type: ignore[attr-defined]
    np.testing.assert_allclose(moves - moves[0], SHIFTS, atol=0.15)


@pytest.mark.parametrize("tool", ["alignment", "normalise", "flow", "standardise", "statistics"])
def test_masks_of_another_number_are_refused(hidden: tuple[Array, Array], tool: str) -> None:
    frames, masks = hidden
    with pytest.raises(ValueError, match="one mask of that size for all frames, or one per frame"):
        ran(tool, {"stack": stack_of(frames), "mask": stack_of(masks[:3])})


def test_no_data_in_a_mask_selects_nothing(hidden: tuple[Array, Array]) -> None:
    frames, masks = hidden
    plain = ran("standardise", {"stack": stack_of(frames), "mask": stack_of(masks)})
    # 1 where a pixel is used, 7 where the mask is not known.
    unknown = np.where(masks == 0, 7, 1).astype(np.uint8)
    given = {"stack": stack_of(frames), "mask": stack_of(unknown, no_data=7)}
    for name in ("mean", "std"):
        found = ran("standardise", given).table().columns[name]
        np.testing.assert_array_equal(found, plain.table().columns[name])
    pair = {"stack": stack_of(frames[:2])}
    by_zeros, by_unknown = (
        ran("flow", pair | {"mask": mask}).models[0].displacement  # type: ignore[attr-defined]
        for mask in (stack_of(masks[:2]), stack_of(unknown[:2], no_data=7))
    )
    np.testing.assert_array_equal(by_unknown, by_zeros)
