"""Where an output comes from: its inputs, one by one, and the run that made it."""
