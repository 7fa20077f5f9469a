"""Stacks and the engine that computes on them: sources, plans, executors, results."""
