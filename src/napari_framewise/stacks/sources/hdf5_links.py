"""Links and virtual datasets of HDF5 files, followed to their end before anything is read.

The HDF5 library itself follows a virtual dataset that is made of itself until the process dies,
waits for a pipe for ever, and fills what is missing. After "HDF5 File Format Specification 3.0"
and the library's rules for where it looks for linked files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from napari_framewise.stacks.faults import check_regular, reason_of
from napari_framewise.stacks.source import Array, Region

_MOST_LINKS = 64
_DEEPEST = 16
_MOST_READS = 10**6
_MOST_NUMBERED = 100_000


class LeadsNowhere(ValueError):
    """A link, or a part of a virtual dataset, whose target is not there."""


@dataclass(frozen=True)
class Gap:
    """Elements of a virtual dataset whose file is missing: the box of HDF5's hyperslab.

    Along each axis `count` blocks of `block` elements begin every `stride` from `start` on.
    """

    start: tuple[int, ...]
    stride: tuple[int, ...]
    count: tuple[int, ...]
    block: tuple[int, ...]

    def clear(self, values: Array, region: Region) -> None:
        """Put NaN where a region's values lie in the gap."""
        inside = []
        for axis, part in enumerate(region):
            place = np.arange(part.start, part.stop, part.step or 1) - self.start[axis]
            # A single block may be longer than the stride, which then means nothing.
            number, within = np.divmod(place, max(self.stride[axis], self.block[axis]))
            inside.append((number >= 0) & (number < self.count[axis]) & (within < self.block[axis]))
        values[np.ix_(*inside)] = np.nan


@dataclass(frozen=True)
class Parts:
    """What a virtual dataset is made of.

    Attributes
    ----------
    files : tuple of str
        All files that its pixels lie in.
    gaps : tuple of Gap
        Its elements that lie in files, or datasets, that are missing.
    missing : tuple of str
        What is missing, in words.
    """

    files: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass
