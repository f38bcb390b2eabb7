"""Records made a part at a time, by one process or by several in turn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from birnn import processes

P = TypeVar("P")


@dataclass(frozen=True)
class Parts(Generic[P]):
    """Parts of ``size`` items, but the last, of ``count`` in all; ``make`` makes that from an item.

    Where processes share the work they go in rounds, in each of which every process makes one part;
    the main one gets them in their order, and the others :meth:`assist`.
    """

    count: int
    size: int
    make: Callable[[int], P]

    def since(self, begin: int = 0) -> Iterator[P]:
        """The parts from item ``begin`` on, at which one begins."""
        if not processes.is_sharing():
            yield from map(self.make, range(begin, self.count, self.size))
            return
        for first in range(begin, self.count, self.size * processes.count()):
            yield from self._round(processes.from_main(lambda first=first: first))  # type: ignore[misc]

    def assist(self) -> None:
        """Make parts for the main process until it needs no more; on that, say so."""
        if processes.is_sharing():
            while (first := processes.from_main(lambda: self.count)) < self.count:
                self._round(first)

    def _round(self, first: int) -> list[P]:
        start = first + processes.rank() * self.size
        with processes.apart():
            own = [self.make(start)] if start < self.count else []
        return [part for parts in processes.collected(own, everyone=False) for part in parts]
