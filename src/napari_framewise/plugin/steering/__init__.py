"""Runs that are steered step by step: their bar, and what drives the session."""
