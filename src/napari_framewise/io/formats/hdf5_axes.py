"""What an HDF5 file says of the axes of a dataset, in the dialects of those who write it.

ilastik and vigra (axistags), HyperSpy (.hspy), EMD of NCEM and of Velox, NeXus (NXdata), netCDF and
plain dimension scales, xarray, Fiji's element_size_um, the HDF5 image specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from napari_framewise.io.formats.guessing import guessed_axes
from napari_framewise.io.formats.natural import natural_key
from napari_framewise.io.formats.no_data import no_data_values
from napari_framewise.io.formats.positions import LONGEST_POSITIONS, axis_along
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.units import calibrated

_LONGEST_TEXT = 2**22
_NETCDF_NAMELESS = "This is a netCDF dimension but not a netCDF variable"


@dataclass(frozen=True)
class Description:
    """What is said of a dataset.

    Attributes
    ----------
    axes : tuple of Axis
        One per axis.
    rgb : bool
        Whether the last axis holds the components of a colour.
    remarks : tuple of str
        What is guessed.
    no_data : tuple of float
        Values that stand for no data.
    """

    axes: tuple[Axis, ...]
    rgb: bool = False
    remarks: tuple[str, ...] = ()
    no_data: tuple[float, ...] = ()


def described(dataset: h5py.Dataset) -> Description:
    """Axes, colour and no-data values as the file has them, and what had to be guessed."""
    no_data = no_data_values(dataset.attrs, dataset.dtype)
    rgb = _is_colour(dataset)
    for dialect in _DIALECTS:
        axes = dialect(dataset)
        if axes is not None and len(axes) == dataset.ndim:
            return Description(unique(axes), rgb, (), no_data)
    scaled, named = _dimensions(dataset)
    guessed, remarks = guessed_axes(dataset.shape, dataset.dtype)
    if rgb:
        guessed, remarks = (*(Axis("y"), Axis("x"), Axis("c")),)[-dataset.ndim :], ()
    if named:
        remarks = ()
    filled = (guess if axis is None else axis for axis, guess in zip(scaled, guessed, strict=True))
    return Description(unique(_with_element_size(dataset, list(filled))), rgb, remarks, no_data)


def unique(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Axes of which those that bear a name again get their number behind it."""
    taken: set[str] = set()
    result = []
    for number, axis in enumerate(axes):
        name = f"{axis.name} {number}" if axis.name in taken else axis.name
        taken.add(name)
        result.append(Axis(name, axis.scale, axis.translate, axis.unit))
    return tuple(result)


def text_of(value: object) -> str:
    """An attribute as text; HDF5 has texts of one letter per element as well."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "S" and value.size != 1:
        value = value.tobytes()
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip("\0 ")
    return "" if value is None else str(value)


def json_of(text: str | bytes) -> Any:
    """What a text in JSON says; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _axistags(dataset: h5py.Dataset) -> list[Axis] | None:
    said = json_of(text_of(dataset.attrs.get("axistags")) or "null")
    tags = said.get("axes") if isinstance(said, dict) else None
    if not isinstance(tags, list) or not all(isinstance(tag, dict) for tag in tags):
        return None
    return [
        calibrated(str(tag.get("key", "?")), tag.get("resolution"), tag.get("description"))
        for tag in tags
    ]


def _hyperspy(dataset: h5py.Dataset) -> list[Axis] | None:
    parent = dataset.parent
    if "axis-0" not in parent:
        return None
    axes = []
    for number in range(dataset.ndim):
        node = parent.get(f"axis-{number}")
        if node is None:
            return None
        said = node.attrs
        name = text_of(said.get("name"))
        named = name and not name.startswith(("_", "<")) and name != "None"
        axes.append(
            calibrated(
                name if named else f"axis {number}",
                said.get("scale"),
                text_of(said.get("units")),
                said.get("offset", 0.0),
            )
        )
    return _with_plane(axes)


def _emd(dataset: h5py.Dataset) -> list[Axis] | None:
    """EMD of NCEM and py4DSTEM: vectors dim1 ... beside the data."""
    parent = dataset.parent
    if "emd_group_type" not in parent.attrs:
        return None
    names = sorted(filter(re.compile(r"dim\d+").fullmatch, parent), key=natural_key)
    vectors = [parent.get(name) for name in names]
    if not all(isinstance(vector, h5py.Dataset) for vector in vectors):
        return None
    # Units stand in brackets, their prefix set off: [n_m].
    return _with_plane(
        [
            _axis_along(
                vector,
                text_of(vector.attrs.get("name")) or f"axis {number}",
                re.sub(r"[\[\]_]", "", text_of(vector.attrs.get("units"))),
            )
            for number, vector in enumerate(vectors)
        ]
    )


def _velox(dataset: h5py.Dataset) -> list[Axis] | None:
    """EMD of Velox (FEI, Thermo Fisher): rows, columns, frames, and JSON beside them."""
    parent = dataset.parent
    if not re.fullmatch(r"/Data/Image/[^/]+/Data", dataset.name) or dataset.ndim != 3:
        return None
    said: Any = None
    metadata = parent.get("Metadata")
    if isinstance(metadata, h5py.Dataset) and metadata.ndim == 2 and _is_short(metadata):
        said = json_of(bytes(metadata[:, 0].astype(np.uint8)).rstrip(b"\0"))
    result = _item(said, "BinaryResult")
    size = _item(result, "PixelSize")
    axes = [
        calibrated(name, _item(size, side), _item(result, unit))
        for name, side, unit in (("y", "height", "PixelUnitY"), ("x", "width", "PixelUnitX"))
    ]
    return [*axes, calibrated("frame", _item(_item(said, "Scan"), "FrameTime"), "s")]


