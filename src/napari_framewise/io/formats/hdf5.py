"""HDF5 files: which dataset is meant, and what the file says of its axes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import h5py

from napari_framewise.io.formats.candidates import Candidate, choose
from napari_framewise.io.formats.hdf5_axes import described
from napari_framewise.io.formats.hdf5_series import gathered
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.faults import reason_of
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.hdf5 import Hdf5Source
from napari_framewise.stacks.sources.hdf5_links import LeadsNowhere, Links
from napari_framewise.stacks.sources.joined import with_gaps
from napari_framewise.stacks.sources.mapped import mapped_source

# A file may hold very many arrays; to say that a choice is needed these are enough.
_LOOKED_AT = 1000


@dataclass(frozen=True)
class Hdf5Image:
    """A dataset with what its file says of it.

    Attributes
    ----------
    source : Source
        Its pixels.
    axes : tuple of Axis
        One per axis.
    rgb : bool
        The file says that the last axis holds the components of a colour.
    remarks : tuple of str
        What is guessed and what is missing.
    no_data : tuple of float
        Values that stand for no data.
    """

    source: Source
    axes: tuple[Axis, ...]
    rgb: bool = False
    remarks: tuple[str, ...] = ()
    no_data: tuple[float, ...] = ()


@dataclass
class Contents:
    """The arrays of a file, those that links lead to included.

    Attributes
    ----------
    nodes : dict
        Datasets by their path in the file.
    missing : list of str
        Links that lead nowhere, in words.
    """

    nodes: dict[str, h5py.Dataset] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def candidates(self) -> list[Candidate]:
        """The arrays to choose among."""
        return [candidate_of(key, node) for key, node in self.nodes.items()]


def hdf5_image(path: str, key: str | None) -> Hdf5Image:
    """A dataset with its axes, links followed to their end.

    Raises
    ------
    ValueError
        Where the file is damaged, holds no dataset of numbers, or several and no key was given;
        where a virtual dataset is made of itself.
    """
    with opened(path) as file, Links() as links:
        if key is None:
            whole = gathered(path, file, links, source_of)
            if whole is not None:
                return Hdf5Image(*whole)
        found = _named(file, key, links) if key else contents(file, links)
        if key and found is None:
            found = contents(file, links)
        assert found is not None
        try:
            chosen = choose(path, found.candidates, key)
        except ValueError as error:
            raise ValueError(_with_missing(str(error), found.missing)) from None
        return image_of(path, found.nodes[chosen.key], links, tuple(found.missing))


def image_of(
    path: str, dataset: h5py.Dataset, links: Links, missing: tuple[str, ...] = ()
) -> Hdf5Image:
    """A dataset with what its file says of it."""
    source, lost = source_of(path, dataset, links)
    said = described(dataset)
    told = (*said.remarks, *(f"no data where {each}" for each in lost), *missing)
    return Hdf5Image(source, said.axes, said.rgb, told, said.no_data)


def opened(path: str) -> h5py.File:
    """The file, open for reading; a sentence where it can't be opened."""
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if error.errno is not None and "truncated" not in str(error):
            raise
        if "truncated" in str(error):
            raise ValueError(f"{path} is cut off; give a whole HDF5 file.") from None
        raise ValueError(
            f"{path} can't be opened ({reason_of(error)}); give a whole HDF5 file."
        ) from None


def contents(file: h5py.File, links: Links) -> Contents:
    """The datasets of a file, each once, whichever links lead to it."""
    found = Contents()
    seen: set[tuple[int, int]] = set()
    for key, node in _visited(file, "", links, seen, found.missing):
        found.nodes[key] = node
        if len(found.nodes) >= _LOOKED_AT:
            break
    return found


def _visited(
    top: h5py.Group, place: str, links: Links, seen: set[tuple[int, int]], missing: list[str]
) -> Iterator[tuple[str, h5py.Dataset]]:
    """All datasets below a group, the groups one behind the other rather than in each other."""
    groups = [(place, top)]
    while groups:
        place, group = groups.pop()
        deeper = []
        for name in group:
            try:
                node = links.find(group, name)
            except LeadsNowhere as error:
                missing.append(str(error))
                continue
            except (OSError, KeyError, RuntimeError) as error:
                missing.append(f"{place}/{name} can't be opened ({reason_of(error)})")
                continue
            info = h5py.h5o.get_info(node.id)
            if (info.fileno, info.addr) in seen:
                continue
            seen.add((info.fileno, info.addr))
            inside = f"{place}/{name}".lstrip("/")
            if isinstance(node, h5py.Dataset):
                if node.shape is not None:
                    yield inside, node
            elif isinstance(node, h5py.Group):
                deeper.append((inside, node))
        groups += reversed(deeper)


def _named(file: h5py.File, key: str, links: Links) -> Contents | None:
    """The one dataset that a key names; None where it names none."""
    try:
        node = links.find(file, key)
    except LeadsNowhere as error:
        if "has no" in str(error):
            return None
        raise ValueError(f"{file.filename}: {key} leads nowhere: {error}.") from None
    return Contents({key.strip("/"): node}) if isinstance(node, h5py.Dataset) else None


def candidate_of(key: str, dataset: h5py.Dataset) -> Candidate:
    """A dataset as something to choose."""
    return Candidate(key, dataset.shape or (), dataset.dtype)


def _with_missing(sentence: str, missing: list[str]) -> str:
    if not missing:
        return sentence
    more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
    return f"{sentence.rstrip('.')}; {missing[0]}{more}."


def source_of(path: str, dataset: h5py.Dataset, links: Links) -> tuple[Source, tuple[str, ...]]:
    """Source of a dataset, and what is missing of it.

    It is mapped where it lies in its file in one plain piece.
    """
    parts = links.parts(dataset)
    own = dataset.file.filename
    # The name that the user gave where it is the same file.
    own = path if _same(own, path) else own
    offset = dataset.id.get_offset()
    plain = dataset.chunks is None and offset is not None and dataset.dtype.kind in "uif"
    if (
        plain
        and dataset.external is None
        and not dataset.is_virtual
        and dataset.file.userblock_size == 0
    ):
        return mapped_source(own, dataset.shape, dataset.dtype, offset), ()
    dtype = with_gaps(dataset.dtype) if parts.gaps else dataset.dtype
    others = tuple(each for each in parts.files if not _same(each, own))
    source = Hdf5Source(
        own, dataset.name, dataset.shape, dtype.str, dataset.chunks, parts.gaps, others
    )
    return source, parts.missing


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
