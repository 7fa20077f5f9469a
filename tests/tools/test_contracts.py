"""What every tool keeps, tool by tool; see `tests.helpers.tool_contract`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.stacks.source import Array
from napari_framewise.tools.calls import run
from napari_framewise.tools.registry import TOOLS, get_tool


def mixture(references: Array, n: int = 6) -> Array:
    shares = np.linspace(0.2, 0.8, n)[:, None, None]
    return np.rint(shares * references[0] + (1 - shares) * references[1])


class TestMixing(ToolContract):
    name = "mixing"
    whole_images = True
    value_columns = ("rmse",)
    squared_columns = ("rss",)

    def frames(self) -> Array:
        return mixture(blobs(2, seed=4)) + blobs(6, seed=5) % 3

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        return {"references": list(unit * blobs(2, seed=4))}


class TestUnmixing(ToolContract):
    name = "unmixing"
    skipped_columns = ("object",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        return {"spectra": unit * np.array([[1.0, 2, 4, 7, 9, 3], [8.0, 7, 4, 2, 1, 1]])}


class TestStatistics(ToolContract):
    name = "statistics"
    value_columns = (
        "mean", "std", "minimum", "maximum", "mean_of_stds", "p1", "p50", "p99",
    )  # fmt: skip
    squared_columns = ("variance", "within", "between")


class TestNormalise(ToolContract):
    name = "normalise"
    whole_images = True
    value_columns = ("offset", "low", "high")
    skipped_columns = ("gain",)


class TestStandardise(ToolContract):
    name = "standardise"
    whole_images = True
    value_columns = ("offset", "mean", "std")
    skipped_columns = ("gain",)


class TestRenormalise(ToolContract):
    name = "renormalise"
    # Integers, so that what does not fit is counted in a table.
    parameters: ClassVar[dict[str, Any]] = {"dtype": "uint8"}

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        return {"model": run("normalise", stack=unit * self.frames() / 3, high=255.0).model()}


class TestFlow(ToolContract):
    name = "flow"
    unit_rtol = 1e-6
    whole_images = True
    value_columns = ("residual",)

    def frames(self) -> Array:
        wide = blobs(1, (40, 48), seed=3)[0]
        return np.stack([wide[4:36, 4 + k : 40 + k] for k in range(3)])


class TestAlignment(ToolContract):
    name = "alignment"
    unit_rtol = 1e-6
    whole_images = True
    value_columns = ("offset", "rmse")
    parameters: ClassVar[dict[str, Any]] = {"motion": "translation"}
    # Offset and gain go together, so the offset moves most.
    float_atol = 0.2
    cluster_atol = 0.0

    def frames(self) -> Array:
        wide = blobs(1, (44, 52), seed=8)[0]
        noise = np.random.default_rng(9).normal(0, 2, (4, 36, 40))
        moved = np.stack([wide[k : 36 + k, 2 * k : 40 + 2 * k] for k in range(4)])
        return np.rint(moved + noise).clip(1, 119)


class TestBleaching(ToolContract):
    name = "bleaching"
    whole_images = True
    value_columns = ("mean",)


class TestResidualMotion(ToolContract):
    name = "residual_motion"
    unit_rtol = 1e-6
    parameters: ClassVar[dict[str, Any]] = {"components": 3}
    # What single precision changes in the frames moves shifts of noise.
    float_rtol, float_atol = 1e-3, 1e-6

    def frames(self) -> Array:
        random = np.random.default_rng(3)
        scene = blobs(1, (30, 34), seed=5)[0]
        moved = [ndimage.shift(scene, random.normal(0, 0.5, 2), mode="nearest") for _ in range(24)]
        return np.rint(np.array(moved) + random.normal(0, 1, (24, 30, 34))).clip(1, 119)


class TestBilateral(ToolContract):
    name = "bilateral"
    parameters: ClassVar[dict[str, Any]] = {"result": "memory"}
    value_columns = ("base", "detail")
    # Differences of integers are the detail of whole numbers: single precision of their size.
    float_atol = 1e-4


class TestTonemap(ToolContract):
    name = "tonemap"
    parameters: ClassVar[dict[str, Any]] = {"result": "memory"}
    rounded_columns = ("after",)


class TestElastic(ToolContract):
    name = "elastic"
    whole_images = True
    parameters: ClassVar[dict[str, Any]] = {"to": "frame", "spacing": 20.0, "window": 9}
    value_columns = ("rmse_before", "rmse")
    rounded_columns = ("inconsistency",)
    float_rtol = 1e-5
    cluster_atol = 1e-9

    def frames(self) -> Array:
        wide = blobs(1, (44, 52), seed=8)[0]
        noise = np.random.default_rng(9).normal(0, 2, (3, 36, 40))
        moved = np.stack([wide[k : 36 + k, 2 * k : 40 + 2 * k] for k in range(3)])
        return np.rint(moved + noise).clip(1, 119)


class TestRigid(ToolContract):
    name = "rigid"
    unit_rtol = 1e-6
    whole_images = True
    parameters: ClassVar[dict[str, Any]] = {"motion": "translation"}
    value_columns = ("offset", "rmse")
    skipped_columns = ("iterations",)
    float_atol = 1e-6

    def frames(self) -> Array:
        wide = blobs(1, (44, 52), seed=8)[0]
        noise = np.random.default_rng(9).normal(0, 2, (4, 36, 40))
        moved = np.stack([wide[k : 36 + k, 2 * k : 40 + 2 * k] for k in range(4)])
        return np.rint(moved + noise).clip(1, 119)


def test_every_tool_keeps_the_contract() -> None:
    # Read and not imported: a tool's class may be in its own tests.
    kept = set()
    for path in Path(__file__).parent.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and "ToolContract" in map(ast.unparse, node.bases):
                names = [each for each in node.body if ast.unparse(each).startswith("name = ")]
                kept |= {ast.literal_eval(each.value) for each in names}  # type: ignore[attr-defined]
    # The contract is one of stacks: what makes data from nothing has none.
    assert {name for name in TOOLS if get_tool(name).inputs} == kept
