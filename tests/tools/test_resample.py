from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.engine import Engine
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.work import MapBands
from napari_framewise.framework.framemap.prepared import prepared
from napari_framewise.framework.outcome import ImageResult
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.resample import RESAMPLE, TOOL, ResampleParameters


def layer_of(**given: Any) -> ImageResult:
    layer = run("resample", **given).layer("resampled")
    assert isinstance(layer, ImageResult)
    return layer


class TestContract(ToolContract):
    name = "resample"
    compares = "pixels"
    parameters: ClassVar[dict[str, Any]] = {"scale": 0.4, "result": "memory"}
    value_columns = ("resampled",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        mask = np.ones((20, 24), np.uint8)
        mask[5:9, 4:15] = 0
        return {"mask": mask}


def ramp(shape: tuple[int, int] = (40, 60)) -> Array:
    """World coordinates y + 3 x of pixels of 0.5 x 0.25 um at (10, -4) um."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.asarray((10 + 0.5 * y) + 3 * (-4 + 0.25 * x))


@pytest.mark.parametrize("scale", [0.25, 0.37, 0.9, 2.0])
def test_what_lies_at_a_place_of_the_world_stays_there(scale: float) -> None:
    stack = stack_of(
        ramp()[None], axes=("t", "y", "x"), scale=(1, 0.5, 0.25), translate=(0, 10, -4),
        units=("pixel", "micrometer", "micrometer"), name="ramp",
    )  # fmt: skip
    layer = layer_of(stack=stack, scale=scale)
    assert layer.data.shape == (1, round(40 * scale), round(60 * scale))
    axes = layer.grid.axes[1:]
    assert [axis.unit for axis in axes] == ["micrometer"] * 2
    assert [axis.scale for axis in axes] == pytest.approx([0.5 / scale, 0.25 / scale])
    rows, columns = (axis.translate + axis.scale * np.arange(n)
                     for axis, n in zip(axes, layer.data.shape[1:], strict=True))  # fmt: skip
    world = rows[:, None] + 3 * columns
    # A spline, which ends flat, and footprints that the border cuts.
    edge = {0.25: 4, 0.37: 5, 0.9: 13, 2.0: 26}[scale]
    inside = (slice(edge, -edge),) * 2
    np.testing.assert_allclose(np.asarray(layer.data)[0][inside], world[inside], rtol=1e-3)
    assert np.isfinite(np.asarray(layer.data)).all()


def test_a_pixel_size_in_a_unit_and_one_for_each_axis() -> None:
    stack = stack_of(
        np.ones((40, 60)), scale=(0.5, 0.25), units=("micrometer", "micrometer"), name="s"
    )
    assert layer_of(stack=stack, pixel_size="1um").data.shape == (20, 15)
    assert layer_of(stack=stack, pixel_size="1,2px").data.shape == (40, 30)
    with pytest.raises(ValueError, match="set the layer's scale and units"):
        run("resample", stack=np.ones((4, 5)), pixel_size="1um")


def test_the_scale_of_one_is_exact() -> None:
    frames = blobs()
    np.testing.assert_array_equal(layer_of(stack=frames, scale=1.0).data, frames)


@pytest.mark.parametrize("kernel", ["jinc", "area"])
@pytest.mark.parametrize("missing", [False, True])
def test_bands_have_the_bits_of_the_whole(kernel: str, missing: bool) -> None:
    frames = np.random.default_rng(0).normal(size=(1, 260, 130))
    if missing:
        frames[:, 40:60, 20:50] = np.nan
    parameters = ResampleParameters(scale=0.3, kernel=kernel)
    inputs = TOOL.check_inputs({"stack": stack_of(frames)})
    made = prepared(RESAMPLE, inputs, parameters, Engine.local())
    whole = np.asarray(made.lazy()[0])
    halo = RESAMPLE.halo(made.computation.parameters)
    band = MapBands(halo, 9, 78, 1, 260, 1 / 0.3, (1 / 0.3 - 1) / 2)
    object.__setattr__(made, "work", band)
    cut = made.lazy()[0]
    assert type(cut) is not LazyFrames
    np.testing.assert_array_equal(np.asarray(cut), whole)


def test_colours_stay_colours_and_volumes_keep_their_planes() -> None:
    colours = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    layer = layer_of(stack=stack_of(colours, rgb=True, axes=("y", "x", "c")))
    assert layer.rgb
    assert layer.data.dtype == np.uint8
    assert layer.data.shape == (16, 16, 3)
    volume = stack_of(np.ones((2, 5, 16, 16)), axes=("t", "z", "y", "x"))
    assert layer_of(stack=volume).data.shape == (2, 5, 8, 8)
    with pytest.raises(ValueError, match="stay as they are"):
        run("resample", stack=volume, pixel_size="2,2,2px")


@pytest.mark.parametrize(
    ("given", "said"),
    [({"scale": 1e-4}, "choose smaller ones"), ({"scale": 1000.0}, "of memory; choose larger")],
)
def test_what_cannot_be_had_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("resample", stack=np.ones((2000, 2000), np.float32), **given)
