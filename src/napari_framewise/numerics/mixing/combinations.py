"""Which options of a mixing fit go together; the documentation's table is made from this one."""

from __future__ import annotations

COMBINATIONS: dict[str, str] = {
    "gain without sum-to-one": (
        "A free gain needs coefficients that sum to one: without the sum, gain and coefficients "
        "cannot be told apart."
    ),
    "huber with reference noise": (
        "The Huber loss does not go with noisy references: the correction for their noise holds "
        "for least squares only; use the linear loss, or leave the reference noise out."
    ),
    "poisson weights with a weight image": (
        "Poisson weights and a weight image both weigh the pixels; give one of them."
    ),
    "poisson weights without a detector": (
        "Poisson weights need the detector's gain, offset and read noise."
    ),
}
"""Refused combinations, and the sentence that is raised for each."""


def check_combination(
    *,
    sum_to_one: bool,
    gain: bool,
    huber: bool,
    noisy_references: bool,
    poisson_weights: bool,
    weights: bool,
    detector: bool,
) -> None:
    """Raise ValueError with the sentence of the first combination that is refused."""
    refused = {
        "gain without sum-to-one": gain and not sum_to_one,
        "huber with reference noise": huber and noisy_references,
        "poisson weights with a weight image": poisson_weights and weights,
        "poisson weights without a detector": poisson_weights and not detector,
    }
    for name, given in refused.items():
        if given:
            raise ValueError(COMBINATIONS[name])
