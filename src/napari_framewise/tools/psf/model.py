"""The model of a point spread function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from napari_framewise.framework.model import Model
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class PSF(Model):
    """What a point of light becomes.

    Attributes
    ----------
    kernel : (y, x) or (z, y, x), or with channels along a last axis, float64
        Of odd lengths, its origin the middle pixel, of unit sum in each channel. `source` says how
        large its pixels are.
    channels : int
        Channels along the last axis; 0 for none.
    origin : str
        What it was made from, in words.
    """

    kind: ClassVar[str] = "psf"

    kernel: Array
    channels: int
    origin: str

    @property
    def kernels(self) -> tuple[Array, ...]:
        """The kernel of each channel; the only one where it has none."""
        if not self.channels:
            return (self.kernel,)
        return tuple(self.kernel[..., channel] for channel in range(self.channels))
