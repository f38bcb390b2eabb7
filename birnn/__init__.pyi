"""The types of what ``birnn`` names; at run time :data:`birnn.API` says where each lives."""

from birnn.config import EncoderConfig as EncoderConfig
from birnn.nn.encoders import BiGRU as BiGRU
from birnn.nn.encoders import BiLSTM as BiLSTM
from birnn.nn.encoders import Encoded as Encoded
from birnn.tasks.api.run import Run as Run
from birnn.tasks.api.run import load as load
from birnn.tasks.api.train import train as train
from birnn.tasks.forecast.estimator import Forecaster as Forecaster
from birnn.tasks.regression.estimator import SequenceRegressor as SequenceRegressor
from birnn.tasks.sentiment.estimator import SentimentClassifier as SentimentClassifier
from birnn.tasks.tagging.estimator import Tagger as Tagger
from birnn.version import __version__ as __version__

API: dict[str, str]
