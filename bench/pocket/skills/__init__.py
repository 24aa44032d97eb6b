"""What the pocket model practises, one skill per file: functions from a random generator to a conversation."""
