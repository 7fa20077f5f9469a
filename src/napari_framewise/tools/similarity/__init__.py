"""Image similarity: which of many images show the same, though shifted, cut or lit differently."""

from __future__ import annotations

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import duration
from napari_framewise.engine.work import MapPairs
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics.similarity import Filter
from napari_framewise.stacks.memory import size_text
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.similarity.best import best_pairs, best_seconds
from napari_framewise.tools.similarity.comparing import SHIFTED, Comparison
from napari_framewise.tools.similarity.given import (
    comparison_of,
    images_of,
    judged_pairs,
    numbers_of,
    places_of,
    references_of,
)
from napari_framewise.tools.similarity.matrix import bytes_on_disk, whole_matrix
from napari_framewise.tools.similarity.parameters import SimilarityParameters
from napari_framewise.tools.similarity.passes import (
    Images,
    cost_of,
    side_of,
    with_references,
)
from napari_framewise.tools.similarity.report import (
    of_best,
    of_matrix,
    of_pairs,
    of_references,
    pair_sentence,
)
from napari_framewise.tools.similarity.scattered import chosen_pairs

INPUTS = (
    Input(
        "images",
        Kind.IMAGES,
        "Images",
        "The images to compare: a stack, or a folder of images that may differ in size.",
        frames="plane",
    ),
    Input(
        "references",
        Kind.IMAGES,
        "References",
        "Images that each of the others is compared with; without them every pair is compared.",
        least=0,
        frames="plane",
    ),
    mask_input("compare"),
    Input(
        "judged",
        Kind.TABLE,
        "Judged not the same",
        "Pairs to leave out: a table with the columns first and second, as the tool writes it; "
        "with a column same, only the rows where that is 0 or no.",
        least=0,
    ),
)

# Seconds from which on it is said what would take less.
_LONG = 600


def run(inputs: Inputs, parameters: SimilarityParameters, engine: Engine) -> Run:
    """Compare, then say what belongs together."""
    given, how = _given(inputs, parameters)
    references = references_of(inputs, given, parameters.compare, parameters.one, how)
    left_out = judged_pairs(inputs)
    if references is not None:
        found = yield from with_references(given, references.ready, how, engine)
        return of_references(given, references, found, how, parameters, left_out)
    if given.n < 2:
        raise ValueError(
            f"Images: {given.images.name} holds one image; give at least two, or references."
        )
    if parameters.compare == "best_pairs":
        left_out = places_of(left_out, numbers_of(given.images))
        best = yield from best_pairs(given, how, parameters.top, left_out, engine)
        return (yield from of_best(given, best, how, parameters, left_out, engine))
    if parameters.compare == "neighbours":
        pairs = np.stack([np.arange(given.n - 1), np.arange(1, given.n)], axis=1)
        columns = yield from chosen_pairs(given, pairs, how, engine)
        return of_pairs(given, columns, how, parameters)
    matrices = yield from whole_matrix(given, how, engine)
    return (yield from of_matrix(given, matrices, how, parameters, left_out, engine))


def on_disk(inputs: Inputs, parameters: SimilarityParameters) -> int:
    """Bytes of the matrices that memory does not hold."""
    if parameters.compare != "every_pair" or inputs["references"]:
        return 0
    given, how = _given(inputs, parameters)
    return bytes_on_disk(given.n, how)


def preview(inputs: Inputs, parameters: SimilarityParameters, index: int) -> Outcome:
    """Compare the current image with the one before it, or with the first reference."""
    given, how = _given(inputs, parameters)
    references = references_of(inputs, given, parameters.compare, parameters.one, how)
    if references is not None:
        second = given.ready([index], how)
        first = references.ready
    else:
        if given.n < 2:
            raise ValueError(
                f"Images: {given.images.name} holds one image; give at least two, or references."
            )
        first, second = given.ready([index - 1 if index else 1], how), given.ready([index], how)
    found = how.compared(first.given, second.given)
    return Outcome(summary=pair_sentence(given, references, index, found, how))


def plan(inputs: Inputs, parameters: SimilarityParameters, engine: Engine) -> Plan:
    """How a matrix of all pairs is cut."""
    given, how = _given(inputs, parameters)
    stacks = (given.numbers,) if not isinstance(given.images, type(given.numbers)) else ()
    images = stacks or (given.images,)
    return make_plan(MapPairs(side=side_of(how)), images, cost_of(how), engine)  # type: ignore[arg-type]


