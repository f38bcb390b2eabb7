"""Which files hold tables, by their suffix."""

FORMATS = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet"}
ALONE = dict.fromkeys((".tab", ".psv", ".dat", ".txt"), "csv")  # where a file is named itself
