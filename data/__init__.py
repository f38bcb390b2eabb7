"""Files and text: loaders, splits, provenance, vocabularies, batches.

Importing the package is cheap; the modules that need Hugging Face datasets or torchtext load
them when they are used.
"""

# Short name → a script-free data set on the Hugging Face Hub.
DATASETS = {
    "sst2": "stanfordnlp/sst2",
    "imdb": "stanfordnlp/imdb",
    "rotten_tomatoes": "cornell-movie-review-data/rotten_tomatoes",
    "mr": "cornell-movie-review-data/rotten_tomatoes",
    "conll2003": "lhoestq/conll2003",
}
