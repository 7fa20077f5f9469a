"""The model of optical flow: a displacement for every pixel of every pair of frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from napari_framewise.framework.model import Model
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class FlowModel(Model):
    """Displacements from the first frame of each pair to the second.

    Attributes
    ----------
    displacement : (pairs, ndim, *grid) float32
        In pixels, row-column order; NaN where it is not known. As a map it is a pull-back: what is
        at ``p + displacement[p]`` in the second frame comes to lie at p in the first.
    pairs : {"next", "others"}
        "next" where the second frame of a pair is the first of the next: a stack of one frame more
        than there are pairs.
    """

    kind: ClassVar[str] = "flow"

    displacement: Array
    pairs: str

    def frames_of(self, count: int, name: str) -> tuple[range, range]:
        """Which frames of a stack of so many are the first and the second of each pair.

        Raises
        ------
        ValueError
            Where the stack has another number of frames.
        """
        pairs = len(self.displacement)
        if self.pairs == "next" and count == pairs + 1:
            return range(pairs), range(1, count)
        if count == pairs or pairs == 1:
            return range(count), range(count)
        wanted = f"{pairs:,} or {pairs + 1:,}" if self.pairs == "next" else f"{pairs:,}"
        raise ValueError(
            f"The flow is that of {pairs:,} pairs of frames, but {name} has {count:,} frames; "
            f"{wanted} are needed."
        )