class Links:
    """The files that links lead to, open as long as this is; use it as a context manager."""

    _files: dict[str, h5py.File] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)
    _reads: dict[tuple[str, str], int] = field(default_factory=dict)

    def __enter__(self) -> Links:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def file(self, path: str) -> h5py.File:
        """A file, opened once."""
        place = os.path.realpath(path)
        if place not in self._files:
            check_regular(place)
            self._files[place] = self._stack.enter_context(h5py.File(place, "r"))
        return self._files[place]

    def find(self, group: h5py.Group, name: str) -> Any:
        """The group or dataset at a path, each link on the way followed with care.

        Raises
        ------
        LeadsNowhere
            Where there is nothing at the path, or links lead in a ring.
        """
        return self._find(group, name, _MOST_LINKS)

    def _find(self, group: h5py.Group, name: str, left: int) -> Any:
        node: Any = group.file if name.startswith("/") else group
        for part in (each for each in name.split("/") if each not in ("", ".")):
            if not isinstance(node, h5py.Group):
                raise LeadsNowhere(f"{node.file.filename} has no {name}")
            link = node.get(part, getlink=True) if part in node.id else None
            if link is None:
                raise LeadsNowhere(f"{node.file.filename} has no {name}")
            if isinstance(link, h5py.HardLink):
                node = node[part]
                continue
            if left == 0:
                raise LeadsNowhere(f"{node.file.filename} has links that lead in a ring at {name}")
            left -= 1
            if isinstance(link, h5py.SoftLink):
                node = self._find(node, link.path, left)
                continue
            if not isinstance(link, h5py.ExternalLink):
                raise LeadsNowhere(f"{node.file.filename} has a link of an unknown kind at {name}")
            node = self._find(self._beside(node.file.filename, link.filename), link.path, left)
        return node

    def _beside(self, path: str, name: str) -> h5py.File:
        """The file that a link in another one names."""
        place = _place_of(path, name)
        if place is None:
            raise LeadsNowhere(f"the file {name}, which {path} links to, is not there")
        try:
            return self.file(place)
        except (OSError, ValueError) as error:
            raise LeadsNowhere(
                f"the file {place}, which {path} links to, can't be opened ({reason_of(error)})"
            ) from None

    def parts(self, dataset: h5py.Dataset) -> Parts:
        """What a dataset is made of, followed to the end.

        Raises
        ------
        ValueError
            Where a virtual dataset is made of itself, or of too many others to be read.
        """
        path = dataset.file.filename
        if dataset.external is not None:
            return self._raw_parts(path, dataset)
        if not dataset.is_virtual:
            return Parts((path,))
        files, gaps, missing = {path: None}, [], []
        virtual = dataset.id.get_create_plist()
        self._count(path, dataset.name, ())
        for number in range(virtual.get_virtual_count()):
            found: dict[str, None] = {}
            try:
                for file, name in _mapped(path, virtual, number):
                    self._collect(path, file, name, found, _DEEPEST)
            except LeadsNowhere as error:
                gap = _gap(virtual.get_virtual_vspace(number))
                gaps.append(gap)
                missing.append(str(error))
            files.update(found)
        return Parts(tuple(files), tuple(gaps), tuple(dict.fromkeys(missing)))

    def _raw_parts(self, path: str, dataset: h5py.Dataset) -> Parts:
        """Pixels in files that are not HDF5."""
        files = [path]
        for name, offset, size in dataset.external:
            place = _place_of(path, name)
            needed = offset + (size if size < 2**63 else 0)
            if place is None or os.path.getsize(place) < needed:
                state = "is not there" if place is None else "is cut off"
                raise ValueError(
                    f"{path}: the file {name} with the pixels of {dataset.name} {state}; "
                    "put it back whole."
                )
            check_regular(place)
            files.append(place)
        return Parts(tuple(files))

    def _collect(self, path: str, file: str, name: str, found: dict[str, None], deep: int) -> None:
        """The files of one mapping, those of virtual datasets in it included."""
        dataset = self._source(path, file, name)
        found[dataset.file.filename] = None
        if dataset.is_virtual and deep:
            virtual = dataset.id.get_create_plist()
            for number in range(virtual.get_virtual_count()):
                for inner in _mapped(dataset.file.filename, virtual, number):
                    self._collect(dataset.file.filename, *inner, found, deep - 1)

    def _source(self, path: str, file: str, name: str) -> h5py.Dataset:
        opened = self._beside(path, file)
        node = self.find(opened, name)
        if not isinstance(node, h5py.Dataset):
            raise LeadsNowhere(f"{opened.filename} has no dataset {name}")
        return node

    def _count(self, path: str, name: str, above: tuple[tuple[str, str], ...]) -> int:
        """How many datasets reading this one reads; refuses rings."""
        here = (os.path.realpath(path), name)
        if here in above:
            raise ValueError(
                f"{path}: the virtual dataset {name} is made of itself, so it holds no pixels."
            )
        if len(above) > _DEEPEST:
            raise ValueError(
                f"{path}: the virtual dataset {name} lies more than {_DEEPEST} virtual datasets "
                "deep; make one that names the files themselves."
            )
        if here in self._reads:
            return self._reads[here]
        node = self.find(self.file(path), name)
        total = 1
        if node.is_virtual:
            virtual = node.id.get_create_plist()
            for number in range(virtual.get_virtual_count()):
                for file, inner in _mapped(path, virtual, number):
                    try:
                        source = self._source(path, file, inner)
                    except LeadsNowhere:
                        continue
                    total += self._count(source.file.filename, source.name, (*above, here))
        if total > _MOST_READS:
            raise ValueError(
                f"{path}: the virtual dataset {name} is made of more than {_MOST_READS:,} others; "
                "make one that names the files themselves."
            )
        self._reads[here] = total
        return total


def _place_of(path: str, name: str) -> str | None:
    """Where the library would find a file that another one names; None for nowhere."""
    folder = os.path.dirname(os.path.abspath(path))
    places = [os.path.join(folder, name), os.path.join(folder, os.path.basename(name)), name]
    return next((place for place in places if os.path.exists(place)), None)


def _mapped(path: str, virtual: Any, number: int) -> Iterator[tuple[str, str]]:
    """File and dataset of one mapping; of numbered ones all that are there."""
    file, name = virtual.get_virtual_filename(number), virtual.get_virtual_dsetname(number)
    file = path if file == "." else file
    if "%b" not in file and "%b" not in name:
        yield _unescaped(file), _unescaped(name)
        return
    for block in range(_MOST_NUMBERED if "%b" in file else 1):
        numbered = _unescaped(file.replace("%b", str(block)))
        if _place_of(path, numbered) is None:
            return
        yield numbered, _unescaped(name.replace("%b", str(block)))


def _unescaped(name: str) -> str:
    return name.replace("%%", "%")


def _gap(space: Any) -> Gap:
    if space.is_regular_hyperslab():
        return Gap(*(tuple(map(int, each)) for each in space.get_regular_hyperslab()))
    first, last = space.get_select_bounds()
    block = tuple(int(stop) - int(start) + 1 for start, stop in zip(first, last, strict=True))
    return Gap(tuple(map(int, first)), block, (1,) * len(block), block)
