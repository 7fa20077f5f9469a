"""Sources of pixels in files: one module per kind, each small and picklable."""
