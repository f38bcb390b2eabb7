"""birnn: bidirectional recurrent encoders that are exact under padding.

This package knows tensors only. Importing it is cheap: torch is loaded by the
modules that need it, so that a command line can answer before they do.
"""

__version__ = "0.1.0"

# Encoder name → where its class lives. Adding an encoder is one class and one line here.
ENCODERS = {
    "bigru": "birnn.encoders:BiGRU",
    "bilstm": "birnn.encoders:BiLSTM",
}

# Engine name → how a recurrent layer is computed, in order of preference; see birnn.engines.
ENGINES = {
    "cudnn": "birnn.engines:CUDNN",
    "native": "birnn.engines:NATIVE",
    "onednn": "birnn.engines:ONEDNN",
    "torch": "birnn.engines:TORCH",
}
