"""Results that anyone can make again: what is published of a run, and how a later run is held to it."""
