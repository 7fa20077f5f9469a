"""Where the results of a run go on disk, under what names, and what is never overwritten."""

from __future__ import annotations

import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from napari_framewise.io.runs.journal import Journal, journal_at
from napari_framewise.stacks.faults import reason_of

Layers: TypeAlias = Literal["shown", "all", "none"]
ImageFormat: TypeAlias = Literal["zarr", "tif"]
NOT_WRITTEN = (".h5", ".hdf5", ".tsv", ".xlsx", ".mat", ".png", ".jpg")
_LONGEST_NAME = 240
SINGLE = {
    ".csv": "table",
    ".json": "table",
    ".zarr": "image",
    ".tif": "image",
    ".tiff": "image",
    ".npz": "model",
    ".flo": "model",
    ".npy": "model",
    ".txt": "model",
}


@dataclass(frozen=True)
class Output:
    """Where results go.

    Attributes
    ----------
    place : Path
        A folder, or one file ending in .csv, .json, .zarr, .tif or .npz for the first table, image
        or model alone.
    overwrite : bool
        Whether files that are there may be replaced.
    layers : {"shown", "all", "none"}
        Which image, point and vector results are written: those that napari would show at once,
        the hidden ones as well (residuals), or none.
    image_format : {"zarr", "tif"}
        Of images in a folder.
    results : bool
        Record hashes of inputs and results in the recipe, to be reproduced later.
    journal : Journal, optional
        What the run has finished so far; `prepared` gives it to a run that can go on.
    """

    place: Path
    overwrite: bool = False
    layers: Layers = "shown"
    image_format: ImageFormat = "zarr"
    results: bool = False
    journal: Journal | None = None

    @property
    def single(self) -> str | None:
        """What one file is wanted: "table", "image" or "model"; None for a folder."""
        return SINGLE.get(self.place.suffix.lower())

    @property
    def folder(self) -> Path:
        """The folder that is written into."""
        return self.place.parent if self.single else self.place

    @contextmanager
    def prepared(self, fingerprint: str = "") -> Iterator[Output]:
        """Make the folder; take it away again where nothing came into it.

        Parameters
        ----------
        fingerprint : str
            Names the run: one with the same name goes on where another end of it left the folder,
            and no other run writes there as long as it lives. Without a name nothing is noted.

        Yields
        ------
        Output
            To write to; it knows what the run has finished.

        Raises
        ------
        ValueError
            Where it can't be written, the one file is there already, another run is writing
            there, or has left unfinished results.
        """
        if self.place.suffix.lower() in NOT_WRITTEN:
            raise ValueError(
                f"{self.place} looks like a file of a kind that is not written; give a folder, "
                f"or a file ending in {', '.join(SINGLE)}."
            )
        try:
            made = not self.folder.exists()
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise ValueError(
                f"The folder {self.folder} can't be written: {reason_of(error)}; choose another."
            ) from None
        try:
            if fingerprint:
                hidden = f".{self.place.name[-100:]}.run" if self.single else ".framewise.run"
                place = self.folder / hidden
                with journal_at(place, self.folder, fingerprint, self.overwrite) as journal:
                    ready = replace(self, journal=journal)
                    ready._check_single()
                    yield ready
            else:
                self._check_single()
                yield self
        finally:
            if made and not any(self.folder.iterdir()):
                self.folder.rmdir()

    def _check_single(self) -> None:
        ours = self.journal is not None and self.journal.owns(self.place)
        if self.single and self.place.exists() and not self.overwrite and not ours:
            raise ValueError(f"{self.place} is there already; choose another, or overwrite it.")

    def path(self, name: str, title: str, suffix: str) -> Path:
        """The place of one result of the input that is called `name`.

        Raises
        ------
        ValueError
            Where something is there that may not be replaced.
        """
        return self.place if self.single else self._free(self.named(name, title, suffix))

    def named(self, name: str, title: str, suffix: str) -> Path:
        """That place in a folder, whatever is there."""
        rest = title.removeprefix(name).strip() if f"{title} ".startswith(f"{name} ") else title
        parts = [part for part in (name, re.sub(r"[^\w.]+", "-", rest).strip("-")) if part]
        return self.folder / _short(f"{'-'.join(parts)}{suffix}")

    def recipe_path(self, name: str) -> Path:
        """The place of the recipe.

        Raises
        ------
        ValueError
            Where one is there that may not be replaced.
        """
        if self.single:
            return self._free(self.place.with_suffix(".recipe.json"))
        return self._free(self.folder / _short(f"{name}.recipe.json"))

    def results_path(self, name: str) -> Path:
        """The place of the values of recorded results.

        Raises
        ------
        ValueError
            Where one is there that may not be replaced.
        """
        if self.single:
            return self._free(self.place.with_suffix(".results.npz"))
        return self._free(self.folder / _short(f"{name}.results.npz"))

    def _free(self, path: Path) -> Path:
        ours = self.journal is not None and self.journal.owns(path)
        if path.exists() and not self.overwrite and not ours:
            raise ValueError(f"{path} is there already; choose another place, or overwrite it.")
        return path


def _short(name: str) -> str:
    """A name that a disk takes; its end, which says what it is, stays."""
    if len(os.fsencode(name)) <= _LONGEST_NAME:
        return name
    return f"{name[:40]}-{zlib.crc32(name.encode()):08x}-{name[-80:]}"
