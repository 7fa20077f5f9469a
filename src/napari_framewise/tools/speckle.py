"""Speckle filter: Lee's filters for multiplicative and additive noise, with pixels missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict, model_validator

from napari_framewise.framework.framemap import MOST_SAMPLED, Filtered, FrameMap, Image
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.masks import selected
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics import speckle as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.certain import CERTAINTY
from napari_framewise.tools.common.first_pass import once_for_pixels
from napari_framewise.tools.common.windows import WindowParameters

_LOOKED_AT = 5
# Powers of the mean between which noise is neither additive nor multiplicative.
_NEITHER = (0.35, 0.65)
_FACTOR = 1.5


class SpeckleParameters(WindowParameters):
    """Parameters of the speckle filter."""

    noise: Literal["multiplicative", "additive"] = parameter(
        "multiplicative",
        "Noise",
        "Multiplicative as speckle of radar, ultrasound and lasers; additive for images with "
        "negative values, indices and decibels.",
    )
    method: Literal["lee", "enhanced"] = parameter(
        "lee",
        "Filter",
        "Lee's; or the enhanced one, which averages flat windows and keeps points as they are.",
        shown_when={"noise": "multiplicative"},
    )
    signal: Literal["intensity", "amplitude"] = parameter(
        "intensity",
        "Pixels are",
        "Intensities (power), or amplitudes, their square roots.",
        shown_when={"noise": "multiplicative"},
    )
    looks: float | None = parameter(
        None,
        "Looks",
        "Independent looks that were averaged; empty: estimated from the flattest parts.",
        shown_when={"noise": "multiplicative"},
        start=4,
        gt=0,
    )
    sigma: float | None = parameter(
        None,
        "Sigma of the noise",
        "Standard deviation of additive noise; empty: estimated from the flattest parts.",
        unit="units of the stack",
        shown_when={"noise": "additive"},
        start=1,
        ge=0,
    )
    damping: float = parameter(
        1.0,
        "Damping",
        "The larger, the more of each pixel is kept between flat windows and points.",
        shown_when={"noise": "multiplicative", "method": "enhanced"},
        rare=True,
        gt=0,
    )

    @model_validator(mode="after")
    def _fitting(self) -> SpeckleParameters:
        if self.noise == "additive" and (self.method == "enhanced" or self.looks is not None):
            what = "the enhanced filter" if self.method == "enhanced" else "a number of looks"
            raise ValueError(
                f"Additive noise was chosen with {what}, which is for multiplicative noise; leave "
                "it out, or choose multiplicative noise."
            )
        if self.noise == "multiplicative" and self.sigma is not None:
            raise ValueError(
                "Multiplicative noise was chosen with a sigma of additive noise; leave it out, or "
                "choose additive noise."
            )
        return self


class Settled(SpeckleParameters):
    """With the strength of the noise, and what the frames say of it."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    strength: float
    fit: Any


def settle(inputs: Inputs, parameters: SpeckleParameters) -> Settled:
    """The strength of the noise, where it was left open from up to five frames.

    Raises
    ------
    ValueError
        Where it can't be estimated.
    """
    if isinstance(parameters, Settled):
        return parameters
    fit = _measured(inputs, parameters)
    if parameters.noise == "additive":
        strength = fit.sigma if parameters.sigma is None else parameters.sigma
        what, other = "sigma of the noise", "give it"
    else:
        looks = fit.looks if parameters.looks is None else parameters.looks
        strength = numerics.variation_of_looks(looks, parameters.signal == "amplitude")
        what, other = "number of looks", "give it, or choose additive noise"
    if math.isnan(strength):
        positive = "" if parameters.noise == "additive" else "positive "
        raise ValueError(
            f"The {what} can't be estimated, for no pixel of the frames holds {positive}data and "
            f"has such pixels all around it; {other}."
        )
    return Settled(**dict(parameters), strength=strength, fit=fit)


def speckle(frames: Array, parameters: Settled, mask: Array | None = None) -> Filtered:
    """A block of frames without most of their noise, and how much of each pixel was kept."""
    sides, strength = parameters.sides(frames.ndim - 1), parameters.strength
    if parameters.noise == "additive":
        return Filtered(numerics.lee_additive(frames, strength, sides, mask))
    if parameters.method == "lee":
        return Filtered(numerics.lee(frames, strength, sides, mask))
    damping = parameters.damping
    return Filtered(numerics.enhanced_lee(frames, strength, sides, mask, damping=damping))


def report(inputs: Inputs, parameters: Settled) -> Outcome:
    """How strong the noise was taken to be, and whether the frames look like that."""
    fit, additive = parameters.fit, parameters.noise == "additive"
    given = parameters.sigma if additive else parameters.looks
    how = "estimated from the flattest parts" if given is None else "as given"
    if additive:
        said = f"Additive noise of sigma {parameters.strength:.4g}, {how}."
    else:
        looks = fit.looks if given is None else given
        said = f"Speckle of {looks:.4g} looks, {how}: variation {parameters.strength:.4g}."
        if not parameters.strength:
            said = "No speckle: the flattest parts do not vary, so that frames stay as they are."
    return Outcome(summary=said, diagnostics=tuple(_doubts(parameters, given)))


