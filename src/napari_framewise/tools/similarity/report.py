"""What is said of compared images: matrix, tables, groups, plots, montage."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.framework.outcome import Curve, ImageResult, Outcome, Plot, Table
from napari_framewise.numerics import similarity as numerics
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.tools.similarity.best import Best
from napari_framewise.tools.similarity.comparing import SHIFTED, Comparison
from napari_framewise.tools.similarity.given import References, names_of, numbers_of, places_of
from napari_framewise.tools.similarity.judging import Distribution, Judgement, signed
from napari_framewise.tools.similarity.matrix import Matrices
from napari_framewise.tools.similarity.montage import montage_of
from napari_framewise.tools.similarity.parameters import SimilarityParameters
from napari_framewise.tools.similarity.passes import Images
from napari_framewise.tools.similarity.scan import scanned
from napari_framewise.tools.similarity.scattered import chosen_pairs

_MOST_IN_TREE = 5000
_NOTES = {
    "first": "Number of an image.",
    "second": "Number of the image that it is compared with.",
    "score": "What the measure gives.",
    "z": "What the best shift has most of; of correlations artanh(score) times the root of the "
    "pixels that overlap. Without a threshold that was given, images are judged by it.",
    "shift_y": "Pixel y of the first shows what pixel y + shift_y of the second shows.",
    "shift_x": "Likewise along columns.",
    "overlap": "Share of the smaller image's pixels that overlap at that shift.",
    "chance": "Chance that unrelated images correlate as well at any shift that was looked at.",
    "same": "1 where the score passes the threshold.",
}


def of_matrix(
    given: Images,
    matrices: Matrices,
    how: Comparison,
    parameters: SimilarityParameters,
    left_out: Array,
    engine: Engine,
) -> Generator[Progress, None, Outcome]:
    """Everything from the matrix of all pairs."""
    n, name = given.n, given.images.name
    numbers = numbers_of(given.images)
    scan = yield from scanned(matrices, places_of(left_out, numbers), how, parameters)
    judgement, groups = scan.judgement, scan.groups
    table, tree = None, None
    if len(scan.best):
        found = yield from chosen_pairs(given, scan.best, how, engine)
        table = pair_table(found, numbers, judgement)
    grid = Grid((Axis("first"), Axis("second")), (n, n))
    limits = _limits(scan.limits, how)
    layers = [
        ImageResult(
            f"similarity of {name}",
            matrices.score,
            grid,
            contrast_limits=limits,
            pairs=True,
            colormap="viridis",
            folder=matrices.folders.get("score"),
        )
    ]
    plots: list[Plot] = []
    tables = [] if table is None else [table]
    tables.append(image_table(given, groups))
    if n <= _MOST_IN_TREE and scan.pairs:
        score = np.asarray(matrices.score)
        near = np.asarray(matrices.weight, np.float64) if how.weighs else signed(score, how)
        apart = np.nanmax(near) - near
        tree = numerics.tree_of(np.maximum(apart, 0))
        order = numerics.order_of(tree)
        layers.append(
            ImageResult(
                f"ordered similarity of {name}",
                score[np.ix_(order, order)],
                grid,
                contrast_limits=limits,
                visible=False,
                colormap="viridis",
                metadata={"order": numbers[order].tolist()},
            )
        )
        columns_of_tree = dict(zip(("first", "second", "height"), tree.T, strict=False))
        tables.append(Table("merges", "object", columns_of_tree))
    if how.weighs:
        for key, along in (("row", "rows"), ("column", "columns")):
            reach = float(max(1, *how.transform.reach))
            layers.append(
                ImageResult(
                    f"shift along {along} of {name}",
                    getattr(matrices, key),
                    grid,
                    contrast_limits=(-reach, reach),
                    visible=False,
                    pairs=True,
                    folder=matrices.folders.get(key),
                )
            )
    if parameters.montage and (groups == parameters.montage).any():
        layers.append(montage_of(given, groups, parameters.montage))
    if table is not None:
        plots.append(_histogram_plot(judgement, scan.distribution, tables))
    if tree is not None:
        plots.append(
            Plot(
                "Tree",
                "merges",
                "height",
                (Curve("first"), Curve("second")),
                kind="tree",
                leaves="images",
            )
        )
    return Outcome(
        layers=tuple(layers),
        tables=tuple(tables),
        plots=tuple(plots),
        summary=_summary(given, scan.pairs, judgement, scan.same, groups),
        diagnostics=_diagnostics(scan.plain, left_out, judgement),
    )


def of_best(
    given: Images,
    best: Best,
    how: Comparison,
    parameters: SimilarityParameters,
    left_out: Array,
    engine: Engine,
) -> Generator[Progress, None, Outcome]:
    """The best pairs of each image, and the groups that they form."""
    numbers = numbers_of(given.images)
    every = given.n * (given.n - 1) // 2
    found = best.columns
    judgement = Judgement(found, how, parameters, best.drawn, every)
    same = judgement.same(found)
    groups = numerics.groups_of(given.n, np.stack([found["first"], found["second"]], axis=1)[same])
    kept = np.argsort(-judgement.values, kind="stable")[: parameters.listed]
    pairs = np.stack([found["first"][kept], found["second"][kept]], axis=1)
    tables = []
    if len(pairs):
        checked = yield from chosen_pairs(given, pairs, how, engine)
        tables.append(pair_table(checked, numbers, judgement))
    tables.append(image_table(given, groups))
    layers = []
    if parameters.montage and (groups == parameters.montage).any():
        layers.append(montage_of(given, groups, parameters.montage))
    plots = (_histogram_plot(judgement, judgement.distribution(), tables),) if len(pairs) else ()
    said = [_screened(best)]
    if len(left_out):
        said.append(f"{_pairs(len(left_out))} left out as judged before.")
    return Outcome(
        layers=tuple(layers),
        tables=tuple(tables),
        plots=plots,
        summary=_summary(given, len(found["score"]), judgement, int(same.sum()), groups),
        diagnostics=(*said, *judgement.doubts()),
    )


def _screened(best: Best) -> str:
    if not best.copies:
        return "None of the images that the screen was to be tried on holds contrast."
    return (
        f"The screen kept the original of {100 * best.recall:.1f} % of {best.copies:,} images that "
        "were displaced at random; pairs that it missed are not in the table."
    )


def of_pairs(
    given: Images, columns: dict[str, Array], how: Comparison, parameters: SimilarityParameters
) -> Outcome:
    """Each image with the one before it."""
    judgement = Judgement(columns, how, parameters)
    table = pair_table(columns, numbers_of(given.images), judgement, ordered=False)
    same, count = table.columns["same"], int(np.isfinite(table.columns["score"]).sum())
    plot = Plot("Score", table.name, "second", (Curve("score"),), "Image", "Score")
    said = judgement.sentence(int(same.sum()))
    return Outcome(
        tables=(table,),
        plots=(plot,),
        summary=f"{_pairs(count, ' of neighbours')} compared. {said}"
        if count
        else f"None of the pairs of neighbours of {given.n:,} images could be compared.",
        diagnostics=_unanswered(table.columns["score"]),
    )


def of_references(
    given: Images,
    references: References,
    found: Array,
    how: Comparison,
    parameters: SimilarityParameters,
    left_out: Array,
) -> Outcome:
    """Each image with references: a matrix, and the best reference of each image."""
    score, rows, columns, weight = np.moveaxis(found, -1, 0)
    numbers = numbers_of(given.images)
    if references.own is not None:
        score, rows, columns = (np.array(each) for each in (score, rows, columns))
        score[0, references.own] = np.nan
    finite = np.isfinite(score)
    judgement = Judgement(
        {"score": score[finite], **({"z": weight[finite]} if how.weighs else {})}, how, parameters
    )
    near = judgement.judged({"score": score, "z": weight})
    best = np.where(finite, near, -np.inf).argmax(axis=0)
    each = np.arange(given.n)
    values = score[best, each]
    own = {"score": values, "z": weight[best, each]}
    same = judgement.same(own)
    order = np.argsort(-np.nan_to_num(judgement.judged(own), nan=-np.inf), kind="stable")
    table = {
        "image": np.array(names_of(given.images)),
        "frame": numbers,
        "reference": np.array(references.names)[best],
        "score": values,
    }
    notes = {"reference": "The best of the references.", **_NOTES}
    if how.weighs:
        table["z"] = own["z"]
        table["shift_y"], table["shift_x"] = rows[best, each], columns[best, each]
        notes["shift_y"] = "Pixel y of the reference shows what pixel y + shift_y shows."
    table["same"] = same.astype(np.int64)
    listed = {name: column[order][: parameters.listed] for name, column in table.items()}
    name = given.images.name
    grid = Grid((Axis("reference"), Axis("image")), score.shape)
    known = score[finite]
    layer = ImageResult(
        f"similarity to references of {name}",
        score,
        grid,
        contrast_limits=_limits((known.min(initial=0.0), known.max(initial=0.0)), how),
        colormap="viridis",
    )
    kept = {key: note for key, note in notes.items() if key in listed}
    return Outcome(
        layers=(layer,),
        tables=(Table("images", "frame", listed, kept),),
        plots=(Plot("Scores", "images", "", (Curve("score"),), "Score", kind="histogram"),),
        summary=f"{given.n:,} {'image was' if given.n == 1 else 'images were'} compared with "
        f"{len(score):,} reference{'s' * (len(score) != 1)}. {judgement.sentence(int(same.sum()))}"
        if finite.any()
        else f"None of {given.n:,} images could be compared with a reference.",
        diagnostics=_unanswered(values),
    )


def pair_table(
    columns: dict[str, Array], numbers: Array, judgement: Judgement, *, ordered: bool = True
) -> Table:
    """Pairs, the best first, by the numbers of their images."""
    known = np.nan_to_num(judgement.judged(columns), nan=-np.inf)
    places = (columns["second"], columns["first"])
    order = np.lexsort((*places, -known) if ordered else places)
    table = {name: column[order] for name, column in columns.items()}
    table["first"], table["second"] = numbers[table["first"]], numbers[table["second"]]
    table["same"] = judgement.same(table).astype(np.int64)
    notes = {name: note for name, note in _NOTES.items() if name in table}
    return Table("pairs", "pair", table, notes)


def image_table(given: Images, groups: Array) -> Table:
    """Every image with the group that it belongs to."""
    columns = {
        "image": np.array(names_of(given.images)),
        "frame": numbers_of(given.images),
        "group": groups,
    }
    notes = {"group": "Images that are the same, the largest group being 1; 0: none."}
    return Table("images", "frame", columns, notes)


def pair_sentence(
    given: Images,
    references: References | None,
    index: int,
    found: numerics.Matches,
    how: Comparison,
) -> str:
    """The current image and the one that it was compared with, in words."""
    names = names_of(given.images)
    if not np.isfinite(found.score).any():
        return "Nothing to compare: no contrast, or too little overlap."
    best = int(np.nanargmax(signed(found.score, how)))
    other = names[index - 1 if index else 1] if references is None else references.names[best]
    said = f"{names[index]} beside {other}: score {found.score[best]:.4g}"
    if how.measure not in SHIFTED:
        return f"{said}."
    y, x = found.shifts[best]
    return f"{said} at a shift of {y:+.0f} rows and {x:+.0f} columns."


def _limits(found: tuple[float, float], how: Comparison) -> tuple[float, float]:
    if not how.distance:
        return (0.0, 1.0)
    return (0.0, found[1] if found[1] > 0 else 1.0)


def _histogram_plot(judgement: Judgement, found: Distribution, tables: list[Table]) -> Plot:
    """The distribution of what the threshold is on, as a table of its own."""
    name, label = ("z", "z") if judgement.of_z else ("score", "Score")
    tables.append(Table("scores", "object", {name: found.middles, "pairs": found.counts}))
    return Plot(
        f"Distribution of {'z' if judgement.of_z else 'scores'}",
        "scores",
        name,
        (Curve("pairs"),),
        label,
        "Pairs",
        log_y=True,
    )


def _summary(given: Images, compared: int, judgement: Judgement, same: int, groups: Array) -> str:
    if not compared:
        return f"None of the pairs of {given.n:,} images could be compared."
    count = int(groups.max(initial=0))
    pairs = f"{compared:,} pair{'s' * (compared != 1)}"
    text = f"{given.n:,} images, {pairs}. {judgement.sentence(same)}"
    if not count:
        return text if judgement.undecided() else f"{text} No two images are the same."
    inside = int((groups > 0).sum())
    return f"{text} {inside:,} images form {count:,} group{'s' * (count != 1)}."


def _pairs(count: int, of: str = "") -> str:
    return f"{count:,} pair{of} was" if count == 1 else f"{count:,} pairs{of} were"


def _diagnostics(empty: Array, left_out: Array, judgement: Judgement) -> tuple[str, ...]:
    said = []
    if len(empty):
        said.append(
            f"{len(empty):,} image{'s' * (len(empty) != 1)} held no contrast or no data and could "
            f"not be compared ({', '.join(map(str, empty[:5]))}{' ...' * (len(empty) > 5)})."
        )
    if len(left_out):
        said.append(f"{_pairs(len(left_out))} left out as judged before.")
    return (*said, *judgement.doubts())


def _unanswered(values: Any) -> tuple[str, ...]:
    missing = int((~np.isfinite(values)).sum())
    if not missing:
        return ()
    return (f"{missing:,} could not be compared: no contrast, no data, or too little overlap.",)
