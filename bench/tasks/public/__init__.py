"""Public data sets, one reader per file. None of them is in this project: a directory or a hub's repository is read."""
