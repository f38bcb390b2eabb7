"""Tagged sentences: column files, treebanks, JSON; schemes of tags."""
