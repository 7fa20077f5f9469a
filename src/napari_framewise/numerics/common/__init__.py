"""What several subjects of numerics share and no field has a name for."""
