"""The inputs of a call, with what its options choose of them."""

from __future__ import annotations

import glob
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.recipe import InputRef
from napari_framewise.io.formats.natural import natural_key
from napari_framewise.io.recipes.naming import OPEN_END, parse_frames, parse_input
from napari_framewise.io.recipes.numbers import names_of, numbers_of
from napari_framewise.io.recipes.references import resolve


def inputs_of(texts: Sequence[str]) -> list[InputRef]:
    """The references that texts stand for; patterns as the files that fit them."""
    return [each for text in texts for each in _files(parse_input(text))]


def chosen_of(refs: Sequence[InputRef], given: Namespace) -> list[InputRef]:
    """The inputs with the frames, axes, channel, region, key and pattern of the options.

    What stands with the input itself goes before.

    Raises
    ------
    ValueError
        Where an option can't be read, or names an axis that is not there.
    """
    chosen: dict[str, Any] = {"channel": given.channel, "no_data": given.no_data}
    if given.region is not None:
        chosen["region"] = _region(given.region)
    frames = parse_frames(given.frames) if given.frames is not None else None
    keyed = [
        ref.model_copy(
            update={"key": ref.key or given.key, "pattern": ref.pattern or given.pattern}
        )
        for ref in refs
    ]
    if given.frames_along is not None:
        chosen["frames_along"] = _axes(given.frames_along, keyed)
    return [
        ref.model_copy(
            update={
                "selection": replace(ref.selection, frames=ref.selection.frames or frames, **chosen)
            }
        )
        for ref in keyed
    ]


def check_frames(ref: InputRef, asked: str | None = None) -> None:
    """Refuse a range of frames that ends behind the one input that it is for.

    `asked` is what `--frames` was given, where the range is not part of the input's own name.

    Of several inputs, and of a recipe's, a range ends with each that is shorter.

    Raises
    ------
    ValueError
        Where it ends behind the last frame.
    """
    frames = ref.selection.frames
    if frames is None or frames[1] >= OPEN_END:
        return
    whole = ref.model_copy(update={"selection": replace(ref.selection, frames=None)})
    try:
        stack = resolve(whole, Kind.STACK)
    except (ValueError, OSError):
        # The run says it, for the role that the input has.
        return
    total = getattr(stack, "n_frames", frames[1])
    # what begins behind the last frame is refused where the stack is opened
    if frames[0] < total < frames[1]:
        by = f"frames {frames[0]}:{frames[1]} were asked for"
        if asked is not None:
            by = f"--frames was given {asked!r}"
        name, frame_s = getattr(stack, "name", ref.path), "frame" if total == 1 else "frames"
        raise ValueError(
            f"{by}, but {name} has {total:,} {frame_s}, counted from 0; give an end of up to "
            f"{total}, or none."
        )


def valued_refs(
    refs: Sequence[InputRef], role: Input, texts: Sequence[str] | None
) -> list[InputRef]:
    """The inputs of a role with the numbers that its option gives them.

    Given once it is for all of them; given as often as there are inputs, each has its own.

    Raises
    ------
    ValueError
        Where there are not as many as inputs, or they can't be read so.
    """
    asked = role.value
    if not texts or asked is None:
        return list(refs)
    if len(texts) > 1:
        if len(texts) != len(refs):
            raise ValueError(
                f"{role.title}: {asked.title.lower()} was given {len(texts)} times for {len(refs)} "
                "inputs; give it once for all, or once for each, in their order."
            )
        pairs = zip(refs, texts, strict=True)
        return [each for ref, text in pairs for each in valued_refs([ref], role, [text])]
    (text,) = texts
    if "{}" in text:
        return [ref.model_copy(update={"value_pattern": text}) for ref in refs]
    if asked.per == "frame":
        return [
            ref.model_copy(
                update={"values": numbers_of(text, names_of(resolve(ref, role.kinds)), asked)}
            )
            for ref in refs
        ]
    numbers = numbers_of(text, [ref.path or ref.item or "" for ref in refs], asked)
    if len(numbers) != len(refs):
        raise ValueError(
            f"{role.title}: {len(refs)} images were given, and {len(numbers)} numbers as "
            f"{asked.title.lower()}; give as many."
        )
    return [
        ref.model_copy(update={"values": (number,)})
        for ref, number in zip(refs, numbers, strict=True)
    ]


def _files(ref: InputRef) -> list[InputRef]:
    """The files that a pattern stands for where the shell left it to us, as on Windows."""
    if ref.path is None or Path(ref.path).exists() or not glob.has_magic(ref.path):
        return [ref]
    found = sorted(glob.glob(ref.path), key=natural_key)
    return [ref.model_copy(update={"path": path}) for path in found] or [ref]


def _region(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    try:
        rows, columns = ([int(end) for end in part.split(":")] for part in text.split(","))
        (top, bottom), (left, right) = rows, columns
    except ValueError:
        raise ValueError(
            f"--region was given {text!r}; write rows and columns in pixels, such as 0:64,32:96."
        ) from None
    return ((top, bottom), (left, right))


def _axes(text: str, refs: Sequence[InputRef]) -> tuple[int, ...]:
    """Axes by number; names are looked up in the first input that can be opened."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if all(word.isdigit() for word in words):
        return tuple(map(int, words))
    names, opened = _axis_names(refs)
    unknown = [word for word in words if not word.isdigit() and word not in names]
    if unknown:
        raise ValueError(
            f"--frames-along was given {unknown[0]!r}, but the axes of {opened} are "
            f"{', '.join(names)}; name them, or count them from 0."
        )
    return tuple(int(word) if word.isdigit() else names.index(word) for word in words)


def _axis_names(refs: Sequence[InputRef]) -> tuple[list[str], str]:
    failure: Exception | None = None
    for ref in refs:
        try:
            # Its frames are not wanted, and the choice of axes is still to come.
            stack = resolve(ref.model_copy(update={"selection": type(ref.selection)()}), Kind.STACK)
        except (ValueError, OSError) as error:
            failure = failure or error
        else:
            return [axis.name for axis in getattr(stack, "axes", ())], getattr(stack, "name", "")
    raise failure or ValueError("--frames-along was given without an input.")
