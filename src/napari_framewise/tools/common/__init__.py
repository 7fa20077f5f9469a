"""What several tools share and no field has a name for."""