def advise(inputs: Inputs, parameters: SimilarityParameters) -> str:
    """How many pairs, how long they take one processor, and what would take less."""
    given, how = _given(inputs, parameters)
    n, every = given.n, given.n * (given.n - 1) // 2
    pairs, disk = every, on_disk(inputs, parameters)
    if inputs["references"]:
        pairs = n * sum(getattr(each, "n_frames", 1) for each in inputs["references"])
    elif parameters.compare in ("neighbours", "one"):
        pairs = n - 1
    best = parameters.compare == "best_pairs" and pairs == every
    seconds = best_seconds(n, how, parameters.top) if best else pairs * how.pair_seconds()
    said = f"{given.images.summary()}: {pairs:,} pair{'s' * (pairs != 1)}"
    if seconds > 2:
        said += f", about {duration(seconds)} of one processor"
    if disk:
        said += f", {size_text(disk)} on disk"
    if seconds < _LONG:
        return f"{said}."
    less = {}
    if parameters.measure in SHIFTED and parameters.max_shift is None:
        _, near = _given(inputs, parameters.model_copy(update={"max_shift": _reach(how)}))
        less[f"with a Largest shift of {_reach(how)} pixels"] = (
            best_seconds(n, near, parameters.top) if best else pairs * near.pair_seconds()
        )
        how = near
    if (
        parameters.compare == "every_pair"
        and pairs == every
        and parameters.measure == "correlation"
    ):
        also = " and that" if less else ""
        less[f"with Best pairs{also}"] = best_seconds(n, how, parameters.top)
    text = ", ".join(f"{duration(time)} {what}" for what, time in less.items() if time < seconds)
    return f"{said}{'; ' * bool(text)}{text}."


def _reach(how: Comparison) -> int:
    """A largest shift that is seldom exceeded where the same was taken twice."""
    return max(how.transform.canvas) // 4


def methods(inputs: Inputs, parameters: SimilarityParameters) -> str:
    """Sentence for the methods part of a paper."""
    if parameters.measure not in ("correlation", "ssim"):
        return f"Images were compared in pairs by their {parameters.measure.replace('_', ' ')}."
    first = {
        "band": f"band-passed (difference of Gaussians, sigma {parameters.fine:g} and "
        f"{parameters.coarse:g} pixels)",
        "edges": f"turned into edges (gradient over sigma {parameters.fine:g} pixels)",
        "nothing": "left as they were",
    }[parameters.before]
    if parameters.measure == "ssim":
        return (
            "Images were compared in pairs by their mean structural similarity (Wang et al. 2004) "
            f"at the shift of the best correlation, found in images that were {first}."
        )
    return (
        f"Images were {first} and compared in pairs by normalised cross-correlation over the "
        "pixels that overlap (Padfield 2012), at the shift of the largest atanh(r) sqrt(n) among "
        f"those with an overlap of at least {100 * parameters.least_overlap:g} % of the smaller "
        "image."
    )


def _given(inputs: Inputs, parameters: SimilarityParameters) -> tuple[Images, Comparison]:
    given = images_of(inputs)
    details = Filter(parameters.before, parameters.fine, parameters.coarse)
    return given, comparison_of(
        inputs, given, parameters.measure, details, parameters.max_shift, parameters.least_overlap
    )


def warm_up() -> None:
    """Compile what a run needs."""
    how = Comparison.of_two((24, 24))
    images = np.random.default_rng(0).normal(size=(2, 24, 24))
    ready = how.ready(how.canvas(images, None), images)
    how.compared(ready, ready)


TOOL = Tool(
    name="similarity",
    title="Image similarity",
    menu="measure",
    sentence="Which images show the same, though shifted, cut or lit differently.",
    inputs=INPUTS,
    parameters=SimilarityParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Padfield, D. (2012), IEEE Transactions on Image Processing 21, 2706-2718",
        "Worsley, K. J. (1995), Advances in Applied Probability 27, 943-959",
    ),
    advise=advise,
    on_disk=on_disk,
    instead="compare best pairs, which keeps no matrix, with references, or take fewer images",
    warm_up=warm_up,
    compile_seconds=11,
)
