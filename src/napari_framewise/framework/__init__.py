"""What a tool is: inputs, parameters, outcomes, models, recipes. It names no tool."""
