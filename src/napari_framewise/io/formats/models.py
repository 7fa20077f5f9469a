"""Models as files: one .npz with a JSON header, nothing pickled."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from napari_framewise.framework.model import Model
from napari_framewise.stacks.faults import check_regular, os_fault
from napari_framewise.tools.registry import all_tools, model_file

SCHEMA = 1
_HEADER = "header"
_ARRAY = "array."
_MOST_UNPACKED = 64 * 2**20


def write_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model as one file.

    The file is a NumPy .npz: the arrays, and a JSON header with the kind of model and its plain
    values. `numpy.load` opens it anywhere.

    Parameters
    ----------
    model : Model
        What to write.
    path : path
        File to make, by custom ending in .npz; one that is there is replaced at the end, in one
        step. A kind of model may have a format of its own, chosen by the ending.

    Raises
    ------
    ValueError
        Where a field holds what neither an array nor JSON can keep.
    """
    own = model_file(path, model.kind)
    if own is not None:
        own.load().write_model(model, path)
        return
    if model_file(path) is not None:
        ending = Path(path).suffix
        raise ValueError(
            f"{path} asks for a format that a {model.kind} model does not have ({ending}); give a "
            "name that ends in .npz."
        )
    arrays = model.arrays()
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(
                f"The field {name} of the {model.kind} model holds Python objects; only arrays of "
                "numbers, truth values or texts can be saved."
            )
    header = {"schema_version": SCHEMA, "kind": model.kind, "plain": model.plain()}
    try:
        text = json.dumps(header, default=_plain_number)
    except TypeError as error:
        raise ValueError(f"The {model.kind} model can't be saved: {error}.") from None
    place = Path(path)
    part = place.with_name(f".{place.name}.part")
    named: dict[str, Any] = {f"{_ARRAY}{name}": array for name, array in arrays.items()}
    named[_HEADER] = np.frombuffer(text.encode(), np.uint8)
    try:
        with part.open("wb") as file:
            np.savez(file, **named)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def read_model(path: str | os.PathLike[str]) -> Model:
    """The model in a file that `write_model` wrote, or in one of a kind's own formats.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    ValueError
        In one sentence, where the file is broken, not a model, or of a kind that is not known.
    """
    check_regular(path)
    own = model_file(path)
    if own is not None:
        model: Model = own.load().read_model(path)
        return model
    try:
        header, arrays = _contents(path)
    except OSError as error:
        if error.errno is None or isinstance(error, FileNotFoundError):
            raise
        raise ValueError(os_fault(path, error)) from None
    except (
        ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error,
        MemoryError, RecursionError, NotImplementedError, RuntimeError,
    ) as error:  # fmt: skip
        raise ValueError(
            f"{path} is not a model file, or it is broken ({_first_line(error)}); give an .npz "
            "file that this package wrote."
        ) from None
    if header.get("schema_version") != SCHEMA:
        raise ValueError(
            f"{path} is a model of schema version {header.get('schema_version')}, but this version "
            f"reads {SCHEMA}; update napari-framewise."
        )
    kind = header["kind"]
    if kind not in Model.kinds:
        all_tools()
    if kind not in Model.kinds:
        known = ", ".join(sorted(Model.kinds)) or "none"
        raise ValueError(f"{path} holds a {kind} model; the kinds known here are: {known}.")
    return Model.kinds[kind].restored(header["plain"], arrays)


def is_model(path: str | os.PathLike[str]) -> bool:
    """Whether a file claims to hold a model: by its ending, or by the header of an .npz."""
    own = model_file(path)
    if own is not None:
        # An ending that other files have as well says nothing of itself.
        return bool(own.reads)
    if Path(path).suffix.lower() != ".npz" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as file:
        return f"{_HEADER}.npy" in file.namelist()


def _contents(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no archive of arrays")
        _check_members(file)
        file.seek(0)
        loaded = np.load(file, allow_pickle=False)
        if _HEADER not in loaded:
            raise ValueError("it has no header")
        header = json.loads(loaded[_HEADER].tobytes())
        arrays = {
            name.removeprefix(_ARRAY): loaded[name]
            for name in loaded.files
            if name.startswith(_ARRAY)
        }
    if not isinstance(header, dict) or not {"kind", "plain"} <= set(header):
        raise ValueError("its header is of another form")
    return header, arrays


def _check_members(file: IO[bytes]) -> None:
    """Refuse members that would become much more than the file holds: models are not packed."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    held = sum(member.compress_size for member in members)
    if sum(member.file_size for member in members) > held + _MOST_UNPACKED:
        raise ValueError("it claims far more than it holds")


def _plain_number(value: Any) -> Any:
    """A NumPy number as Python's, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} is not a number, a text or an array")


def _first_line(error: Exception) -> str:
    text = str(error).partition("\n")[0].rstrip(".")
    # NumPy's own words tell of options that nobody has here.
    if "allow_pickle" in text or "pickled" in text:
        return "it holds Python objects, which are not loaded because that could run code"
    return text or "its content is damaged"
