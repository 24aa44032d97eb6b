"""Tasks of EleutherAI's lm-eval on every system."""
