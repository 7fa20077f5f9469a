"""Inputs and parameters of deconvolution."""

from __future__ import annotations

from typing import Literal

from napari_framewise.framework.framemap import Result, channels_parameter
from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.numerics.deconvolution import Boundary, Method, Settings
from napari_framewise.numerics.psf import Origin
from napari_framewise.tools.common.certain import MASK_OF_FRAMES
from napari_framewise.tools.psf import PSF

_ITERATED = ("tv", "tv_fista", "richardson_lucy", "gradient_consensus", "landweber")
_WITH_BORDER = (*_ITERATED, "wiener", "tikhonov")
INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The blurred frames: planes, or volumes."),
    Input(
        "psf",
        Kind.FRAME,
        "PSF image",
        "What a point of light becomes, with as many axes as a frame; coloured frames take one for "
        "each channel, or one for all.",
        least=0,
        several_frames=True,
        folded=False,
        made_by=("psf",),
    ),
    Input(
        "psf_model",
        Kind.MODEL,
        "PSF model",
        "In its place a PSF that was measured or made before.",
        least=0,
        model_kind=PSF.kind,
    ),
    MASK_OF_FRAMES,
)


class DeconvolutionParameters(Parameters):
    """Parameters of deconvolution."""

    method: Method = parameter(
        Settings.method,
        "Method",
        "Total variation keeps edges and smooths noise (tv: by ADMM, quick; tv_fista: by FISTA, "
        "the same answer); Richardson-Lucy for counts of photons, stopped at the noise or by "
        "gradient consensus; Landweber: gradient descent; Wiener and Tikhonov in one step; "
        "inverse divides the spectra, and shows what that does to noise.",
    )
    side_by_side: bool = parameter(
        False,
        "Methods side by side",
        "Instead of all frames: every method on the middle of the first one, at most 256 x 256 "
        "pixels. A regularisation by hand counts for the method above alone.",
    )
    boundary: Boundary = parameter(
        Settings.boundary,
        "Border",
        "What the scene is past the border of the frame: unknown assumes nothing, and is right for "
        "photographs of a larger scene.",
        shown_when={"method": _WITH_BORDER},
    )
    noise: float | None = parameter(
        None,
        "Noise",
        "Standard deviation of the noise; empty: measured in each frame.",
        unit="values",
        gt=0,
        start=1.0,
    )
    weight: float | None = parameter(
        None,
        "Regularisation",
        "How much is smoothed; empty: as much as leaves a residual as large as the noise. In "
        "values for total variation, without unit for Tikhonov and for the total variation of "
        "Richardson-Lucy (0.002 to 0.02).",
        ge=0,
        start=0.01,
        shown_when={"method": ("tv", "tv_fista", "richardson_lucy", "tikhonov")},
    )
    floor: float = parameter(
        0.0,
        "Floor",
        "Under the size of the spectrum that is divided by: noise is amplified by no more than one "
        "over it. 0 for the plain inverse.",
        ge=0,
        le=1,
        shown_when={"method": "inverse"},
    )
    iterations: int = parameter(
        Settings.iterations,
        "Iterations",
        "At most.",
        ge=1,
        le=100_000,
        shown_when={"method": _WITH_BORDER},
    )
    tolerance: float = parameter(
        Settings.tolerance,
        "Tolerance",
        "Iterations end where a frame changes by less, as a share of its standard deviation.",
        ge=0,
        lt=1,
        rare=True,
        shown_when={"method": _WITH_BORDER},
    )
    non_negative: bool = parameter(
        False,
        "No negative values",
        "No pixel of the result is less than 0; of Richardson-Lucy it never is.",
        shown_when={"method": ("tv", "tv_fista", "landweber")},
    )
    saturation: float | None = parameter(
        None,
        "Saturation",
        "Pixels of this value or more are missing data; empty: none are.",
        unit="values",
        start=255.0,
        rare=True,
    )
    light: Literal["linear", "srgb"] = parameter(
        "linear",
        "Light",
        "Whether values are proportional to light, or coded for a display (sRGB), as in the files "
        "of cameras: light adds up, coded values don't, so they are decoded first.",
        rare=True,
    )
    psf_background: Literal["none", "border"] = parameter(
        "none",
        "Background of the PSF",
        "What is taken off a PSF image: nothing, or the median of its border. The tool PSF "
        "measures with more care.",
        rare=True,
    )
    psf_origin: Origin = parameter(
        "centroid",
        "Origin of the PSF",
        "Where light from the middle of a pixel goes: the centroid of the PSF image, or the middle "
        "of its array.",
        rare=True,
    )
    follow: bool = parameter(
        False,
        "Start from the frame before",
        "Iterations begin with the result of the frame before: quicker where frames are alike, but "
        "one after the other.",
        rare=True,
        shown_when={"method": _ITERATED},
    )
    channels_along: int | None = channels_parameter()
    result: Result = parameter(
        "memory",
        "Result",
        "Memory computes all frames now; lazy frames are computed as they are looked at or saved, "
        "and only the first is judged.",
        rare=True,
    )
