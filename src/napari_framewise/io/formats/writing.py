"""Image data to zarr or TIFF, block by block."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.results import write_frames
from napari_framewise.io.formats.legends import write_legend
from napari_framewise.io.formats.tiff_writing import write_tiff
from napari_framewise.stacks.stack import Stack

_TIFF = (".tif", ".tiff")


def write_image(
    stack: Stack,
    path: str | os.PathLike[str],
    *,
    engine: Engine,
    provenance: Mapping[str, Any] | None = None,
    fingerprint: str = "",
) -> Generator[Progress, None, Path]:
    """Write the chosen frames of a stack as zarr or TIFF.

    Parameters
    ----------
    stack : Stack
        What to write, of any size: it is read in blocks. Its frame axes become the first ones.
    path : path
        NAME.zarr for OME-Zarr 0.5 (zarr v3, sharded), NAME.tif or NAME.ome.tif for TIFF.
    engine : Engine
        Where the blocks are read, or computed.
    provenance : mapping, optional
        Tool, version, parameters, inputs: plain values, kept in the file.
    fingerprint : str
        Names the computation; an unfinished zarr with the same name is gone on with.

    Yields
    ------
    Progress
        Close the generator to cancel; a TIFF file that is not whole is removed.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ValueError
        Where the ending is none of these, or TIFF can't hold the data.
    """
    target = Path(path)
    ending = target.suffix.casefold()
    if ending == ".zarr":
        written = yield from write_frames(
            stack,
            target,
            engine=engine,
            name=stack.name,
            provenance=provenance,
            fingerprint=fingerprint,
        )
    elif ending in _TIFF:
        written = yield from write_tiff(stack, target, engine=engine, provenance=provenance)
    else:
        raise ValueError(
            f"{target} ends in {ending or 'nothing'}; images are written as .zarr, .tif or "
            ".ome.tif."
        )
    if stack.legend is not None:
        write_legend(stack.legend, written)
    return written
