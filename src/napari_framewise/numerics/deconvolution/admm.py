"""Total variation by the alternating direction method of multipliers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from napari_framewise.numerics.deconvolution.data import Data, Step
from napari_framewise.numerics.deconvolution.extension import Array
from napari_framewise.numerics.deconvolution.operators import Blur
from napari_framewise.numerics.deconvolution.spectral import Coefficients, Domain
from napari_framewise.numerics.deconvolution.total_variation import Split

# The threshold of differences as a share of the data's standard deviation, and bounds of the weight
# of the splitting of differences over that of the data: they decide the speed, not the answer.
_THRESHOLD = 0.1
_RATIOS = (1e-4, 0.3)
# Weight of total variation over the noise, as a rule.
_OF_NOISE = 0.05


def admm_steps(
    blur: Blur,
    data: Data,
    *,
    weight: float | None = None,
    target: float | None = None,
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
    target : float, optional
        In its place the sum of squares that the residual is to have (the discrepancy principle,
        Morozov 1966): the weight follows from it in each iteration (Wen and Chan 2012, IEEE Trans.
        Image Process. 21, 1770-1781).
    least : float
        Less than that the weight never becomes, whatever the target.
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
    spread = max(data.spread, 1e-300)
    if blur.diagonal and data.complete and floor is None:
        return _diagonal(blur.domain, data, weight, target, least, weights, scene, spread)
    return _split(blur, data, weight, target, least, weights, floor, scene, spread)


def _diagonal(
    domain: Domain,
    data: Data,
    weight: float | None,
    target: float | None,
    least: float,
    weights: Sequence[float],
    scene: Array,
    spread: float,
) -> Iterator[Step]:
    threshold = _THRESHOLD * spread
    rough, power = domain.roughness(weights or (1.0,) * scene.ndim), domain.power
    seen = domain.transform(data.values)
    blurred = np.conj(domain.transfer) * seen
    everywhere = tuple(slice(0, length) for length in scene.shape)
    split = Split(scene.shape, everywhere, domain.kind == "fourier", weights)
    rho = 1e-3 if weight is None else weight / threshold
    for number in range(1, 1_000_000):
        pulled = split.shrink(scene, threshold)
        then = domain.transform(pulled)
        off = domain.transfer * then - rough * seen
        squares = np.square(off.real) + np.square(off.imag) if np.iscomplexobj(off) else off * off
        if target is not None:
            rho = _rho_for(domain, squares, power, rough, target, rho)
            rho = max(rho, least / threshold)
        below = power + rho * rough
        after = domain.inverse((blurred + rho * then) / np.where(below > 0, below, 1.0))
        residual = domain.energy(squares * np.square(rho / np.where(below > 0, below, np.inf)))
        change = data.change(after, scene)
        scene = after
        used = rho * threshold
        # The variation is that of the scene before: of this one once it is passed over.
        yield Step(number, scene, residual, residual / 2 + used * split.variation, change, used)


def _rho_for(
    domain: Domain, squares: Array, power: Array, rough: Array, target: float, rho: float
) -> float:
    """The weight at which the residual of the next scene has a sum of squares; by Newton in log."""
    log = math.log(rho)
    for _ in range(20):
        rho = math.exp(log)
        below = power + rho * rough
        shares = squares * np.square(rho / np.where(below > 0, below, np.inf))
        value = domain.energy(shares)
        slope = 2 * domain.energy(shares * power / np.where(below > 0, below, np.inf))
        if value <= 0 or slope <= 0:
            break
        move = math.log(target / value) * value / slope
        log = min(40.0, max(-40.0, log + min(3.0, max(-3.0, move))))
        if abs(move) < 0.01:
            break
    return math.exp(log)


def _split(
    blur: Blur,
    data: Data,
    weight: float | None,
    target: float | None,
    least: float,
    weights: Sequence[float],
    floor: float | None,
    scene: Array,
    spread: float,
) -> Iterator[Step]:
    domain, window = blur.domain, blur.window
    threshold = _THRESHOLD * spread
    split = Split(domain.shape, blur.scene_window, domain.kind == "fourier", weights)
    holder = _Holder.of(blur, floor)
    # A domain may go on past a scene of unknown border: a smooth start leaves no edge there.
    whole = _grown(blur.place(scene), blur, scene)
    # With that, data and their splitting weigh about the same.
    likely = (
        _OF_NOISE * math.sqrt((target or 0.0) / max(1, data.count)) if weight is None else weight
    )
    ratio = min(max(likely / threshold, _RATIOS[0]), _RATIOS[1])
    transfer, kept = domain.transfer, ratio if holder else 0.0
    below = domain.power + ratio * domain.roughness(weights or (1.0,) * scene.ndim) + kept
    below = np.where(below > 0, below, 1.0)
    use, seen = data.weight, data.values
    seen_through = domain.blurred(whole)
    lagged, used = np.zeros(data.shape), least
    for number in range(1, 1_000_000):
        pulled = split.shrink(whole, threshold)
        # z: in the data's window and where a pixel counts, between what is seen and K x + u.
        at = seen_through[window] + lagged
        off = np.where(use, at - seen, 0.0)
        size = float(np.vdot(off, off))
        if target is None:
            rho = (weight or 0.0) / (ratio * threshold)
            share = rho / (1 + rho)
        else:
            share, rho = 1.0, math.inf
            if size > target:
                share = math.sqrt(target / size)
                rho = max(share / (1 - share), least / (ratio * threshold))
                share = rho / (1 + rho)
        lagged = (1 - share) * off
        turned = seen_through
        turned[window] = at - 2 * lagged
        right: Coefficients = np.conj(transfer) * domain.transform(turned)
        if holder:
            pulled = ratio * pulled + kept * holder.pass_over(whole)
            right += domain.transform(pulled)
        else:
            right += ratio * domain.transform(pulled)
        right /= below
        before, whole = whole, domain.inverse(right)
        seen_through = domain.inverse(transfer * right)
        left = np.where(use, seen_through[window] - seen, 0.0)
        residual = float(np.vdot(left, left))
        # Inside the ball of the residual nothing pulls, which says nothing of the weight.
        used = rho * ratio * threshold if share < 1 else used
        change = data.change(whole[window], before[window])
        scene = holder.scene(whole) if holder else whole[blur.scene_window]
        yield Step(number, scene, residual, residual / 2 + used * split.variation, change, used)


class _Holder:
    """The splitting ``v = x`` that keeps a scene what it is past its border, and above a floor."""

    def __init__(self, blur: Blur, floor: float | None) -> None:
        self.blur, self.floor = blur, floor
        self._dual = np.zeros(blur.domain.shape)
        self._tied = blur.boundary in ("zero", "nearest", "reflect") and not blur.diagonal
        if self._tied:
            self._counts = blur.place_adjoint(np.ones(blur.domain.shape))

    @classmethod
    def of(cls, blur: Blur, floor: float | None) -> _Holder | None:
        holder = cls(blur, floor)
        return holder if holder._tied or floor is not None else None

    def pass_over(self, whole: Array) -> Array:
        """``v - u`` after a pass."""
        at = whole + self._dual
        nearest = self._nearest(at)
        self._dual = at - nearest
        return nearest - self._dual

    def scene(self, whole: Array) -> Array:
        """The scene of what the splitting allows."""
        scene = whole[self.blur.scene_window]
        return scene if self.floor is None else np.maximum(scene, self.floor)

    def _nearest(self, whole: Array) -> Array:
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


def _grown(placed: Array, blur: Blur, scene: Array) -> Array:
    """A placed scene whose domain's rest repeats its border."""
    if blur.boundary != "unknown" or placed.shape == scene.shape:
        return placed.copy()
    more = [(0, n - s) for n, s in zip(placed.shape, scene.shape, strict=True)]
    return np.pad(scene, more, mode="edge")
