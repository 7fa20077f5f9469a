"""One file per tool: its inputs, its Parameters and run; recipes and what tools declare."""
