"""Arrays in, results out: numpy, scipy, scikit-image and numba; no file, no layer, no GUI."""