def _nexus(dataset: h5py.Dataset) -> list[Axis] | None:
    parent = dataset.parent
    if text_of(parent.attrs.get("NX_class")) != "NXdata" or "axes" not in parent.attrs:
        return None
    named = np.atleast_1d(parent.attrs["axes"]).tolist()
    names = [text_of(name) for name in named]
    if len(names) != dataset.ndim:
        return None
    axes = []
    for number, name in enumerate(names):
        vector = parent.get(name) if name not in ("", ".") else None
        plain = name if name not in ("", ".") else f"axis {number}"
        if isinstance(vector, h5py.Dataset):
            axes.append(_axis_along(vector, plain, text_of(vector.attrs.get("units"))))
        else:
            axes.append(Axis(plain))
    return _with_plane(axes)


def _letters(dataset: h5py.Dataset) -> list[Axis] | None:
    """A text of one letter per axis, such as "TZYX", or a list of names."""
    for name in ("_ARRAY_DIMENSIONS", "axes", "axis_order", "dimension_order"):
        value = dataset.attrs.get(name)
        if value is None:
            continue
        if isinstance(value, np.ndarray) and value.size == dataset.ndim and value.size > 1:
            return [Axis(text_of(each)) for each in value.ravel()]
        letters = text_of(value)
        if len(letters) == dataset.ndim and letters.isalpha():
            return [Axis(letter.lower()) for letter in letters]
    return None


_DIALECTS: tuple[Callable[[h5py.Dataset], list[Axis] | None], ...] = (
    _axistags, _hyperspy, _emd, _velox, _nexus, _letters,
)  # fmt: skip


def _dimensions(dataset: h5py.Dataset) -> tuple[list[Axis | None], bool]:
    """Axes by labels and dimension scales; None for those that have neither."""
    guessed, _ = guessed_axes(dataset.shape, dataset.dtype)
    axes: list[Axis | None] = []
    named = False
    for dimension, guess in zip(dataset.dims, guessed, strict=True):
        label, scale = dimension.label, _scale_of(dimension)
        name = label or (_name_of(scale) if scale is not None else "")
        named = named or bool(name)
        if scale is None:
            axes.append(Axis(label) if label else None)
            continue
        unit = scale.attrs.get("units", scale.attrs.get("unit", b""))
        axes.append(_axis_along(scale, name or guess.name, text_of(unit)))
    return axes, named


def _scale_of(dimension: Any) -> h5py.Dataset | None:
    try:
        return dimension[0] if len(dimension) else None
    except (KeyError, RuntimeError, ValueError):
        return None


def _name_of(scale: h5py.Dataset) -> str:
    """What netCDF calls a dimension: the name of its scale; nothing for plain HDF5."""
    if "_Netcdf4Dimid" not in scale.attrs and "NAME" not in scale.attrs:
        return ""
    name = text_of(scale.attrs.get("NAME"))
    if name and not name.startswith(_NETCDF_NAMELESS):
        return name
    return str(scale.name).rpartition("/")[2] if name else ""


def _is_short(vector: h5py.Dataset) -> bool:
    """Whether reading it costs little, and can't lead into other files."""
    return vector.size <= _LONGEST_TEXT and not vector.is_virtual and vector.external is None


def _axis_along(vector: h5py.Dataset, name: str, unit: str) -> Axis:
    """An axis by the positions of its pixels."""
    usable = vector.dtype.kind in "uif" and vector.ndim == 1 and vector.size <= LONGEST_POSITIONS
    if not usable or not _is_short(vector):
        return Axis(name)
    return axis_along(np.asarray(vector[...]), name, unit)


def _with_plane(axes: list[Axis]) -> list[Axis]:
    """Unnamed last axes as y and x."""
    for place, name in ((-2, "y"), (-1, "x")):
        if len(axes) >= -place and axes[place].name.startswith("axis "):
            axis = axes[place]
            axes[place] = Axis(name, axis.scale, axis.translate, axis.unit)
    return axes


def _with_element_size(dataset: h5py.Dataset, axes: list[Axis]) -> list[Axis]:
    """Fiji's attribute speaks of the spatial axes, which are the last ones but for channels."""
    sizes = np.atleast_1d(np.asarray(dataset.attrs.get("element_size_um", ())))
    spatial = [number for number, axis in enumerate(axes) if axis.name != "c"]
    for number, size in zip(reversed(spatial), reversed(sizes.ravel().tolist()), strict=False):
        axis = axes[number]
        known = calibrated(axis.name, size, "micrometer")
        axes[number] = Axis(axis.name, known.scale, axis.translate, known.unit)
    return axes


def _is_colour(dataset: h5py.Dataset) -> bool:
    """Whether the HDF5 image specification calls it true colour, pixel by pixel."""
    said = text_of(dataset.attrs.get("IMAGE_SUBCLASS"))
    order = text_of(dataset.attrs.get("INTERLACE_MODE")) or "INTERLACE_PIXEL"
    return (
        said == "IMAGE_TRUECOLOR"
        and order == "INTERLACE_PIXEL"
        and dataset.ndim == 3
        and dataset.shape[-1] in (3, 4)
    )


def _item(node: Any, name: str) -> Any:
    return node.get(name) if isinstance(node, dict) else None
