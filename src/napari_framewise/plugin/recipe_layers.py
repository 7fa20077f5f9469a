"""Results of a recipe as layers: each lies as the layer that its step's input came from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer

from napari_framewise.framework.outcome import LayerResult, Outcome
from napari_framewise.framework.recipe import InputRef, Recipe
from napari_framewise.io.recipes.naming import text_of
from napari_framewise.plugin.layers.layers_in import METADATA_KEY
from napari_framewise.stacks.stack import Origin


def results_of(
    recipe: Recipe,
    outcomes: Mapping[int, Outcome],
    viewer: ViewerModel,
    given: Mapping[str, Layer],
) -> Iterator[tuple[int, LayerResult, Layer | None, dict[str, Any]]]:
    """The layers of some steps of a run.

    Parameters
    ----------
    recipe : Recipe
        As it was run.
    outcomes : mapping of int to Outcome
        Of those steps that were run, by their number from 0.
    viewer : ViewerModel
        Where a file that was run on may be open.
    given : mapping of str to Layer
        Layers that were run on, by the text of their reference.

    Yields
    ------
    tuple
        Number of the step, its result, the layer whose rotation, shear and affine hold for it,
        and its provenance.
    """
    plain = recipe.model_dump(mode="json", exclude={"hashes", "results"})
    for number, outcome in outcomes.items():
        told = {"tool": recipe.steps[number].tool, "recipe": plain}
        for result in outcome.layers:
            under = _under(recipe, number, result.grid.role, outcomes, viewer, given)
            yield number, result, under, told


def _under(
    recipe: Recipe,
    number: int,
    role: str | None,
    outcomes: Mapping[int, Outcome],
    viewer: ViewerModel,
    given: Mapping[str, Layer],
) -> Layer | None:
    """The layer in a role of a step; where a result of another step stands there, that one's."""
    ref = next(iter(recipe.steps[number].inputs.get(role or "", ())), None)
    if ref is None:
        return None
    if ref.step is None:
        return given.get(text_of(ref)) or _open_layer(ref, viewer.layers)
    try:
        before = outcomes[ref.step].layer(ref.item or None)
    except (KeyError, ValueError):
        return None
    return _under(recipe, ref.step, before.grid.role, outcomes, viewer, given)


def _open_layer(ref: InputRef, layers: Sequence[Layer]) -> Layer | None:
    """The open layer that shows what a reference names."""
    return next((layer for layer in layers if _shows(layer, ref)), None)


def _shows(layer: Layer, ref: InputRef) -> bool:
    if not isinstance(layer, Image | Labels):
        return False
    noted = layer.metadata.get(METADATA_KEY, {})
    origin = noted.get("origin") if isinstance(noted, Mapping) else None
    origin = Origin(**origin) if isinstance(origin, Mapping) else origin
    if isinstance(origin, Origin):
        path = None if origin.path is None else os.path.abspath(origin.path)
        shown = (path, origin.key, origin.sample, origin.item)
        return shown == (ref.path, ref.key, ref.sample, ref.item)
    source = layer.source.path
    return source is not None and os.path.abspath(source) == ref.path
