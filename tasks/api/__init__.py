"""birnn from Python: runs, training, estimators, the Hub."""
