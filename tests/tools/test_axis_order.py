"""Image results keep their input's order of axes, and so lie on it, whatever that order is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Selection, Stack, stack_of
from napari_framewise.tools.registry import get_tool

SCALES = {"t": 0.5, "c": 1.0, "z": 2.0, "y": 0.25, "x": 0.75}
LAYOUTS = ("tcyx", "tyxc", "ctyx", "yxt", "tzyx", "rgb")
CANONICAL = "tzyxc"


def scene(layout: str) -> tuple[Stack, Array]:
    """Three smooth frames that brighten and drift, of two channels where the layout has any."""
    t, z, y, x, c = np.meshgrid(*(np.arange(n) for n in (3, 4, 30, 34, 3)), indexing="ij")
    frames = 100 + (10 + t) * (
        np.sin((y + 0.2 * t) / 3) * np.cos((x - 0.3 * t) / 4 + c) + np.cos(z / 2 + x / 6 + c)
    )
    names = "tyxc" if layout == "rgb" else layout
    for place, name in enumerate(CANONICAL):
        if name not in names:
            frames = frames.take([0], axis=place)
    if layout == "tcyx":
        frames = frames[..., :2]
    data = frames.transpose([CANONICAL.index(name) for name in names + _missing(names)])
    data = data.reshape(data.shape[: len(names)]).astype(np.float32)
    scale = [SCALES[name] for name in names]
    stack = stack_of(data, axes=tuple(names), scale=scale, rgb=layout == "rgb", name="cells")
    return stack, data


def _missing(names: str) -> str:
    return "".join(name for name in CANONICAL if name not in names)


def in_canonical_order(data: Array, names: tuple[str, ...]) -> Array:
    missing = [name for name in CANONICAL if name not in names]
    whole = data.reshape(*data.shape, *(1,) * len(missing))
    every = [*names, *missing]
    return whole.transpose([every.index(name) for name in CANONICAL])


def ran(tool: str, given: dict[str, Any], **parameters: object) -> Outcome:
    loaded = get_tool(tool)
    inputs, chosen = loaded.check_inputs(given), loaded.check_parameters(parameters)
    return finish(loaded.run(inputs, chosen, Engine.local(1)), lambda _: None)


def images_of(stack: Stack, tool: str) -> list[ImageResult]:
    given: dict[str, Any] = {"stack": stack}
    parameters: dict[str, object] = {}
    wanted: tuple[str, ...] = ()
    if tool == "mixing":
        (time,) = stack.frame_axes
        frames = [np.take(np.asarray(stack.source.read(_all(stack))), n, time) for n in (0, 2)]
        kept = [axis.name for n, axis in enumerate(stack.axes) if n != time]
        given["references"] = [
            stack_of(
                frame, axes=kept, rgb=stack.rgb, name=f"r{n}", selection=Selection(frames_along=())
            )
            for n, frame in enumerate(frames)
        ]
        parameters = {"fitted": True, "residual": True, "mean_residual": True, "constraint": "none"}
    elif tool == "flow":
        parameters = {"warped": True, "vectors": False, "field": "none"}
        wanted = ("warped",)
    elif tool == "renormalise":
        model = ran("normalise", {"stack": stack}).models[0]
        given["model"] = model
    elif tool == "alignment":
        parameters = {"to": "frame", "motion": "translation"}
        wanted = ("aligned",)
    elif tool == "standardise":
        parameters = {"result": "memory"}
    outcome = ran(tool, given, **parameters)
    layers = [layer for layer in outcome.layers if isinstance(layer, ImageResult)]
    return [each for each in layers if not wanted or each.name.endswith(wanted)]


def _all(stack: Stack) -> tuple[slice, ...]:
    return tuple(slice(0, length) for length in stack.source.shape)


def cases() -> list[tuple[str, str]]:
    tools = ("normalise", "standardise", "renormalise", "bleaching", "mixing", "flow", "alignment")
    planes_only = {("alignment", "tzyx")}
    return [(t, s) for t in tools for s in LAYOUTS if (t, s) not in planes_only]


@pytest.mark.parametrize(("tool", "layout"), cases())
def test_a_result_keeps_the_order_of_axes(tool: str, layout: str) -> None:
    stack, _ = scene(layout)
    layers = images_of(stack, tool)
    assert layers
    names = tuple(axis.name for axis in stack.axes)
    for layer in layers:
        data = np.asarray(layer.data)
        own = names if data.ndim == len(names) else tuple(n for n in names if n != "t")
        assert layer.rgb == stack.rgb
        shown = own[:-1] if stack.rgb else own
        assert layer.grid.names == shown
        assert layer.grid.scale == tuple(SCALES[name] for name in shown)
        # The flow has a pair less than there are frames.
        spatial = [n for n, name in enumerate(own) if name != "t"]
        whole = [stack.source.shape[names.index(own[n])] for n in spatial]
        assert [data.shape[n] for n in spatial] == whole
        assert layer.grid.shape == data.shape[: len(shown)]


@pytest.mark.parametrize(
    "tool", ["normalise", "standardise", "bleaching", "mixing", "flow", "alignment"]
)
def test_the_order_of_axes_changes_no_number(tool: str) -> None:
    _, data = scene("tcyx")
    found = []
    for layout in ("tcyx", "tyxc", "ctyx"):
        turned = data.transpose(["tcyx".index(name) for name in layout])
        layers = images_of(stack_of(turned, axes=tuple(layout), name="cells"), tool)
        found.append(
            [in_canonical_order(np.asarray(layer.data), layer.grid.names) for layer in layers]
        )
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-4)
