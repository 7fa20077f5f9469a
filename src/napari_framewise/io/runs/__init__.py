"""Recipes run on files: batches, steps and output folders."""
