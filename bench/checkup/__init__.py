"""What works on this machine: one module per probe, each run in a process of its own."""
