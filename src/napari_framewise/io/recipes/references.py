"""What a recipe's references name: files, samples and results of earlier steps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from napari_framewise.framework.inputs import IMAGE_KINDS, Kind, Value
from napari_framewise.framework.outcome import Entity, Outcome, PointsResult, ShapesResult, Table
from napari_framewise.framework.recipe import InputRef
from napari_framewise.framework.valued import InputValue, Valued
from napari_framewise.framework.values import value_of
from napari_framewise.io.formats.coordinates import points_of, shapes_of
from napari_framewise.io.formats.models import is_model, read_model
from napari_framewise.io.formats.tables import read_table
from napari_framewise.io.opening import open_stack
from napari_framewise.io.ragged import open_images
from napari_framewise.io.recipes.naming import parse_input
from napari_framewise.io.recipes.numbers import names_of, number_in
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.faults import os_faults_told
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.stack import Origin, Selection, Stack, stack_of

TABLE_ENDINGS = (".csv", ".tsv", ".txt")

if TYPE_CHECKING:
    from napari_framewise.samples import SampleData


def resolve(ref: InputRef, kinds: Kind | Sequence[Kind], results: Sequence[Outcome] = ()) -> Value:
    """What a reference of a loaded recipe names.

    Parameters
    ----------
    ref : InputRef
        With an absolute path, where it has one.
    kinds : Kind or sequence of Kind
        What it is taken as; of several that which the file holds.
    results : sequence of Outcome
        Of the steps so far.

    Raises
    ------
    ValueError
        In one sentence, where it is not there or not of that kind.
    """
    value = _found(ref, (kinds,) if isinstance(kinds, Kind) else tuple(kinds), results)
    if isinstance(value, Stack):
        return _as_described(value, ref)
    if isinstance(value, (PointsResult, ShapesResult)) and ref.axes is not None:
        return replace(value, grid=_placing(ref))
    return value


def resolve_input(
    ref: InputRef, kinds: Kind | Sequence[Kind], results: Sequence[Outcome] = ()
) -> Value | Valued:
    """What a reference names, with its numbers where it has any; see `resolve`."""
    value = resolve(ref, kinds, results)
    if ref.values is not None:
        return Valued(value, ref.values, ref.value_pattern)
    if ref.value_pattern is not None:
        asked = InputValue("Its number")
        numbers = tuple(number_in(name, ref.value_pattern, asked) for name in names_of(value))
        return Valued(value, numbers, ref.value_pattern)
    return value


def sample(name: str) -> SampleData:
    """A sample: its stacks and what a tool should find in them.

    Raises
    ------
    ValueError
        Where there is no such sample.
    """
    # Making them takes libraries that opening a file does not.
    from napari_framewise.samples import SAMPLES

    if name not in SAMPLES:
        names = ", ".join(SAMPLES) or "none"
        raise ValueError(f"There is no sample {name!r}; the samples are: {names}.")
    return SAMPLES[name].make()


def open_input(text: str | os.PathLike[str], kind: str | Sequence[str] = "stack") -> Value | Valued:
    """What a recipe or the command line would take for a text.

    Parameters
    ----------
    text : str or path
        A file, as the command line takes it: ``stack.tif@0:100``, ``data.h5::/frames``,
        ``sample:two_references/reference 1``.
    kind : str or sequence of str
        What it is opened as: stack, images, frame, labels, points, shapes, table or model; of
        several that which the file holds.

    Raises
    ------
    ValueError
        In one sentence, where it is not there or not of that kind.
    """
    kinds = [kind] if isinstance(kind, str) else kind
    return resolve_input(parse_input(text), [Kind(each) for each in kinds])


def reference_to(stack: Stack) -> InputRef | None:
    """The reference to a stack's file or sample; None where it exists only in memory.

    Axes are named in it only where they are not what the file says.
    """
    origin = stack.origin
    if origin is None:
        return None
    ref = InputRef(
        path=os.path.abspath(origin.path) if origin.path is not None else None,
        key=origin.key,
        pattern=origin.pattern,
        sample=origin.sample,
        item=origin.item,
        selection=stack.selection,
        name=stack.name,
    )
    try:
        opened = _opened(origin)
    except (OSError, ValueError):
        opened = None
    if opened is not None and (opened.axes, opened.rgb) == (stack.axes, stack.rgb):
        return ref
    return ref.model_copy(update=description_of(stack.axes, stack.rgb))


def description_of(axes: Sequence[Axis], rgb: bool | None = None) -> dict[str, Any]:
    """Axes as the fields of a reference."""
    return {
        "axes": tuple(axis.name for axis in axes),
        "scale": tuple(axis.scale for axis in axes),
        "translate": tuple(axis.translate for axis in axes),
        "units": tuple(axis.unit for axis in axes),
        "rgb": rgb,
    }


def _found(ref: InputRef, kinds: tuple[Kind, ...], results: Sequence[Outcome]) -> Value:
    if ref.memory is not None:
        raise ValueError(
            f"{ref.memory} exists only in memory; save the recipe, which writes it to a file."
        )
    if ref.step is not None:
        return _result(results[ref.step], ref, kinds)
    if ref.path is None:
        return _opened(Origin(sample=ref.sample, item=ref.item))
    if not os.path.exists(ref.path):
        raise ValueError(f"There is no file or folder {ref.path}.")
    name = Path(ref.path).stem
    with os_faults_told(ref.path):
        return _read(ref, _kind_of_file(ref.path, kinds), name)


def _read(ref: InputRef, kind: Kind, name: str) -> Value:
    """What is in a file that is there."""
    assert ref.path is not None
    match kind:
        case Kind.MODEL:
            return read_model(ref.path)
        case Kind.TABLE:
            columns = read_table(ref.path)
            return Table(name, _entity_of(columns), columns)
        case Kind.POINTS:
            return points_of(read_table(ref.path), name)
        case Kind.SHAPES:
            return shapes_of(read_table(ref.path), name)
        case Kind.IMAGES:
            return _images(ref)
        case _:
            return _opened(Origin(path=ref.path, key=ref.key, pattern=ref.pattern))


def _kind_of_file(path: str, kinds: tuple[Kind, ...]) -> Kind:
    """Which of several kinds a file holds, as its ending or a table's columns say."""
    if len(kinds) == 1:
        return kinds[0]
    ending = Path(path).suffix.lower()
    if ending in TABLE_ENDINGS:
        columns = read_table(path)
        drawn = Kind.SHAPES if {"vertex-index", "shape-type"} & set(columns) else Kind.POINTS
        wanted: tuple[Kind, ...] = (drawn, Kind.TABLE) if "axis-0" in columns else (Kind.TABLE,)
    elif Kind.MODEL in kinds and is_model(path):
        wanted = (Kind.MODEL,)
    else:
        wanted = IMAGE_KINDS
    found = next((kind for kind in kinds if kind in wanted), None)
    if found is None:
        taken = " or ".join(each.value for each in kinds)
        raise ValueError(f"{path} holds a {wanted[0].value}; {taken} is needed.")
    return found


