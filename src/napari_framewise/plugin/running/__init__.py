"""Runs in the window: worker, progress, waiting, settings."""
