"""Sample stacks with a known truth: made from a seed, or mixed from pictures in scikit-image."""

from napari_framewise.samples.sample import Sample, SampleData
from napari_framewise.samples.table import SAMPLES

__all__ = ["SAMPLES", "Sample", "SampleData"]
