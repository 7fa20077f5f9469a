"""Why a request for rectangles can't be met, proved, and what can be asked for instead."""

from __future__ import annotations

import math

import numpy as np

from napari_framewise.numerics.erasing.sizes import (
    Request,
    largest_that_fits,
    most_by_cuts,
    widths_of,
)

# Pixels of an image of which the most that can be covered is looked for in all its boxes.
_LARGEST = 2**17


def too_many_pixels(request: Request) -> str:
    """Why three or four rectangles that straight cuts part can't cover so much; or empty."""
    if request.shape[0] * request.shape[1] > _LARGEST:
        return ""
    most = most_by_cuts(request)
    if most >= request.pixels:
        return ""
    return (
        f"{asked_for(request)}, but those with {aspect_in_words(request)} that straight cuts part "
        f"cover at most {most:,} pixels; ask for fewer pixels, a smaller gap or fewer rectangles."
    )


def too_large(request: Request) -> str:
    """Why several rectangles can't cover so much, by the largest of them and the gaps; or empty."""
    asked, count = asked_for(request), request.count
    largest = largest_that_fits(request)
    if count * largest < request.pixels:
        return (
            f"{asked}, but a rectangle with {aspect_in_words(request)} that fits has at most "
            f"{largest:,} pixels; ask for at most {count * largest:,}."
        )
    room = (request.shape[0] + request.gap) * (request.shape[1] + request.gap)
    # Of areas with one sum the roots are least where all but one are 1.
    edges = 2 * (math.sqrt(request.pixels - count + 1) + count - 1)
    if request.pixels + request.gap * edges + count * request.gap**2 > room * (1 + 1e-12):
        return (
            f"{asked}, but with gaps of {request.gap} pixels there is no room for them; ask for "
            "fewer pixels, or a smaller gap."
        )
    return ""


def asked_for(request: Request) -> str:
    """What was asked for, as a clause."""
    rows, columns = request.shape
    many = "One rectangle" if request.count == 1 else f"{request.count} rectangles"
    gap = f" with gaps of {request.gap}" if request.gap and request.count > 1 else ""
    return f"{many} of {request.pixels:,} pixels in {rows} x {columns} were asked for{gap}"


def aspect_in_words(request: Request) -> str:
    """The range of aspects."""
    low, high = request.aspect
    return "any aspect" if not low else f"aspects of {low:g} to {high:g}"


def divisors_in_words(request: Request) -> str:
    """How a number of pixels can be divided into sides."""
    factors = _factors(request.pixels)
    product = " x ".join(f"{each:,}" for each in factors)
    is_what = "is prime and" if len(factors) == 1 else f"= {product}"
    return f"{request.pixels:,} {is_what} has no two sides that fit with {aspect_in_words(request)}"


def _factors(number: int) -> list[int]:
    factors, divisor = [], 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return [*factors, number] if number > 1 or not factors else factors


def instead(request: Request) -> str:
    """The nearest areas that one rectangle may have."""
    (rows, columns), pixels = request.shape, request.pixels
    heights = np.arange(1, rows + 1)
    least, most = widths_of(request, heights)
    less = np.minimum(most, (pixels - 1) // heights)
    more = np.maximum(least, pixels // heights + 1)
    below = int(np.max(heights * less, where=less >= least, initial=0))
    above = int(np.min(heights * more, where=more <= most, initial=rows * columns + 1))
    near = [area for area in (below, above) if 0 < area <= rows * columns]
    words = " or ".join(f"{area:,} pixels ({100 * area / (rows * columns):.4g} %)" for area in near)
    return f" Ask for {words}, or for two rectangles." if near else " Ask for two rectangles."
