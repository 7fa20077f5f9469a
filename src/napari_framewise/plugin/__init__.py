"""The napari plugin: tools as panels, layers as stacks, results as layers."""
