"""Sample stacks with a known truth: made from a seed, or mixed from pictures in scikit-image."""

from .sample import Sample, SampleData
from .table import SAMPLES

__all__ = ["SAMPLES", "Sample", "SampleData"]
