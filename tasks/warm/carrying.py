"""Weights from one model to another, row by row and column by column, by name."""

import math
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

Names = Sequence[Hashable] | None  # along an axis; None: by position, if the sizes agree
Places = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # in the old tensor, in the new one
Axes = Mapping[str, tuple[Names, ...]]  # of tensors by name, without the number of the member
MEMBER = re.compile(r"^members\.\d+\.")


@dataclass
class Carried:
    """What became of each tensor, by its name without the number of the member."""

    whole: list[str] = field(default_factory=list)
    partly: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)  # that the new model has no use for


@torch.no_grad()
def carry(old: nn.Module, new: nn.Module, old_axes: Axes, new_axes: Axes) -> None:
    """Give ``new`` what ``old`` has under the same names; all else stays as it is.

    Parameters are carried, and the statistics of norms and encoders; what is fitted apart is not.
    """
    source = _tensors(old)
    for name, (target, places) in _pairs(old, new, old_axes, new_axes).items():
        if places is not None:
            target[places[1]] = source[name][places[0]].to(target)


def compare(old: nn.Module, new: nn.Module, old_axes: Axes, new_axes: Axes) -> Carried:
    """What :func:`carry` would do; of ``new`` the shapes are enough."""
    found = Carried()
    for name, (target, places) in _pairs(old, new, old_axes, new_axes).items():
        group = found.new
        if places is not None:
            moved = math.prod(place.numel() for place in places[1])
            group = found.whole if moved == target.numel() else found.partly
        if (plain := MEMBER.sub("", name)) not in group:
            group.append(plain)
    kept = {MEMBER.sub("", name) for name in _tensors(new)}
    names = dict.fromkeys(MEMBER.sub("", name) for name in _tensors(old))
    found.gone += [name for name in names if name not in kept]
    return found


def _pairs(
    old: nn.Module, new: nn.Module, old_axes: Axes, new_axes: Axes
) -> dict[str, tuple[Tensor, Places | None]]:
    """Each tensor of ``new``, and where what both have stands."""
    source, found = _tensors(old), {}
    for name, target in _tensors(new).items():
        plain = MEMBER.sub("", name)
        axes = [side.get(plain, (None,) * target.ndim) for side in (old_axes, new_axes)]
        found[name] = target, _places(source.get(name), target, *axes)
    return found


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    state = {name: part.detach() for name, part in model.named_parameters()}
    running = ("running_mean", "running_var")
    return state | {name: part for name, part in model.named_buffers()
                    if "encoder." in name or name.endswith(running)}  # fmt: skip


def _places(
    old: Tensor | None, new: Tensor, old_names: tuple[Names, ...], new_names: tuple[Names, ...]
) -> Places | None:
    """Where what both have stands in either, to index with; None where there is nothing."""
    if old is None or old.ndim != new.ndim:
        return None
    if not new.ndim:
        return (), ()
    pairs = []
    for axis in range(new.ndim):
        mine, theirs = new_names[axis], old_names[axis]
        if mine is None or theirs is None:
            if mine is not theirs or old.shape[axis] != new.shape[axis]:
                return None
            pairs.append((torch.arange(new.shape[axis]),) * 2)
            continue
        known = {name: place for place, name in enumerate(theirs)}
        both = [(known[name], place) for place, name in enumerate(mine) if name in known]
        if not both:
            return None
        pairs.append(tuple(torch.tensor(part) for part in zip(*both, strict=True)))  # type: ignore[arg-type]
    sides = zip(*pairs, strict=True)
    shapes = [[-1 if i == axis else 1 for i in range(new.ndim)] for axis in range(new.ndim)]
    first, second = (
        tuple(part.view(shape) for part, shape in zip(side, shapes, strict=True)) for side in sides
    )
    return first, second
