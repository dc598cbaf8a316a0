"""Which of several equal elements a selection takes: the same as PyTorch, which leaves it to its algorithms.

These are quickselect (Hoare, "Algorithm 65: find", 1961) with the median of three as pivot, and introselect, introsort
and heap selection (Musser, "Introspective sorting and selection algorithms", 1997) as in the C++ standard library.
Where all elements differ any other algorithm finds the same places, in less time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import jit, threads

__all__ = ["FULL_SORT", "HEAP", "INTROSELECT", "PARTS", "QUICK", "arrange", "selected"]

QUICK, INTROSELECT, HEAP, FULL_SORT = range(4)
# Measured: one core arranges so many elements in the time that sharing the work takes to pay.
GRAIN = 1 << 15
SHORT = 16  # ranges up to this length are left to insertion sort


def selected(keys: np.ndarray, rank: int, way: int) -> np.ndarray:
    """Places of the elements of each row in the order that an algorithm leaves them in.

    Args:
        keys: integers (rows, n), compared with ``<``.
        rank: which element of each row is looked for; ``INTROSELECT`` and ``HEAP`` leave those up to it in order.
        way: the algorithm; ``FULL_SORT`` needs no rank.

    >>> selected(np.array([[1, 0, 1, 0]]), 1, INTROSELECT)[0, :2]
    array([1, 3])
    """
    rows, n = keys.shape
    places = np.tile(np.arange(n), (rows, 1))
    if jit.use_loops(keys.size):
        from .selection_loops import arrange_rows

        keys = np.array(keys, np.int64)
        grain = max(1, GRAIN // max(n, 1))
        threads.run(arrange_rows, rows, keys, places, rank, way, grain=grain)
        return places
    for row, order in zip(keys.tolist(), places, strict=True):
        permuted = order.tolist()
        arrange(row, permuted, rank, way)
        order[:] = permuted
    return places


# --- The algorithms, which are compiled, too --------------------------------------------------------------------------


def swap(keys: Any, places: Any, i: int, j: int) -> None:
    keys[i], keys[j] = keys[j], keys[i]
    places[i], places[j] = places[j], places[i]


def quickselect(keys: Any, places: Any, rank: int) -> None:
    first, last = 0, len(keys) - 1
    while first < last:
        if last == first + 1:
            if keys[first] > keys[last]:
                swap(keys, places, first, last)
            return
        swap(keys, places, first + (last - first) // 2, first + 1)
        if keys[first + 1] > keys[last]:
            swap(keys, places, first + 1, last)
        if keys[first] > keys[last]:
            swap(keys, places, first, last)
        if keys[first + 1] > keys[first]:
            swap(keys, places, first + 1, first)
        low, high, pivot = first + 1, last, keys[first]
        while True:
            low += 1
            while pivot > keys[low]:
                low += 1
            high -= 1
            while keys[high] > pivot:
                high -= 1
            if high < low:
                break
            swap(keys, places, low, high)
        swap(keys, places, first, high)
        if high <= rank:
            first = low
        if high >= rank:
            last = high - 1


def sift(keys: Any, places: Any, hole: int, length: int, start: int, key: Any, place: Any) -> None:
    # Down to a leaf along the larger children, then up to where the key belongs.
    top = child = hole
    while child < (length - 1) // 2:
        child = 2 * child + 2
        if keys[start + child] < keys[start + child - 1]:
            child -= 1
        keys[start + hole], places[start + hole] = keys[start + child], places[start + child]
        hole = child
    if length % 2 == 0 and child == (length - 2) // 2:
        child = 2 * child + 1
        keys[start + hole], places[start + hole] = keys[start + child], places[start + child]
        hole = child
    while hole > top and keys[start + (hole - 1) // 2] < key:
        parent = (hole - 1) // 2
        keys[start + hole], places[start + hole] = keys[start + parent], places[start + parent]
        hole = parent
    keys[start + hole], places[start + hole] = key, place


def pop(keys: Any, places: Any, start: int, length: int, to: int) -> None:
    key, place = keys[to], places[to]
    keys[to], places[to] = keys[start], places[start]
    sift(keys, places, 0, length, start, key, place)


def heap_select(keys: Any, places: Any, first: int, middle: int, last: int) -> None:
    length = middle - first
    for parent in range((length - 2) // 2, -1, -1):
        sift(keys, places, parent, length, first, keys[first + parent], places[first + parent])
    for i in range(middle, last):
        if keys[i] < keys[first]:
            pop(keys, places, first, length, i)


def sort_heap(keys: Any, places: Any, first: int, last: int) -> None:
    for end in range(last - 1, first, -1):
        pop(keys, places, first, end - first, end)


def partition(keys: Any, places: Any, first: int, last: int) -> int:
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    if keys[a] < keys[b]:
        median = b if keys[b] < keys[c] else c if keys[a] < keys[c] else a
    else:
        median = a if keys[a] < keys[c] else c if keys[b] < keys[c] else b
    swap(keys, places, first, median)
    low, high, pivot = first + 1, last, keys[first]
    while True:
        while keys[low] < pivot:
            low += 1
        high -= 1
        while pivot < keys[high]:
            high -= 1
        if low >= high:
            return low
        swap(keys, places, low, high)
        low += 1


def insertion_sort(keys: Any, places: Any, first: int, last: int) -> None:
    for i in range(first + 1, last):
        key, place, j = keys[i], places[i], i
        while j > first and key < keys[j - 1]:
            keys[j], places[j] = keys[j - 1], places[j - 1]
            j -= 1
        keys[j], places[j] = key, place


def depth_of(n: int) -> int:
    depth = -2
    while n > 0:
        n //= 2
        depth += 2
    return depth


def introselect(keys: Any, places: Any, rank: int) -> None:
    first, last = 0, len(keys)
    depth = depth_of(last)
    while last - first > 3:
        if depth == 0:
            heap_select(keys, places, first, rank + 1, last)
            swap(keys, places, first, rank)
            return
        depth -= 1
        cut = partition(keys, places, first, last)
        if cut <= rank:
            first = cut
        else:
            last = cut
    insertion_sort(keys, places, first, last)


def introsort(keys: Any, places: Any, size: int) -> None:
    waiting = [(0, size, depth_of(size))]
    while len(waiting) > 0:
        first, last, depth = waiting.pop()
        while last - first > SHORT:
            if depth == 0:
                heap_select(keys, places, first, last, last)
                sort_heap(keys, places, first, last)
                break
            depth -= 1
            cut = partition(keys, places, first, last)
            waiting.append((cut, last, depth))
            last = cut
    insertion_sort(keys, places, 0, size)


PARTS = (
    swap,
    quickselect,
    sift,
    pop,
    heap_select,
    sort_heap,
    partition,
    insertion_sort,
    depth_of,
    introselect,
    introsort,
)


def arrange(keys: Any, places: Any, rank: int, way: int) -> None:
    """Permutes ``keys`` and ``places`` together."""
    if way == QUICK:
        quickselect(keys, places, rank)
    elif way == HEAP:
        heap_select(keys, places, 0, rank + 1, len(keys))
        sort_heap(keys, places, 0, rank + 1)
    elif way == FULL_SORT:
        introsort(keys, places, len(keys))
    else:
        introselect(keys, places, rank)
        introsort(keys, places, rank)
