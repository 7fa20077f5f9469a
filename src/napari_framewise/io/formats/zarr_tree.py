"""Groups and arrays of a zarr folder by their metadata, without the library: nothing is decoded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_framewise.io.formats.natural import natural_key
from napari_framewise.stacks.faults import check_regular, reason_of

# To say that a choice is needed, these are enough.
_LOOKED_AT = 200
_LONGEST_METADATA = 2**26
_ASIDE = frozenset({"labels", "OME"})


@dataclass(frozen=True)
class Node:
    """A group or an array.

    Attributes
    ----------
    key : str
        Where in the hierarchy it is.
    is_array : bool
        Whether it is an array.
    attributes : mapping
        What it says of itself.
    """

    key: str
    is_array: bool
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def multiscale(self) -> Mapping[str, Any] | None:
        """The description of an OME-Zarr image; under "ome" since 0.5."""
        inner = self.attributes.get("ome", self.attributes)
        images = inner.get("multiscales") if isinstance(inner, Mapping) else None
        first = images[0] if isinstance(images, list) and images else None
        return first if isinstance(first, Mapping) else None


def node_at(path: str, key: str) -> Node | None:
    """The group or array at a place of the hierarchy; None where there is none.

    Raises
    ------
    ValueError
        Where its metadata are too long, or a pipe.
    """
    if any(part in ("", ".", "..") for part in key.split("/")) and key:
        return None
    folder = os.path.join(path, *key.split("/")) if key else path
    third = _json(os.path.join(folder, "zarr.json"))
    if third is not None:
        attributes = third.get("attributes")
        return Node(key, third.get("node_type") == "array", _mapping(attributes))
    for name, is_array in ((".zarray", True), (".zgroup", False)):
        place = os.path.join(folder, name)
        if os.path.lexists(place):
            check_regular(place)
            return Node(key, is_array, _mapping(_json(os.path.join(folder, ".zattrs"))))
    return None


def images_and_arrays(path: str, top: Node) -> Iterator[Node]:
    """Images, and arrays that belong to none, below a group, the first of them; links once."""
    groups, seen, found = [top], {os.path.realpath(os.path.join(path, top.key))}, 0
    while groups and found < _LOOKED_AT:
        group = groups.pop(0)
        folder = os.path.join(path, group.key) if group.key else path
        for name in sorted(_folders(folder), key=natural_key):
            place = os.path.realpath(os.path.join(folder, name))
            if name in _ASIDE or place in seen:
                continue
            seen.add(place)
            node = node_at(path, f"{group.key}/{name}".strip("/"))
            if node is None:
                continue
            if node.is_array or node.multiscale is not None:
                found += 1
                yield node
            else:
                groups.append(node)


def _folders(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if _is_folder(entry)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _json(place: str) -> dict[str, Any] | None:
    try:
        check_regular(place)
        if os.path.getsize(place) > _LONGEST_METADATA:
            raise ValueError(f"{place} is too long for the metadata of an array.")
        with open(place, encoding="utf-8") as file:
            said = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except RecursionError:
        raise ValueError(f"{place} nests its description too deeply to be read.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{place} can't be read as zarr ({reason_of(error)}); copy or write it again."
        ) from None
    return said if isinstance(said, dict) else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
