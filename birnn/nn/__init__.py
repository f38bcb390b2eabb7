"""Encoders, embedders, heads' parts and the engines that run them: modules of tensors.

:class:`GRU` and :class:`LSTM` stand in the place of torch's own (:mod:`birnn.nn.drop_in`).
"""

from birnn.nn.drop_in import GRU, LSTM

__all__ = ["GRU", "LSTM"]
