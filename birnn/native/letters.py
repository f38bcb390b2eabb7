"""Convolutions over the letters of words, in C, as a function that autograd can differentiate.

Letters as in ``letters.h``: ``U`` words, ``M`` places of letters, ``C`` numbers of a letter's
vector, ``F`` filters.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from birnn.native import library as native


def largest_windows(
    vectors: Tensor, starts: Tensor, lengths: Tensor, convolutions: Sequence[tuple[Tensor, Tensor]]
) -> Tensor:
    """What each filter of some convolutions finds at most in a window of a word, ``[U, F]``.

    Float32 on the CPU: ``vectors [M, C]`` of the letters of all words, with as many rows of zeros
    between words, and before and after all, as the longest window reaches beyond a letter; where
    words begin, ``starts [U]``, and their ``lengths [U]``; of each convolution the weights ``[F',
    width * C]`` and the bias ``[F']``. A window counts where it holds a letter of the word.
    Gradients flow once, to vectors, weights and biases; of equal windows the first is taught.
    """
    parts = [part for convolution in convolutions for part in convolution]
    result: Tensor = _LargestWindows.apply(vectors, starts, lengths, *parts)
    return result


class _LargestWindows(torch.autograd.Function):
    """A product and a maximum at once: no score of a window is kept."""

    @staticmethod
    def forward(
        ctx: Any, vectors: Tensor, starts: Tensor, lengths: Tensor, *parts: Tensor
    ) -> Tensor:
        parts = tuple(part.contiguous() for part in parts)
        words = vectors.contiguous(), starts.contiguous(), lengths.contiguous()
        size = sum(len(bias) for bias in parts[1::2])
        found = torch.empty(len(starts), size)
        places = torch.empty(len(starts), size, dtype=torch.int32)
        for letters, (weights, bias) in _convolutions(words, places, parts):
            more = (0, -len(bias) % native.library().lanes)
            panel, start = functional.pad(weights.t(), more), functional.pad(bias, more)
            letters.panel, letters.bias = panel.data_ptr(), start.data_ptr()
            letters.largest = found.data_ptr() + _offset(letters, places)
            native.library().letters(letters)
        ctx.save_for_backward(*words, places, *parts)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        vectors, starts, lengths, places, *parts = ctx.saved_tensors
        gradient, of_vectors = gradient.contiguous(), torch.zeros_like(vectors)
        of_parts = [torch.empty_like(part) for part in parts]
        pairs = zip(of_parts[::2], of_parts[1::2], strict=True)
        for (letters, _), (weights, bias) in zip(
            _convolutions((vectors, starts, lengths), places, parts), pairs, strict=True
        ):
            letters.gradient = gradient.data_ptr() + _offset(letters, places)
            letters.vector_gradient = of_vectors.data_ptr()
            letters.weight_gradient, letters.bias_gradient = weights.data_ptr(), bias.data_ptr()
            native.library().letters(letters, back=True)
        return of_vectors, None, None, *of_parts


def _convolutions(
    words: tuple[Tensor, Tensor, Tensor], places: Tensor, parts: Sequence[Tensor]
) -> Iterator[tuple[native.Letters, tuple[Tensor, Tensor]]]:
    """Each convolution over the words, whose filters' columns of ``places [U, F]`` it fills."""
    vectors, starts, lengths = words
    size, column = vectors.shape[1], 0
    for weights, bias in zip(parts[::2], parts[1::2], strict=True):
        filters, terms = weights.shape
        letters = native.Letters(len(starts), size, terms // size, filters, places.shape[1])
        letters.start, letters.length = starts.data_ptr(), lengths.data_ptr()
        letters.vectors, letters.weights = vectors.data_ptr(), weights.data_ptr()
        letters.place = places.data_ptr() + column * places.element_size()
        yield letters, (weights, bias)
        column += filters


def _offset(letters: native.Letters, places: Tensor) -> int:
    """Bytes before the convolution's first column: floats are as wide as places."""
    return int(letters.place) - places.data_ptr()
