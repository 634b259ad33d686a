"""Place the boxes of a chain on a plane: series from left to right, branches one above the other."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from fxkit.model.chain import Leaf, Parallel, Series

GAP = 0.45
LANE_GAP = 0.3
SUM = 0.36

Point = tuple[float, float]


@attrs.frozen
class Size:
    """Hold the width and height of a box."""

    width: float
    height: float


@attrs.frozen
class Box:
    """Place one node by its left edge and its middle."""

    name: str
    left: float
    middle: float
    size: Size


@attrs.define
class Layout:
    """Gather placed boxes, lines between them, and the points at which branches are summed."""

    sizes: Mapping[str, Size]
    boxes: list[Box] = attrs.field(factory=list)
    lines: list[tuple[Point, ...]] = attrs.field(factory=list)
    sums: list[Point] = attrs.field(factory=list)

    def place(self, tree: Series) -> Point:
        """Place a whole chain from (0, 0); return the point at which it ends."""
        return self._series(tree, (0.0, 0.0))

    def _series(self, series: Series, start: Point) -> Point:
        for member in series.members:
            inlet = (start[0] + GAP, start[1])
            self.lines.append((start, inlet))
            start = (
                member.accept(self, inlet) if not isinstance(member, Series) else self._series(member, inlet)
            )
        return start

    def leaf(self, leaf: Leaf, inlet: Point) -> Point:
        """Place a node; return its outlet."""
        size = self.sizes[leaf.name]
        self.boxes.append(Box(leaf.name, inlet[0], inlet[1], size))
        return (inlet[0] + size.width, inlet[1])

    def parallel(self, group: Parallel, inlet: Point) -> Point:
        """Place branches and the point of their sum; return its outlet."""
        heights = [_extent(branch, self.sizes).height for branch in group.branches]
        top = inlet[1] + (sum(heights) + LANE_GAP * (len(heights) - 1)) / 2
        ends: list[Point] = []
        for branch, height in zip(group.branches, heights, strict=True):
            lane = (inlet[0] + GAP, top - height / 2)
            self.lines.append((inlet, (inlet[0], lane[1]), lane))
            ends.append(
                self._series(branch, lane) if isinstance(branch, Series) else branch.accept(self, lane)
            )
            top -= height + LANE_GAP
        join = (max(end[0] for end in ends) + GAP, inlet[1])
        for end in ends:
            self.lines.append((end, (join[0], end[1]), join))
        self.sums.append(join)
        return (join[0] + SUM / 2, join[1])


def _extent(member: Leaf | Series | Parallel, sizes: Mapping[str, Size]) -> Size:
    """Return the room that a piece of the chain takes."""
    if isinstance(member, Series):
        inner = [_extent(one, sizes) for one in member.members]
        return Size(sum(one.width + GAP for one in inner), max(one.height for one in inner))
    extent: Size = member.accept(_Extent(sizes), None)
    return extent


@attrs.frozen
class _Extent:
    sizes: Mapping[str, Size]

    def leaf(self, leaf: Leaf, _: None) -> Size:
        return self.sizes[leaf.name]

    def parallel(self, group: Parallel, _: None) -> Size:
        inner = [_extent(branch, self.sizes) for branch in group.branches]
        lanes = sum(one.height for one in inner) + LANE_GAP * (len(inner) - 1)
        return Size(max(one.width for one in inner) + 2 * GAP + SUM, lanes)
