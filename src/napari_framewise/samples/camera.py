"""A camera: photons become counts, with shot noise, read noise, offset and rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.stacks.source import Array


@dataclass(frozen=True)
class Camera:
    """A linear camera of 16 bits.

    Counts are `gain * Poisson(electrons) + offset + Normal(0, read_noise)`, rounded and clipped.

    Attributes
    ----------
    gain : float
        Counts per electron.
    offset : float
        Counts without light.
    read_noise : float
        Standard deviation in counts.
    """

    gain: float = 2.0
    offset: float = 100.0
    read_noise: float = 4.0

    def mean(self, electrons: Array) -> npt.NDArray[np.float64]:
        """Counts on the average of very many frames."""
        return self.gain * np.asarray(electrons, np.float64) + self.offset

    def frames(self, electrons: Array, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
        """Noisy frames of the expected electrons, uint16."""
        counts = self.gain * rng.poisson(electrons).astype(np.float32) + np.float32(self.offset)
        counts += np.float32(self.read_noise) * rng.standard_normal(counts.shape, np.float32)
        return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)

    def truth(self) -> dict[str, Any]:
        """The camera's numbers as a sample tells them."""
        return {"gain": self.gain, "offset": self.offset, "read_noise": self.read_noise}