def _doubts(parameters: Settled, given: float | None) -> list[str]:
    """Why the model may not fit, in sentences."""
    fit, additive = parameters.fit, parameters.noise == "additive"
    said = []
    if not additive and fit.negative:
        said.append(
            f"{fit.negative:.2%} of the pixels are negative, which intensities and amplitudes "
            "are not; additive noise is the model for indices and decibels."
        )
    low, high = _NEITHER
    power = f"the noise grows as the mean to the power {fit.growth:.2f}"
    if low <= fit.growth <= high:
        said.append(f"The model fits badly: {power}, as shot noise does, neither 0 nor 1.")
    elif (fit.growth > high) if additive else (fit.growth < low):
        other = "multiplicative" if additive else "additive"
        said.append(f"The model fits badly: {power}; {other} noise fits better.")
    found = fit.sigma if additive else fit.looks
    if given is not None and found > 0 and not 1 / _FACTOR <= given / found <= _FACTOR:
        what = "sigma" if additive else "looks"
        said.append(
            f"The flattest parts vary like noise of {what} {found:.3g}, not of {given:.4g} as "
            "given; noise that is correlated over pixels, or texture everywhere, looks so as well."
        )
    return said


def _measured(inputs: Inputs, parameters: SpeckleParameters) -> numerics.Fit:
    """Medians of what some frames, spread over the stack, say of the noise."""
    n_frames = inputs.stack("stack").n_frames
    count = min(n_frames, _LOOKED_AT)
    looked_at: list[tuple[Array, Array | None]] = []
    for index in np.linspace(0, n_frames - 1, count).round().astype(int).tolist():
        planes, further = SPECKLE.sample(inputs, parameters, index, MOST_SAMPLED)
        mask = further["mask"]
        uses = [None] * len(planes) if mask is None else np.broadcast_to(mask, planes.shape)
        looked_at += [
            (plane, None if use is None else selected(use))
            for plane, use in zip(planes, uses, strict=True)
        ]
    amplitude = parameters.signal == "amplitude"
    # A slider of the window's size asks for the same again and again.
    return once_for_pixels(
        [each for pair in looked_at for each in pair],
        ("speckle", amplitude),
        lambda: _fit_of(looked_at, amplitude),
    )


def _fit_of(looked_at: Sequence[tuple[Array, Array | None]], amplitude: bool) -> numerics.Fit:
    fits = [numerics.fit_of_image(*each, amplitude=amplitude) for each in looked_at]
    return numerics.Fit(*(_middle([astuple(fit)[n] for fit in fits]) for n in range(4)))


def _middle(values: list[float]) -> float:
    """Their median without NaN."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.median(known)) if known else float("nan")


def methods(inputs: Inputs, parameters: SpeckleParameters) -> str:
    """Sentence for the methods part of a paper."""
    window = f"in windows of {parameters.in_words}"
    if parameters.noise == "additive":
        how = "estimated" if parameters.sigma is None else f"{parameters.sigma:g}"
        return f"Additive noise (sigma {how}) was reduced by Lee's filter (1980) {window}."
    how = "estimated" if parameters.looks is None else f"{parameters.looks:g}"
    name = "Lee's filter (1980)"
    if parameters.method == "enhanced":
        name = f"the enhanced Lee filter (Lopes et al. 1990, damping {parameters.damping:g})"
    return f"Speckle ({parameters.signal}, looks {how}) was reduced by {name} {window}."


def warm_up() -> None:
    """Compile what a run needs."""
    numerics.lee(np.zeros((1, 3, 3)), 0.5, (3, 3))


def most_of(frame: Array) -> tuple[float, float]:
    """Contrast limits that a few bright targets do not set."""
    finite = frame[np.isfinite(frame)]
    if finite.size == 0:
        return limits_of(frame)
    return limits_of(np.percentile(finite, (0.5, 99.5)))


SPECKLE = FrameMap(
    name="speckle",
    title="Speckle filter",
    sentence="Lee filters for speckle and for additive noise, with pixels missing.",
    parameters=SpeckleParameters,
    function=speckle,
    images=(
        Image("despeckled", limits=most_of),
        Image("weight", dtype="float32", visible=False, limits=lambda _: (0.0, 1.0)),
    ),
    inputs=CERTAINTY[:1],
    settle=settle,
    report=report,
    halo=lambda parameters: parameters.size // 2,
    methods=methods,
    citations=(
        (
            "Lee, J.-S. (1980). Digital image enhancement and noise filtering by use of local "
            "statistics. IEEE Trans. Pattern Analysis and Machine Intelligence 2, 165-168."
        ),
        (
            "Lopes, A., Touzi, R. & Nezry, E. (1990). Adaptive speckle filters and scene "
            "heterogeneity. IEEE Trans. Geoscience and Remote Sensing 28, 992-1000."
        ),
    ),
    scratch=160.0,
    warm_up=warm_up,
    compile_seconds=1,
)
TOOL = SPECKLE.tool
