"""How two images are registered: by splines, or by blocks."""

from __future__ import annotations

from dataclasses import dataclass

from napari_framewise.numerics.elastic import Registration, Settings, register, register_blocks
from napari_framewise.stacks.source import Array

# In distances of nodes, as measured.
_OF_SPLINES, _OF_BLOCKS = 3, 6


@dataclass(frozen=True)
class How:
    """A method with its settings.

    Attributes
    ----------
    settings : Settings
    reach : int or None
        Of blocks; None for splines.
    """

    settings: Settings
    reach: int | None = None

    @property
    def finest(self) -> float:
        """Crest to crest, in pixels, of the finest bend that nine tenths are followed of."""
        return self.settings.spacing * (_OF_SPLINES if self.reach is None else _OF_BLOCKS)

    def registered(
        self,
        reference: Array,
        image: Array,
        reference_mask: Array | None,
        image_mask: Array | None,
        start: Array | None,
        landmarks: tuple[Array, Array] | None = None,
    ) -> Registration:
        """Register an image to a reference; blocks know no landmarks."""
        if self.reach is None:
            return register(
                reference,
                image,
                reference_mask=reference_mask,
                image_mask=image_mask,
                landmarks=landmarks,
                start=start,
                settings=self.settings,
            )
        return register_blocks(
            reference,
            image,
            reference_mask=reference_mask,
            image_mask=image_mask,
            start=start,
            settings=self.settings,
            reach=self.reach,
        )
