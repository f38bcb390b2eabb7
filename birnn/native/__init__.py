"""Recurrences in C: compiled on first use with the machine's own compiler, kept in a cache.

``vector.h`` holds a register of floats and the curves of gates, ``product.h`` the matrix
product, ``cell.h``, ``gru.h`` and ``lstm.h`` the cells, ``layout.h`` how things lie in memory,
and ``scan.c`` the recurrence itself.
"""
