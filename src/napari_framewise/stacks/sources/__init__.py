"""Sources of pixels in files: one module per kind, each small and picklable.

Nothing is imported here, so that a worker loads only the file libraries that it reads with.
"""
