"""A tool of the tests' own over images of any size: how their thumbnails correlate, in pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from skimage.transform import resize

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.images import run_images, run_pairs
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames, MapPairs
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.outcome import Curve, ImageResult, Outcome, Plot, Table
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.registry import Entry

ENTRY = Entry(__name__, "How much every image looks like every other.")


class LikenessParameters(Parameters):
    side: int = parameter(8, "Side", "Of the thumbnails.", unit="pixels", ge=2)


def mean_of(images: Array) -> list[float]:
    """Mean of every image."""
    return [float(image.mean()) for image in images]


def correlate(
    rows: Sequence[Array] | Array, columns: Sequence[Array] | Array, side: int, *, out: Array
) -> None:
    """Pearson's correlation of the thumbnails of each pair."""
    first, second = (np.stack([thumbnail(i, side) for i in images]) for images in (rows, columns))
    # A product of matrices would take its sums in an order that depends on the tile.
    out[...] = (first[:, None] * second[None]).sum(axis=-1)


def thumbnail(image: Array, side: int) -> Array:
    grey = image if image.ndim == 2 else image.mean(axis=-1)
    small = resize(grey.astype(float), (side, side), anti_aliasing=True).ravel()
    small -= small.mean()
    return small / np.linalg.norm(small)


def images_of(inputs: Inputs) -> Stack | RaggedStack:
    images = inputs["images"][0]
    assert isinstance(images, (Stack, RaggedStack))
    return images


def run(inputs: Inputs, parameters: LikenessParameters, engine: Engine) -> Run:
    images = images_of(inputs)
    means = yield from run_images(MapFrames(), mean_of, images, engine=engine, label="Measuring")
    matrix = np.full((images.n_frames, images.n_frames), np.nan)
    cost = Cost(output=8, seconds=1e-4)
    yield from run_pairs(
        correlate, images, (parameters.side,), engine=engine, cost=cost, into=MemorySink(matrix)
    )
    return outcome_of(images, matrix, [mean for means in means for mean in np.atleast_1d(means)])


def outcome_of(images: Stack | RaggedStack, matrix: Array, means: list[float]) -> Outcome:
    n = images.n_frames
    rows, columns = np.triu_indices(n, 1)
    best = np.argsort(-matrix[rows, columns], kind="stable")[:1000]
    numbers = np.arange(n) if isinstance(images, RaggedStack) else np.asarray(images.frame_numbers)
    names = images.names if isinstance(images, RaggedStack) else [f"frame {n}" for n in numbers]
    distances = squareform(np.clip(1 - matrix, 0, None), checks=False)
    merges = linkage(distances, "average")
    return Outcome(
        layers=(
            ImageResult(
                f"{images.name} likeness",
                matrix,
                Grid((Axis("first"), Axis("second")), matrix.shape),
                contrast_limits=(-1, 1),
                pairs=True,
            ),
        ),
        tables=(
            Table(
                "pairs",
                "pair",
                {
                    "first": numbers[rows[best]],
                    "second": numbers[columns[best]],
                    "correlation": matrix[rows, columns][best],
                },
            ),
            Table("images", "object", {"image": np.array(names), "mean": np.array(means)}),
            Table(
                "merges",
                "object",
                dict(zip(("first", "second", "height"), merges.T, strict=False)),
            ),
        ),
        plots=(
            Plot("Likeness", "pairs", "", (Curve("correlation"),), kind="histogram"),
            Plot("Tree", "merges", "height", (Curve("first"), Curve("second")), kind="tree",
                 leaves="images"),
        ),
        summary=f"{n} images, {len(rows)} pairs.",
    )  # fmt: skip


def _plan(inputs: Inputs, parameters: LikenessParameters, engine: Engine) -> Plan:
    images = images_of(inputs)
    stacks = (images,) if isinstance(images, Stack) else (images.numbers,)
    return make_plan(MapPairs(), stacks, Cost(output=8, seconds=1e-4), engine)


TOOL = Tool(
    name="likeness",
    title="Likeness",
    menu="measure",
    sentence=ENTRY.sentence,
    inputs=(Input("images", Kind.IMAGES, "Images", "To compare."),),
    parameters=LikenessParameters,
    run=run,
    preview=lambda inputs, parameters, index: Outcome(),
    plan=_plan,
    methods=lambda inputs, parameters: "Thumbnails were correlated.",
)
