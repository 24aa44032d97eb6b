"""The fictional company as a suite: its documents are the corpus, its facts and messages the tasks."""
