"""Grid: where pixels lie. One word for an input's grid, a result's and a warp's output grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace

from napari_framewise.stacks.axes import Axis


@dataclass(frozen=True)
class Grid:
    """Axes of some pixels, with their extent where it is known.

    Pixel centres lie on integers: pixel ``p`` along an axis is at
    ``axis.translate + axis.scale * p`` in the unit of that axis.

    Attributes
    ----------
    axes : tuple of Axis
        Names, pixel sizes, positions and units, one per axis of the data, in the data's order. The
        components of a colour are no axis of a grid.
    shape : tuple of int
        Number of pixels along each axis; empty where nothing says it, as of points from a file.
    role : str, optional
        Role of the input on whose pixel grid these pixels lie: a rotation, shear or affine that
        the user gave that layer holds for them too.
    moved : tuple of tuple of float, optional
        Matrix (n + 1, n + 1) that first moves the pixels on these axes: where an image is brought
        onto another grid without resampling.
    """

    axes: tuple[Axis, ...]
    shape: tuple[int, ...] = ()
    _: KW_ONLY
    role: str | None = None
    moved: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if self.shape and len(self.shape) != len(self.axes):
            raise ValueError(
                f"A grid was given {len(self.axes)} axes and the shape {self.shape}; give one "
                "length per axis."
            )

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the axes."""
        return tuple(axis.name for axis in self.axes)

    @property
    def scale(self) -> tuple[float, ...]:
        """Pixel size along each axis, in `units`."""
        return tuple(axis.scale for axis in self.axes)

    @property
    def translate(self) -> tuple[float, ...]:
        """Position of pixel 0 along each axis, in `units`."""
        return tuple(axis.translate for axis in self.axes)

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each axis."""
        return tuple(axis.unit for axis in self.axes)

    def take(self, places: Sequence[int]) -> Grid:
        """The grid of some of the axes, in the order given."""
        shape = tuple(self.shape[place] for place in places) if self.shape else ()
        return replace(self, axes=tuple(self.axes[place] for place in places), shape=shape)

    def after(self, leading: Grid) -> Grid:
        """The grid with the axes of another in front."""
        known = bool(self.shape) and len(leading.shape) == leading.ndim
        shape = (*leading.shape, *self.shape) if known else ()
        return replace(self, axes=(*leading.axes, *self.axes), shape=shape)

    def cropped(self, *bounds: tuple[int, int]) -> Grid:
        """The pixels from `start` to `stop` (exclusive) along each axis."""
        axes = tuple(
            replace(axis, translate=axis.translate + axis.scale * start)
            for axis, (start, _) in zip(self.axes, bounds, strict=True)
        )
        return replace(self, axes=axes, shape=tuple(stop - start for start, stop in bounds))

    def resampled(self, shape: Sequence[int]) -> Grid:
        """A grid of another number of pixels that covers the same field, edge to edge.

        Raises
        ------
        ValueError
            Where the extent of this grid is not known.
        """
        if not self.shape:
            raise ValueError(
                f"A grid of axes {', '.join(self.names)} without a shape can't be resampled; give "
                "its shape."
            )
        factors = [old / new for old, new in zip(self.shape, shape, strict=True)]
        axes = tuple(
            replace(
                axis,
                scale=axis.scale * factor,
                translate=axis.translate + axis.scale * (factor - 1) / 2,
            )
            for axis, factor in zip(self.axes, factors, strict=True)
        )
        return replace(self, axes=axes, shape=tuple(shape))
