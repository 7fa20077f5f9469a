"""Affine warps in the Fourier domain: a cut at the frequencies that the result can show."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from napari_framewise.numerics.warp.mapping import share_of

FloatArray: TypeAlias = NDArray[np.float64]

# Cycles per pixel of the result where the gain begins to fall, and where it is 0.
_PASS, _STOP = 0.30, 0.50
_ORDER: Final = 5
_FINER = 2
_MARGIN = 8.0


class BandLimited:
    """Planes without the frequencies that an affine result can't show, to be sampled anywhere.

    Parameters
    ----------
    planes : (channels, y, x)
        Finite.
    slopes : (2, 2)
        Jacobian of the map from the result to the planes.

    Notes
    -----
    With ``f`` in cycles per pixel of the planes, the result has the frequency ``J^T f``; its gain
    is 1 up to 0.30 cycles per pixel of the result and falls as a cosine to 0 at 0.50. Of a map that
    magnifies nothing is cut, and from a stretch of 1 to 1.25 ever more. The planes go on as their
    mirror images. The filtered spectrum is laid on a grid twice as fine, divided by the transform
    of the quintic B-spline, ``sinc^6``, and sampled by that spline: what comes back of other
    frequencies is below 1e-4 up to 0.3 cycles per pixel of the planes and 1.4e-3 at 0.5.
    """

    def __init__(self, planes: NDArray[Any], slopes: FloatArray) -> None:
        reach = float(np.linalg.norm(slopes, 2))
        share = float(share_of(np.array(reach)))
        self.margin = tuple(
            min(length - 1, int(np.ceil(_MARGIN * max(reach, 1.0) + 16)))
            for length in planes.shape[1:]
        )
        self.coefficients = [self._fine(plane, slopes, share) for plane in planes]

    def _fine(self, plane: NDArray[Any], slopes: FloatArray, share: float) -> FloatArray:
        wide = np.pad(np.asarray(plane, np.float64), [(m, m) for m in self.margin], "reflect")
        rows, columns = (int(fft.next_fast_len(n, real=True)) for n in wide.shape)
        wide = np.pad(
            wide, [(0, n - m) for n, m in zip((rows, columns), wide.shape, strict=True)], "reflect"
        )
        spectrum = fft.rfft2(wide)
        y, x = fft.fftfreq(rows)[:, None], fft.rfftfreq(columns)
        across, along = slopes[0, 0] * y + slopes[1, 0] * x, slopes[0, 1] * y + slopes[1, 1] * x
        at = np.clip((np.hypot(across, along) - _PASS) / (_STOP - _PASS), 0.0, 1.0)
        gain = 1.0 - share * (0.5 - 0.5 * np.cos(np.pi * at))
        spline = (np.sinc(y / _FINER) * np.sinc(x / _FINER)) ** (_ORDER + 1)
        spectrum *= gain / spline
        fine = np.zeros((_FINER * rows, _FINER * columns // 2 + 1), np.complex128)
        half, count = (rows + 1) // 2, spectrum.shape[1]
        fine[:half, :count] = spectrum[:half]
        fine[half - rows :, :count] = spectrum[half:]
        if rows % 2 == 0:
            # The frequency of half a cycle stands for both its signs.
            fine[half - rows, :count] /= 2
            fine[half, :count] = fine[half - rows, :count]
        if columns % 2 == 0:
            fine[:, count - 1] /= 2
        return np.asarray(fft.irfft2(fine, (_FINER * rows, _FINER * columns)) * _FINER**2)

    def sample(self, places: FloatArray) -> FloatArray:
        """Values at places (n, 2) within the planes: (channels, n).

        Examples
        --------
        >>> flat = BandLimited(np.ones((1, 9, 9)), 2 * np.eye(2))
        >>> flat.sample(np.array([[4.0, 3.5]])).round(9).tolist()
        [[1.0]]
        """
        at = _FINER * (places + self.margin).T
        return np.stack(
            [
                ndimage.map_coordinates(each, at, order=_ORDER, prefilter=False, mode="grid-wrap")
                for each in self.coefficients
            ]
        )
