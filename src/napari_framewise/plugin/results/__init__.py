"""What is shown of a result: plot, table, summary, actions."""
