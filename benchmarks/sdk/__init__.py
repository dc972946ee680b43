"""What a call of the SDK costs beside its peers; see `run.py`."""
