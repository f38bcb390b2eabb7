"""Compiled code: built on first use with the machine's own compiler, kept in a cache.

In ``c/``, ``vector.h`` holds a register of floats and the curves of gates, ``product.h`` the matrix
product, ``cell.h``, ``gru.h`` and ``lstm.h`` the cells, ``layout.h`` how things lie in memory, and
``scan.c`` the recurrence itself; ``chain.h`` finds the best tags, and ``pool.h``, ``dropout.h`` and
``rows.h`` are the parts of a training step that would otherwise take longer than they should.
"""
