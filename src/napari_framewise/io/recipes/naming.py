"""Inputs as texts, and names for the outputs that come of them."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from napari_framewise.framework.recipe import InputRef
from napari_framewise.stacks.stack import Selection

SYNTAX = (
    "FILE, FILE@FRAMES, FILE::KEY, FILE::KEY@FRAMES, sample:NAME or sample:NAME/ITEM; with =NUMBER "
    "behind it where a number is asked for"
)
OPEN_END = sys.maxsize
"""Stands for the last frame where a text says no end; whoever opens the stack knows better."""

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_FRAMES = re.compile(r"(?P<start>\d+)?(?P<stop>:\d*)?(?P<step>:\d*)?")
_DOUBLE_SUFFIXES = (".ome.tif", ".ome.tiff", ".ome.zarr", ".npy.gz")


def parse_input(text: str | os.PathLike[str]) -> InputRef:
    """The reference that a text stands for.

    - ``stack.tif``: a file or folder;
    - ``stack.tif@7``, ``stack.tif@0:100``, ``stack.tif@0:100:2``: some of its frames, counted from
      0, the end excluded, as Python slices them;
    - ``data.h5::/entry/frames``: an array inside a file, also with ``@0:100`` behind it;
    - ``sample:mixture``, ``sample:mixture/reference 1``: a sample of this package;
    - ``image.tif=20``, ``image.tif@7=20``: with the number that goes with it.

    A file whose very name contains ``@``, ``::`` or ``=`` is taken as it stands.

    Raises
    ------
    ValueError
        Where frames are meant that can't be read so, or nothing is named.
    """
    whole = os.fspath(text)
    if not whole:
        raise ValueError("An input has no name; give a file, a folder or a sample.")
    if os.path.exists(whole):
        return InputRef(path=os.path.abspath(whole))
    text, equals, number = whole.rpartition("=")
    if equals and re.fullmatch(NUMBER, number):
        return parse_input(text).model_copy(update={"values": (float(number),)})
    place, at, frames = whole.rpartition("@")
    selection = Selection()
    if at and re.fullmatch(r"-?[\d:-]+", frames):
        selection = Selection(frames=parse_frames(frames))
    else:
        place = whole
    if place.startswith("sample:"):
        name, _, item = place.removeprefix("sample:").partition("/")
        return InputRef(sample=name, item=item, selection=selection)
    path, _, key = place.partition("::")
    return InputRef(path=os.path.abspath(path), key=key or None, selection=selection)


def parse_frames(text: str) -> tuple[int, int, int]:
    """Start, stop and step of "7", "0:100", "100:" or "0:100:2".

    Raises
    ------
    ValueError
        Where it is none of them.
    """
    match = _FRAMES.fullmatch(text.strip())
    if match is None or not text.strip():
        raise ValueError(
            f"{text!r} are no frames; write a number from 0, or START:STOP:STEP such as 0:100, "
            "100: or ::2."
        )
    start = int(match["start"] or 0)
    if match["stop"] is None:
        return (start, start + 1, 1)
    stop = int(match["stop"][1:]) if match["stop"][1:] else OPEN_END
    step = int(match["step"][1:]) if match["step"] and match["step"][1:] else 1
    return (start, stop, step)


def text_of(ref: InputRef) -> str:
    """A reference's place as `parse_input` reads it, without its frames."""
    if ref.sample is not None:
        return f"sample:{ref.sample}" + (f"/{ref.item}" if ref.item else "")
    if ref.memory is not None:
        return ref.memory
    return f"{ref.path}::{ref.key}" if ref.key else str(ref.path)


def output_names(refs: Sequence[InputRef]) -> tuple[str, ...]:
    """A name for each input's outputs: the file's, with as many of its folders as tell it apart.

    No two are the same, also where a file system does not tell A from a.
    """
    parts = [_parts(ref) for ref in refs]
    depths = [1] * len(parts)
    while True:
        names = ["-".join(each[-depth:]) for each, depth in zip(parts, depths, strict=True)]
        counts = Counter(name.casefold() for name in names)
        grown = [
            min(depth + 1, len(each)) if counts[name.casefold()] > 1 else depth
            for name, each, depth in zip(names, parts, depths, strict=True)
        ]
        if grown == depths:
            return _numbered(names)
        depths = grown


def _parts(ref: InputRef) -> tuple[str, ...]:
    """Folders and stem of an input, innermost last; only what a file's name may hold."""
    if ref.sample is not None:
        return (_clean(f"{ref.sample}-{ref.item}" if ref.item else ref.sample),)
    if ref.memory is not None:
        return (_clean(ref.memory),)
    path = Path(ref.path or "input")
    stem = path.name
    ending = next((each for each in _DOUBLE_SUFFIXES if stem.lower().endswith(each)), path.suffix)
    stem = stem[: len(stem) - len(ending)] or stem
    folders = [part for part in path.parts[:-1] if part != path.anchor]
    inside = [_clean(ref.key)] if ref.key else []
    return (*map(_clean, folders), "-".join([_clean(stem), *inside]))


def _clean(text: str) -> str:
    """The text without what some file system refuses."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]+', "_", text).strip(" ._") or "input"


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    seen: set[str] = set()
    unique = []
    for name in names:
        number, candidate = 1, name
        while candidate.casefold() in seen:
            number += 1
            candidate = f"{name}-{number}"
        seen.add(candidate.casefold())
        unique.append(candidate)
    return tuple(unique)
