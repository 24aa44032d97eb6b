"""Many runs of one grid: planned, handed to a scheduler or run here, looked after and collected from files alone."""
