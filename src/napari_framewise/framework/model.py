"""Models: what was fitted once and can be applied to other data, or saved as a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np

from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array


@dataclass(frozen=True)
class Space:
    """The pixel grid that a model's coordinates refer to.

    Pixel centres lie on integers, coordinates are in row-column order.

    Attributes
    ----------
    layer : str
        Name of the layer or file whose pixels these are.
    shape : tuple of int
        Shape of one frame there.
    scale : tuple of float
        Pixel size along each axis of the frame, in `units`.
    units : tuple of str
        Unit along each axis of the frame.
    """

    layer: str
    shape: tuple[int, ...]
    scale: tuple[float, ...]
    units: tuple[str, ...]

    @classmethod
    def of(cls, layer: str, grid: Grid) -> Space:
        """What a model keeps of the grid of a layer's frames."""
        return cls(layer, grid.shape, grid.scale, grid.units)


@dataclass(frozen=True, eq=False)
class Model:
    """Base of all models; a subclass is a frozen dataclass of arrays and plain values.

    A subclass sets `kind`, a name that stands in its file (empty for a base of several kinds), and
    adds fields that are arrays, numbers, texts or tuples of them. Those that map coordinates do so
    from output to input.

    Attributes
    ----------
    source : Space
        The grid that values are taken from.
    target : Space
        The grid that results lie on.
    """

    kind: ClassVar[str] = ""
    kinds: ClassVar[dict[str, type[Model]]] = {}

    source: Space
    target: Space

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" not in vars(cls):
            raise TypeError(f"{cls.__name__} needs a class attribute 'kind' of its own")
        if cls.kind:
            Model.kinds[cls.kind] = cls

    def arrays(self) -> dict[str, Array]:
        """The fields that are arrays."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    def plain(self) -> dict[str, Any]:
        """The other fields as plain values, the two spaces as dictionaries."""
        arrays = self.arrays()
        plain: dict[str, Any] = {}
        for each in fields(self):
            if each.name not in arrays:
                value = getattr(self, each.name)
                plain[each.name] = asdict(value) if isinstance(value, Space) else value
        return plain

    @classmethod
    def restored(cls, plain: dict[str, Any], arrays: dict[str, Array]) -> Self:
        """The model that `plain` and `arrays` describe.

        Raises
        ------
        ValueError
            Where a field is missing or unknown.
        """
        given = {**plain, **arrays}
        names = {each.name for each in fields(cls)}
        if set(given) != names:
            raise ValueError(
                f"A {cls.kind} model has the fields {sorted(names)}, but the file holds "
                f"{sorted(given)}; it was written by another version."
            )
        for name in ("source", "target"):
            space = {key: _as_tuple(value) for key, value in given[name].items()}
            given[name] = Space(**space)
        return cls(**{name: _as_tuple(value) for name, value in given.items()})


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(each) for each in value) if isinstance(value, list) else value
