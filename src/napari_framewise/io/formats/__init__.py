"""Which reader for which file format, and back to disk."""
