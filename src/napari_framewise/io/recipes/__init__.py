"""Recipes as files: what they name, how they read, the Python that does the same."""
