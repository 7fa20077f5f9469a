"""Lazy results as whole stacks on disk: written with progress, then read from there."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.results import write_frames
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.on_disk import needs_folder
from napari_framewise.framework.outcome import ImageResult
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.tool import Tool
from napari_framewise.io import open_stack
from napari_framewise.stacks.sources.view import SourceView
from napari_framewise.stacks.stack import Stack


@dataclass(frozen=True, eq=False)
class Written:
    """A result on disk."""

    path: Path
    stack: Stack


def ask_for_folder(
    parent: QWidget, tool: Tool[Any], inputs: Inputs, parameters: Parameters
) -> str | None:
    """A folder for what memory does not hold; None where none is needed, "" where none is given."""
    why = needs_folder(tool, inputs, parameters)
    if not why:
        return None
    return str(QFileDialog.getExistingDirectory(parent, f"{why}: choose a folder for it"))


def written_frames(
    result: ImageResult, path: str, provenance: Mapping[str, Any], engine: Engine
) -> Generator[Progress, None, Written]:
    """Write all frames of a lazy result; what a cancel leaves is resumed by the next try."""
    written = yield from write_frames(
        result.data,
        path,
        engine=engine,
        axes=result.grid.axes,
        name=result.name,
        provenance=provenance,
        fingerprint=repr((result.name, sorted(provenance.items(), key=str))),
    )
    return Written(written, open_stack(written))


def show_written(written: Written, layer: Layer | None, viewer: ViewerModel) -> str:
    """Let the layer read from disk, where it is still there; what to say of it."""
    if layer is not None and layer in viewer.layers:
        layer.data = SourceView(written.stack.source)
        return f"Saved as {written.path}; the layer {layer.name} now reads from there."
    return f"Saved as {written.path}."
