"""Stacks of frames and the engine that runs computations over them."""
