"""Sphinx builds docs/*.md with this: `make docs`."""

from importlib.metadata import version as installed_version

project = "napari-framewise"
author = "napari-framewise contributors"
copyright = "2026, napari-framewise contributors"
version = release = installed_version("napari-framewise")

# Formulas are drawn by a copy of MathJax in the pages, so that they can be read without a network.
extensions = ["myst_parser", "sphinx.ext.mathjax", "sphinx-mathjax-offline"]
exclude_patterns = ["_build"]
# $...$ and ```math are what the pages use, because GitHub shows them too.
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "napari-framewise"
