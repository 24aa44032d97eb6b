"""The field's own oracles against this project's figures: ``python -m tests.oracles`` prints them as one table."""
