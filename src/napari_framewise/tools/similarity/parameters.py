"""Parameters of Image similarity."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.numerics.similarity import Filter
from napari_framewise.tools.similarity.comparing import SHIFTED, Measure


class SimilarityParameters(Parameters):
    """Parameters of the comparison."""

    measure: Measure = parameter(
        "correlation",
        "Measure",
        "Normalised cross-correlation, phase correlation, and absolute or squared differences look "
        "for the best shift; SSIM is structural similarity at that of the best correlation; "
        "Pearson's correlation compares pixels where they are; histograms and "
        "Ruzicka's similarity (of histograms) don't care where a value is.",
    )
    compare: Literal["every_pair", "best_pairs", "neighbours", "one"] = parameter(
        "every_pair",
        "Compare",
        "Every image with every other; the best pairs of each image without a matrix, for very "
        "many images; each with the one before it; or one with all others. "
        "References, where given, are compared with each image instead.",
    )
    one: int = parameter(
        0,
        "Image",
        "Number of the image that is compared with all others, from 0.",
        ge=0,
        shown_when={"compare": "one"},
    )
    top: int = parameter(
        10,
        "Pairs of each image",
        "Best pairs of each image with later ones that are kept.",
        ge=1,
        le=1000,
        shown_when={"compare": "best_pairs"},
    )
    max_shift: int | None = parameter(
        None,
        "Largest shift",
        "Along rows and columns, either way, of the images' middles; empty: what the smallest "
        "overlap leaves.",
        unit="pixels",
        ge=0,
        start=16,
        shown_when={"measure": SHIFTED},
    )
    least_overlap: float = parameter(
        0.3,
        "Smallest overlap",
        "Share of the smaller image's pixels that must overlap.",
        gt=0,
        le=1,
        shown_when={"measure": SHIFTED},
    )
    before: Literal["band", "edges", "nothing"] = parameter(
        "band",
        "Filter first",
        "Keep a band of details, which takes out uneven light and noise; or compare edges; or the "
        "pixels as they are.",
        shown_when={"measure": SHIFTED},
    )
    fine: float = parameter(
        1.0,
        "Finest detail",
        "Sigma of the Gaussian that takes out noise, or over which edges are measured.",
        unit="pixels",
        ge=0,
        shown_when={"measure": SHIFTED, "before": ("band", "edges")},
    )
    coarse: float = parameter(
        6.0,
        "Coarsest detail",
        "Sigma of the Gaussian that takes out uneven light.",
        unit="pixels",
        gt=0,
        shown_when={"measure": SHIFTED, "before": "band"},
    )
    threshold: float | None = parameter(
        None,
        "Threshold",
        "Score from which on two images are the same; empty: from the distribution of all scores.",
        start=0.5,
    )
    false_share: float = parameter(
        0.01,
        "False share",
        "Share of the pairs above the threshold that may be unrelated, as expected from the "
        "distribution of all scores.",
        gt=0,
        lt=1,
    )
    listed: int = parameter(
        1000, "Pairs listed", "Most pairs in the table, the best ones.", ge=1, le=1_000_000
    )
    montage: int = parameter(
        1, "Montage of group", "Number of the group that is shown; 0: none.", ge=0, rare=True
    )

    @model_validator(mode="after")
    def _band(self) -> SimilarityParameters:
        if self.measure in SHIFTED and self.before == "band":
            Filter("band", self.fine, self.coarse)
        if self.compare == "best_pairs" and self.measure != "correlation":
            raise ValueError(
                "Best pairs are searched for by correlation only; choose that, or every pair"
            )
        return self