def _images(ref: InputRef) -> Value:
    opened = open_images(ref.path or "", key=ref.key, pattern=ref.pattern)
    if isinstance(opened, RaggedStack) and ref.selection != Selection():
        raise ValueError(
            f"{opened.name} holds {opened.summary()}; of images that differ in size no frames, "
            "channel or region can be chosen: take all of them, or choose files with a pattern."
        )
    return opened


def _opened(origin: Origin) -> Stack:
    if origin.path is not None:
        return open_stack(origin.path, key=origin.key, pattern=origin.pattern)
    name = origin.sample or ""
    stacks = _sample_once(name).stacks
    for item, stack in stacks:
        # A shell is spared the blank: reference-1 is "reference 1".
        if origin.item in ("", item, item.replace(" ", "-")):
            return replace(stack, origin=Origin(sample=name, item=item))
    raise ValueError(
        f"The sample {name} has no {origin.item!r}; it has: {', '.join(dict(stacks))}."
    )


@lru_cache(maxsize=1)
def _sample_once(name: str) -> SampleData:
    return sample(name)


def _as_described(stack: Stack, ref: InputRef) -> Stack:
    """The stack with the axes and the selection that a reference states."""
    axes = stack.axes
    described = stack_of(
        stack.source,
        axes=ref.axes or tuple(axis.name for axis in axes),
        scale=ref.scale or tuple(axis.scale for axis in axes),
        translate=ref.translate or tuple(axis.translate for axis in axes),
        units=ref.units or tuple(axis.unit for axis in axes),
        rgb=stack.rgb if ref.rgb is None else ref.rgb,
        name=ref.name or stack.name,
        origin=stack.origin,
        no_data=stack.no_data,
    )
    named = ref.axes is not None and ref.axes != tuple(axis.name for axis in axes)
    # What was guessed of axes no longer holds where the recipe names them.
    remarks = () if named else stack.remarks
    described = replace(described, remarks=remarks, legend=stack.legend)
    return described.select(_within(ref.selection, described))


def _within(selection: Selection, stack: Stack) -> Selection:
    """A selection whose frames end with the stack: a recipe may run on a shorter one."""
    if selection.frames is None:
        return selection
    start, stop, step = selection.frames
    total = stack.select(replace(selection, frames=None)).n_frames
    if start >= total:
        raise ValueError(
            f"{stack.name}: frames from {start:,} on were asked for, but it has {total:,} frames, "
            "counted from 0."
        )
    return replace(selection, frames=(start, min(stop, total), step))


def _result(outcome: Outcome, ref: InputRef, kinds: tuple[Kind, ...]) -> Value:
    item = ref.item or None
    names = {model.kind for model in outcome.models}
    if Kind.MODEL in kinds and (len(kinds) == 1 or item in names):
        return outcome.model(item)
    if Kind.TABLE in kinds:
        return outcome.table(item)
    value: Value = value_of(outcome.layer(item))
    return value


def _entity_of(columns: Iterable[str]) -> Entity:
    """What a row of a file's table is: as the column says that bears its name, else an object."""
    return next((entity for entity in get_args(Entity) if entity in columns), "object")


def _placing(ref: InputRef) -> Grid:
    axes = ref.axes or ()
    count = len(axes)
    return Grid(
        tuple(
            Axis(*each)
            for each in zip(
                axes,
                ref.scale or (1.0,) * count,
                ref.translate or (0.0,) * count,
                ref.units or ("pixel",) * count,
                strict=True,
            )
        )
    )
