"""Total variation by the alternating direction method of multipliers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from napari_framewise.numerics.deconvolution.bands import Bands
from napari_framewise.numerics.deconvolution.data import Data, Step
from napari_framewise.numerics.deconvolution.extension import Array, Floats
from napari_framewise.numerics.deconvolution.operators import Blur
from napari_framewise.numerics.deconvolution.spectral import Coefficients
from napari_framewise.numerics.deconvolution.total_variation import Split

# The threshold of differences as a share of the data's standard deviation, and bounds of the weight
# of the splitting of differences over that of the data: they decide the speed, not the answer.
_THRESHOLD = 0.1
_RATIOS = (1e-4, 0.3)
# Weight of total variation over the noise, as a rule.
_OF_NOISE = 0.05
# Largest share that is allowed for: of a mostly smooth scene the trace of the filter is too much.
_FREEST = 0.1
_SAME = 1e-9


def admm_steps(
    blur: Blur,
    data: Data,
    *,
    weight: float | None = None,
    energy: float | None = None,
    least: float = 0.0,
    weights: Sequence[float] = (),
    floor: float | None = None,
    start: Array | None = None,
) -> Iterator[Step]:
    """Iterations towards ``argmin_x 1/2 |H x - y|^2 + weight TV(x)``, x >= floor.

    Where the blur is diagonal and no pixel is missing, the differences alone are split off and each
    iteration takes two transforms (Wang, Yang, Yin and Zhang 2008, SIAM J. Imaging Sci. 1, 248);
    otherwise ``z = K x`` is split off as well, so that missing pixels and borders leave every step
    diagonal (Almeida and Figueiredo 2013), and what the scene is past its border is a projection.

    Parameters
    ----------
    blur : Blur
    data : Data
        What was seen, and which pixels count.
    weight : float, optional
        In the unit of the data.
    energy : float, optional
        In its place the sum of squares of the noise (the discrepancy principle, Morozov 1966): the
        residual is to have that, less the share that the scene takes up, ``energy (1 - freedom)``.
        The weight follows in each iteration (Wen and Chan 2012, IEEE Trans. Image Process. 21,
        1770-1781); the share is the trace of the iteration's filter (as Wahba 1983, J. R. Stat.
        Soc. B 45, 133-150, counts the degrees of freedom of smoothing splines), a tenth at most.
    least : float
        Less than that the weight never becomes, whatever the energy.
    weights : sequence of float
        Of the differences along each axis.
    floor : float, optional
        No pixel of the scene may be less.
    start : ndarray, optional
        A scene to begin with; by default the data.

    Yields
    ------
    Step
    """
    scene = blur.start(data.filled) if start is None else start
    level = _level(blur, data)
    kind = np.float32 if data.single(level) else np.float64
    threshold = _THRESHOLD * max(data.spread, 1e-300)
    below = None if floor is None else floor - level
    about = (scene - level).astype(kind)
    if blur.diagonal and data.complete and floor is None:
        steps = _diagonal(blur, data, level, weight, energy, least, weights, about, threshold)
    else:
        steps = _split(blur, data, level, weight, energy, least, weights, below, about, threshold)
    for step in steps:
        found = np.add(step.scene, level, dtype=np.float64)
        # Adding the level again rounds.
        yield replace(step, scene=found if floor is None else np.maximum(found, floor))


def _level(blur: Blur, data: Data) -> float:
    """What is taken off data and scene: their mean, where the blur leaves it as it is.

    What is left is no larger than the spread of the data, so that single precision (1e-7 of that)
    is less than a thousandth of the least noise that is taken to be there.
    """
    same = blur.boundary != "zero" and abs(blur.domain.mean_gain - 1) <= _SAME
    return data.mean if same else 0.0


def _diagonal(
    blur: Blur,
    data: Data,
    level: float,
    weight: float | None,
    energy: float | None,
    least: float,
    weights: Sequence[float],
    scene: Floats,
    threshold: float,
) -> Iterator[Step]:
    kind = scene.dtype.type
    domain = blur.domain.single if kind is np.float32 else blur.domain
    transfer = domain.transfer
    rough = domain.roughness(weights or (1.0,) * scene.ndim).astype(kind)
    power = domain.power
    seen = domain.transform((data.values - level).astype(kind))
    blurred, rough_seen = np.conj(transfer) * seen, rough * seen
    bands = Bands.of(power, rough, domain.multiplicity)
    everywhere = tuple(slice(0, length) for length in scene.shape)
    split = Split(scene.shape, everywhere, domain.kind == "fourier", weights, kind)
    rho = 1e-3 if weight is None else weight / threshold
    freedom = 0.0
    for number in range(1, 1_000_000):
        then = domain.transform(split.shrink(scene, threshold))
        spectrum = bands.spectrum(transfer * then - rough_seen)
        if energy is not None:
            target = energy * (1 - freedom)
            rho = max(bands.weight_for(spectrum, target, rho), least / threshold)
            freedom = min(_FREEST, bands.freedom(rho))
        below = power + kind(rho) * rough
        below[below <= 0] = 1
        then *= kind(rho)
        then += blurred
        then /= below
        after = domain.inverse(then)
        residual = bands.residual(spectrum, rho)
        change = data.change(after, scene)
        scene = after
        used = rho * threshold
        # The variation is that of the scene before: of this one once it is passed over.
        objective = residual / 2 + used * split.variation
        yield Step(number, scene, residual, objective, change, used, freedom=freedom)


def _split(
    blur: Blur,
    data: Data,
    level: float,
    weight: float | None,
    energy: float | None,
    least: float,
    weights: Sequence[float],
    floor: float | None,
    scene: Floats,
    threshold: float,
) -> Iterator[Step]:
    kind, window = scene.dtype.type, blur.window
    domain = blur.domain.single if kind is np.float32 else blur.domain
    split = Split(domain.shape, blur.scene_window, domain.kind == "fourier", weights, kind)
    holder = _Holder.of(blur, floor, kind)
    # A domain may go on past a scene of unknown border: a smooth start leaves no edge there.
    whole = _grown(blur.place(scene), blur, scene)
    # With that, data and their splitting weigh about the same.
    likely = (
        _OF_NOISE * math.sqrt((energy or 0.0) / max(1, data.count)) if weight is None else weight
    )
    ratio = min(max(likely / threshold, _RATIOS[0]), _RATIOS[1])
    transfer, kept = domain.transfer, ratio if holder else 0.0
    rough = domain.roughness(weights or (1.0,) * scene.ndim)
    bands = Bands.of(domain.power, rough.astype(kind), domain.multiplicity)
    below = domain.power + ratio * rough + kept
    shares = (1 / np.where(below > 0, below, 1.0)).astype(kind)
    backward = np.conj(transfer) * shares
    shares = kind(ratio) * shares
    use, seen = data.weight, np.where(data.weight, data.values - level, 0.0).astype(kind)
    seen_through = domain.blurred(whole)
    lagged, used, freedom = np.zeros(data.shape, kind), least, 0.0
    for number in range(1, 1_000_000):
        pulled = split.shrink(whole, threshold)
        # z: in the data's window and where a pixel counts, between what is seen and K x + u.
        at = seen_through[window] + lagged
        off = np.where(use, at - seen, kind(0))
        size = _sum_of_squares(off)
        if energy is None:
            rho = (weight or 0.0) / (ratio * threshold)
            share = rho / (1 + rho)
        else:
            share, rho, target = 1.0, math.inf, energy * (1 - freedom)
            if size > target:
                share = math.sqrt(target / size)
                rho = max(share / (1 - share), least / (ratio * threshold))
                share = rho / (1 + rho)
        lagged = kind(1 - share) * off
        turned = seen_through
        turned[window] = at - 2 * lagged
        right: Coefficients = domain.transform(turned)
        right *= backward
        if holder:
            pulled += holder.pass_over(whole)
        right += shares * domain.transform(pulled)
        before, whole = whole, domain.inverse(right)
        right *= transfer
        seen_through = domain.inverse(right)
        left = np.where(use, seen_through[window] - seen, kind(0))
        residual = _sum_of_squares(left)
        # Inside the ball of the residual nothing pulls, which says nothing of the weight.
        used = rho * ratio * threshold if share < 1 else used
        if energy is not None:
            freedom = min(_FREEST, bands.freedom(used / threshold))
        change = data.change(whole[window], before[window])
        found = holder.scene(whole) if holder else whole[blur.scene_window]
        objective = residual / 2 + used * split.variation
        yield Step(number, found, residual, objective, change, used, freedom=freedom)


def _sum_of_squares(values: Floats) -> float:
    return float(np.sum(values * values, dtype=np.float64))


class _Holder:
    """The splitting ``v = x`` that keeps a scene what it is past its border, and above a floor."""

    def __init__(self, blur: Blur, floor: float | None, kind: type[np.floating]) -> None:
        self.blur, self.floor = blur, floor
        self._dual: Floats = np.zeros(blur.domain.shape, kind)
        self._tied = blur.boundary in ("zero", "nearest", "reflect") and not blur.diagonal
        if self._tied:
            self._counts = blur.place_adjoint(np.ones(blur.domain.shape, kind))

    @classmethod
    def of(cls, blur: Blur, floor: float | None, kind: type[np.floating]) -> _Holder | None:
        holder = cls(blur, floor, kind)
        return holder if holder._tied or floor is not None else None

    def pass_over(self, whole: Floats) -> Floats:
        """``v - u`` after a pass."""
        at = whole + self._dual
        nearest = self._nearest(at)
        self._dual = at - nearest
        return nearest - self._dual

    def scene(self, whole: Floats) -> Floats:
        """The scene of what the splitting allows."""
        scene = whole[self.blur.scene_window]
        return scene if self.floor is None else np.maximum(scene, self.floor)

    def _nearest(self, whole: Floats) -> Floats:
        if self._tied:
            scene = self.blur.place_adjoint(whole) / self._counts
            if self.floor is not None:
                scene = np.maximum(scene, self.floor)
            placed = self.blur.place(scene)
            # What lies past the reach of the kernel is seen by no pixel.
            ends = [n + 2 * r for n, r in zip(self.blur.shape, self.blur.reach, strict=True)]
            inside = tuple(slice(0, end) for end in ends)
            kept = whole.copy()
            kept[inside] = placed[inside]
            return kept
        assert self.floor is not None
        return np.maximum(whole, self.floor)


def _grown(placed: Floats, blur: Blur, scene: Floats) -> Floats:
    """A placed scene whose domain's rest repeats its border."""
    if blur.boundary != "unknown" or placed.shape == scene.shape:
        return placed.copy()
    more = [(0, n - s) for n, s in zip(placed.shape, scene.shape, strict=True)]
    return np.pad(scene, more, mode="edge")
