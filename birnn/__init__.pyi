"""The types of what ``birnn`` names; at run time :data:`birnn.API` says where each lives."""

from birnn.nn.encoders import BiGRU as BiGRU
from birnn.nn.encoders import BiLSTM as BiLSTM
from birnn.tasks.api import Run as Run
from birnn.tasks.api import load as load
from birnn.tasks.api import train as train
from birnn.tasks.estimators import SentimentClassifier as SentimentClassifier
from birnn.tasks.estimators import Tagger as Tagger
from birnn.tasks.number_estimators import Forecaster as Forecaster
from birnn.tasks.number_estimators import SequenceRegressor as SequenceRegressor
from birnn.version import __version__ as __version__

API: dict[str, str]
