"""Layers in, layers out, previews."""
