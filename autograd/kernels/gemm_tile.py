"""The register tile under :mod:`autograd.kernels.gemm`, written in LLVM's own words.

A tile is a block of the product that fits the vector registers: `multiply` walks once along the depth, and each step
multiplies a column of A, number by number, with the vectors of a row of B. No loop that numba compiles is kept in
registers that way. `copy_rows` and `transpose_rows` bring pieces of matrices into the order in which a tile reads them.

Addresses are integers and strides count bytes, as NumPy's do. Nothing is checked here: the caller vouches for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from .memory import LINE

__all__ = [
    "RECTIFIED",
    "WORD",
    "Tile",
    "Writer",
    "copy_rows",
    "host_tile",
    "lower",
    "multiply",
    "multiply_windows",
    "prefetch",
    "tile_columns",
    "tile_lanes",
    "tile_rows",
    "transpose_rows",
    "word",
]

BIT, INT, WORD = ir.IntType(1), ir.IntType(32), ir.IntType(64)
AHEAD = 8  # rows that are asked for before they are copied: rows of a large matrix lie on different pages
SHALLOW = 64  # up to here a tile is too fast for what it writes to be asked for ahead
STREAM = 16  # rows of a panel of B that are asked for ahead: measured, 4 to 6 % of the time for 1024 x 1024
RECTIFIED = -1  # for ``adds``: what is below 0 becomes 0 afterwards


class Tile(NamedTuple):
    """Rows of C, vectors in each, and numbers in a vector."""

    rows: int
    vectors: int
    lanes: int

    @property
    def columns(self) -> int:
        return self.vectors * self.lanes

    def heights(self) -> tuple[int, ...]:
        """Rows that a tile may be compiled for: the last rows of a matrix take the lowest that holds them."""
        return (self.rows, self.rows * 2 // 3, self.rows // 3)


@cache
def host_tile(bits: int) -> Tile:
    """The tile for floats of so many bits, from the features that numba compiles for.

    Sums take 24 of the 32 registers, or 12 of the 16, that the processor has; B and A take the others.
    """
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    if "+avx512f" in features:
        return Tile(12, 2, 512 // bits)
    if "+avx2" in features:
        return Tile(6, 2, 256 // bits)
    return Tile(12 if triple.startswith(("aarch64", "arm64")) else 6, 2, 128 // bits)


class Writer:
    """Writes the instructions that tiles are made of."""

    def __init__(self, builder: ir.IRBuilder, bits: int, lanes: int) -> None:
        self.builder = builder
        self.size, self.lanes = bits // 8, lanes
        self.real = ir.FloatType() if bits == 32 else ir.DoubleType()
        self.vector = ir.VectorType(self.real, lanes)
        self.mask = ir.VectorType(BIT, lanes)
        self.zero = ir.Constant(self.vector, [0.0] * lanes)
        self.suffix = f"v{lanes}f{bits}"

    def call(self, name: str, result: ir.Type, *values: ir.Value) -> ir.Value:
        functions = self.builder.module.globals
        function = functions.get(name)
        if function is None:
            signature = ir.FunctionType(result, [value.type for value in values])
            function = ir.Function(self.builder.module, signature, name)
        return self.builder.call(function, values)

    def at(self, address: ir.Value, kind: ir.Type) -> ir.Value:
        return self.builder.inttoptr(address, kind.as_pointer())

    def far(self, address: ir.Value, stride: ir.Value, steps: int | ir.Value) -> ir.Value:
        steps = word(steps) if isinstance(steps, int) else steps
        return self.builder.add(address, self.builder.mul(stride, steps))

    def splat(self, value: ir.Value) -> ir.Value:
        nothing = ir.Constant(ir.VectorType(value.type, self.lanes), ir.Undefined)
        one = self.builder.insert_element(nothing, value, ir.Constant(INT, 0))
        return self.builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(INT, self.lanes), [0] * self.lanes))

    def load(self, address: ir.Value, mask: ir.Value | None = None) -> ir.Value:
        """A vector; where the mask is off, zeros, and memory is not touched."""
        pointer = self.at(address, self.vector)
        if mask is None:
            return self.builder.load(pointer, align=self.size)
        name = f"llvm.masked.load.{self.suffix}.p0"
        return self.call(name, self.vector, pointer, ir.Constant(INT, self.size), mask, self.zero)

    def store(self, value: ir.Value, address: ir.Value, mask: ir.Value | None = None) -> None:
        pointer = self.at(address, self.vector)
        if mask is None:
            self.builder.store(value, pointer, align=self.size)
        else:
            name = f"llvm.masked.store.{self.suffix}.p0"
            self.call(name, ir.VoidType(), value, pointer, ir.Constant(INT, self.size), mask)

    def add_product(self, a: ir.Value, b: ir.Value, total: ir.Value) -> ir.Value:
        """``total + a * b``. Where there is no such instruction it is two, unlike llvm.fma, which calls libm."""
        return self.call(f"llvm.fmuladd.{self.suffix}", self.vector, a, b, total)

    def masks(self, width: ir.Value, vectors: int) -> list[ir.Value]:
        """Lanes of each of the vectors that lie below the width."""
        return [
            self.builder.icmp_signed("<", self.numbers(first * self.lanes), self.splat(width))
            for first in range(vectors)
        ]

    def numbers(self, first: int) -> ir.Value:
        return ir.Constant(ir.VectorType(WORD, self.lanes), list(range(first, first + self.lanes)))

    def zeros(self) -> ir.Value:
        """The address of a vector of zeros."""
        module, name = self.builder.module, f"zeros_{self.suffix}"
        if name not in module.globals:
            variable = ir.GlobalVariable(module, self.vector, name)
            variable.initializer, variable.linkage, variable.global_constant = self.zero, "internal", True
        return self.builder.ptrtoint(module.globals[name], WORD)

    def total(self, vector: ir.Value) -> ir.Value:
        """The sum of the lanes, in any order but always the same."""
        signature = ir.FunctionType(self.real, [self.real, self.vector])
        add = self.builder.module.declare_intrinsic(f"llvm.vector.reduce.fadd.{self.suffix}", fnty=signature)
        return self.builder.call(add, [ir.Constant(self.real, 0.0), vector], fastmath=("reassoc",))

    def prefetch(self, address: ir.Value, *, to_write: bool, near: int = 3) -> None:
        """Asks for a line of the cache; ``near`` is 3 for the nearest one, 2 for the second."""
        flags = [ir.Constant(INT, flag) for flag in (int(to_write), near, 1)]
        self.call("llvm.prefetch.p0", ir.VoidType(), self.at(address, ir.IntType(8)), *flags)

    def transpose(self, rows: Sequence[ir.Value]) -> list[ir.Value]:
        """As many vectors as each has lanes, transposed: pairs exchange blocks of 1, 2, 4, ... lanes."""
        rows, lanes, block = list(rows), range(self.lanes), 1
        while block < self.lanes:
            upper = [lane if not lane & block else self.lanes + lane - block for lane in lanes]
            lower = [lane + block if not lane & block else self.lanes + lane for lane in lanes]
            for i in lanes:
                if not i & block:
                    pair = rows[i], rows[i + block]
                    rows[i], rows[i + block] = (
                        self.builder.shuffle_vector(*pair, ir.Constant(ir.VectorType(INT, self.lanes), order))
                        for order in (upper, lower)
                    )
            block *= 2
        return rows

    @contextmanager
    def loop(
        self, count: ir.Value, carried: Sequence[ir.Value], *, may_be_empty: bool = False
    ) -> Iterator[tuple[list[ir.Value], list[ir.Value]]]:
        """Runs the body ``count`` times, at least once unless it ``may_be_empty``; it is given the values carried from
        step to step, and writes the next ones into the second list, where those of the end are found afterwards."""
        before, after = self.builder.block, self.builder.append_basic_block()
        body = self.builder.append_basic_block()
        if may_be_empty:
            self.builder.cbranch(self.builder.icmp_signed(">", count, word(0)), body, after)
        else:
            self.builder.branch(body)
        self.builder.position_at_end(body)
        carried = [word(0), *carried]
        current = [self.builder.phi(value.type) for value in carried]
        following: list[ir.Value] = []
        yield current[1:], following
        step = self.builder.add(current[0], word(1))
        for phi, first, then in zip(current, carried, [step, *following], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(then, self.builder.block)
        last = self.builder.block
        self.builder.cbranch(self.builder.icmp_signed("<", step, count), body, after)
        self.builder.position_at_end(after)
        if may_be_empty:
            for i, (first, then) in enumerate(zip(carried[1:], following, strict=True)):
                following[i] = self.builder.phi(first.type)
                following[i].add_incoming(first, before)
                following[i].add_incoming(then, last)


def word(value: int) -> ir.Constant:
    return ir.Constant(WORD, value)


class _Operands(NamedTuple):
    """What `multiply` is given; for `multiply_windows` ``b`` is a table, and ``windows`` is where B's vectors lie."""

    a: ir.Value
    a_row: ir.Value
    a_column: ir.Value
    b: ir.Value
    b_row: ir.Value
    depth: ir.Value
    c: ir.Value
    c_row: ir.Value
    d: ir.Value
    d_row: ir.Value
    d_column: ir.Value
    adds: ir.Value
    height: ir.Value
    width: ir.Value
    windows: tuple[ir.Value, ...] = ()


def _write_tile(writer: Writer, tile: Tile, x: _Operands) -> None:
    """`multiply` for a height and a width of at most the tile's."""
    builder, vectors = writer.builder, range(tile.vectors)
    last = builder.sub(x.height, word(1))
    # Rows that the matrix does not have are computed from its last one and not written.
    rows = [builder.select(builder.icmp_signed("<", word(i), last), word(i), last) for i in range(tile.rows)]
    step = word(tile.lanes * writer.size)
    with builder.if_then(builder.icmp_signed(">", x.depth, word(SHALLOW))):
        for row in rows:
            for j in vectors:
                writer.prefetch(writer.far(writer.far(x.c, x.c_row, row), step, j), to_write=True)
    if x.windows:  # a panel of A is as high as the tile, and constants save the registers that windows need
        from_start = [word(i * writer.size) for i in range(tile.rows)]
    else:
        from_start = [builder.mul(row, x.a_row) for row in rows]
    with writer.loop(x.depth, [x.a, x.b, *[writer.zero] * (tile.rows * tile.vectors)]) as ((a, b, *sums), following):
        if x.windows:
            offset = builder.load(writer.at(b, WORD))
            row_of_b = [writer.load(builder.add(x.windows[j], offset)) for j in vectors]
        else:
            for j in vectors:
                writer.prefetch(writer.far(writer.far(b, x.b_row, STREAM), step, j), to_write=False)
            row_of_b = [writer.load(writer.far(b, step, j)) for j in vectors]
        following += [builder.add(a, x.a_column), builder.add(b, x.b_row)]
        for i, offset in enumerate(from_start):
            number = writer.splat(builder.load(writer.at(builder.add(a, offset), writer.real)))
            for j in vectors:
                following.append(writer.add_product(number, row_of_b[j], sums[i * tile.vectors + j]))
    masks = writer.masks(x.width, tile.vectors)
    totals = _write_added(writer, tile, x, following[2:], [writer.far(x.d, x.d_row, row) for row in rows], masks)
    for i in range(tile.rows):
        with builder.if_then(builder.icmp_signed("<", word(i), x.height), likely=True):
            to = writer.far(x.c, x.c_row, i)
            for j in vectors:
                writer.store(totals[i * tile.vectors + j], writer.far(to, step, j), masks[j])


def _write_added(
    writer: Writer,
    tile: Tile,
    x: _Operands,
    sums: Sequence[ir.Value],
    rows: Sequence[ir.Value],
    masks: Sequence[ir.Value],
) -> list[ir.Value]:
    """The sums and D, whose rows begin at ``rows``: nothing, a number for each row, or the rows."""
    builder, vectors = writer.builder, range(tile.vectors)
    before, after = builder.block, builder.append_basic_block()
    some, numbers, whole = (builder.append_basic_block() for _ in range(3))
    builder.cbranch(builder.icmp_signed("!=", x.adds, word(0)), some, after)
    builder.position_at_end(some)
    lowest = ir.Constant(writer.real, float("-inf"))
    rectified = builder.icmp_signed("==", x.adds, word(RECTIFIED))
    lowest = writer.splat(builder.select(rectified, ir.Constant(writer.real, 0.0), lowest))

    def raised(total: ir.Value, more: ir.Value) -> ir.Value:
        total = builder.fadd(total, more)
        return builder.select(builder.fcmp_ordered("<", total, lowest), lowest, total)  # NaN stays

    builder.cbranch(builder.icmp_signed("==", x.d_column, word(0)), numbers, whole)
    builder.position_at_end(numbers)
    of_rows = [writer.splat(builder.load(writer.at(row, writer.real))) for row in rows]
    with_numbers = [raised(total, of_rows[i // tile.vectors]) for i, total in enumerate(sums)]
    builder.branch(after)
    builder.position_at_end(whole)
    step = word(tile.lanes * writer.size)
    added = [writer.load(writer.far(row, step, j), masks[j]) for row in rows for j in vectors]
    with_rows = [raised(total, more) for total, more in zip(sums, added, strict=True)]
    builder.branch(after)
    builder.position_at_end(after)
    totals = []
    for choices in zip(sums, with_numbers, with_rows, strict=True):
        totals.append(builder.phi(writer.vector))
        for value, block in zip(choices, (before, numbers, whole), strict=True):
            totals[-1].add_incoming(value, block)
    return totals


def _write_product(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    _write_tiles(writer, tile, _Operands(*values))


def _write_windows(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    a, table, first, second, *others = values
    row, column, step = word(writer.size), word(tile.rows * writer.size), word(WORD.width // 8)
    operands = _Operands(a, row, column, table, step, *others)
    _write_tiles(writer, tile, operands._replace(windows=(first, second)))


def _call_tile(writer: Writer, tile: Tile, x: _Operands) -> None:
    """`_write_tile` in a function of its own, once in each module.

    Written where it is called, it had the addresses of rows, for tiles of all shapes, computed ahead of each row of
    tiles: 256 products of 32 x 32 took a tenth longer.
    """
    module, values = writer.builder.module, [*x[:-1], *x.windows]
    name = f"tile_{tile.rows}_{tile.vectors}_{len(x.windows)}_{writer.suffix}"
    function = module.globals.get(name)
    if function is None:
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [value.type for value in values]), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inside = Writer(ir.IRBuilder(function.append_basic_block()), writer.size * 8, writer.lanes)
        given, windows = function.args[: len(x) - 1], function.args[len(x) - 1 :]
        _write_tile(inside, tile, _Operands._make([*given, windows]))
        inside.builder.ret_void()
    writer.builder.call(function, values)


def _write_tiles(writer: Writer, tile: Tile, x: _Operands) -> None:
    """`multiply`, with smaller tiles for the last column of a matrix and for its last rows."""
    builder = writer.builder
    shapes = [(tile._replace(vectors=1), x.width, tile.lanes)]
    shapes += [(tile._replace(rows=rows), x.height, rows) for rows in reversed(tile.heights())]
    after = builder.append_basic_block()
    for shape, extent, most in shapes:
        fits, larger = builder.append_basic_block(), builder.append_basic_block()
        builder.cbranch(builder.icmp_signed("<=", extent, word(most)), fits, larger)
        builder.position_at_end(fits)
        _call_tile(writer, shape, x)
        builder.branch(after)
        builder.position_at_end(larger)
    builder.branch(after)
    builder.position_at_end(after)


def _write_copy(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    source, source_row, target, target_row, count, width = values
    builder, step = writer.builder, word(tile.lanes * writer.size)
    with builder.if_else(builder.icmp_signed("<=", width, word(tile.lanes))) as branches:
        for branch, vectors in zip(branches, (1, tile.vectors), strict=True):
            with branch:
                masks = writer.masks(width, vectors)
                with writer.loop(count, [source, target]) as ((start, to), following):
                    for j, mask in enumerate(masks):
                        writer.prefetch(writer.far(writer.far(start, source_row, AHEAD), step, j), to_write=False)
                        writer.store(writer.load(writer.far(start, step, j), mask), writer.far(to, step, j))
                    following += [builder.add(start, source_row), builder.add(to, target_row)]


def _write_transpose(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    source, source_row, target, target_row, count, width = values
    builder, lanes = writer.builder, tile.lanes
    blocks = builder.sdiv(builder.add(width, word(lanes - 1)), word(lanes))
    zeros = writer.zeros()
    with writer.loop(blocks, [source, target, width]) as ((start, to, left), following):
        rows = []
        for i in range(lanes):
            exists = builder.icmp_signed("<", word(i), count)
            rows.append(builder.select(exists, writer.far(start, source_row, i), zeros))
            writer.prefetch(builder.add(rows[i], word(2 * lanes * writer.size)), to_write=False)
        # A mask for each row took as long as all the rest: in the nearest cache 140 and 75 ps a number.
        with builder.if_else(builder.icmp_signed(">=", left, word(lanes))) as (whole, part):
            with whole:
                loaded, after_whole = [writer.load(row) for row in rows], builder.block
            with part:
                mask = writer.masks(left, 1)[0]
                masked, after_part = [writer.load(row, mask) for row in rows], builder.block
        for i, choices in enumerate(zip(loaded, masked, strict=True)):
            rows[i] = builder.phi(writer.vector)
            for value, block in zip(choices, (after_whole, after_part), strict=True):
                rows[i].add_incoming(value, block)
        for i, column in enumerate(writer.transpose(rows)):
            writer.store(column, writer.far(to, target_row, i))
        following.append(builder.add(start, word(lanes * writer.size)))
        following += [writer.far(to, target_row, lanes), builder.sub(left, word(lanes))]


def _write_prefetch(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    address, size = values
    lines = writer.builder.sdiv(writer.builder.add(size, word(LINE - 1)), word(LINE))
    with writer.loop(lines, [address]) as ((at,), following):
        writer.prefetch(at, to_write=False)
        following.append(writer.builder.add(at, word(LINE)))


def lower(
    arguments: int,
    write: Callable[..., ir.Value | Sequence[ir.Value] | None],
    result: Callable[[types.Type], types.Type] = lambda real: types.void,
    reals: int = 1,
) -> Any:
    """What an intrinsic of floats, whose type decides, and so many integers tells numba.

    Args:
        arguments: how many integers.
        write: is given the writer, the host's tile and the values; what it returns, if anything, is the result.
        result: its type, from the floats'.
        reals: how many floats.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Sequence[ir.Value]) -> Any:
        bits = signature.args[0].bitwidth
        tile = host_tile(bits)
        written = write(Writer(builder, bits, tile.lanes), tile, *values)
        if isinstance(written, Sequence):
            return context.make_tuple(builder, signature.return_type, written)
        return context.get_dummy_value() if written is None else written

    return lambda real: (result(real)(*[real] * reals, *[types.intp] * arguments), generate)


_lower_rows = lower(0, lambda writer, tile, real: word(tile.rows), lambda real: types.intp)
_lower_columns = lower(0, lambda writer, tile, real: word(tile.columns), lambda real: types.intp)
_lower_lanes = lower(0, lambda writer, tile, real: word(tile.lanes), lambda real: types.intp)
_lower_multiply = lower(14, _write_product)
_lower_windows = lower(13, _write_windows)
_lower_copy = lower(6, _write_copy)
_lower_transpose = lower(6, _write_transpose)
_lower_prefetch = lower(2, _write_prefetch)


@intrinsic
def tile_rows(typing_context, real):
    """Rows of the host's tile."""
    return _lower_rows(real)


@intrinsic
def tile_columns(typing_context, real):
    """Columns of the host's tile."""
    return _lower_columns(real)


@intrinsic
def tile_lanes(typing_context, real):
    """Numbers in a vector register."""
    return _lower_lanes(real)


@intrinsic
def multiply(
    typing_context, real, a, a_row, a_column, b, b_row, depth, c, c_row, d, d_row, d_column, adds, height, width
):
    """``C = A @ B + D`` on one tile, or ``max(A @ B + D, 0)``.

    A (height, depth) may have any strides. B (depth, columns of the tile) has its rows in one piece, and so have
    C (height, width) and D, whose column stride may also be 0; nothing is added where ``adds`` is 0, and the maximum is
    taken where it is `RECTIFIED`.
    """
    return _lower_multiply(real)


@intrinsic
def multiply_windows(
    typing_context, real, a, table, first, second, depth, c, c_row, d, d_row, d_column, adds, height, width
):
    """`multiply` of a panel of A, whose columns are as long as the tile is high, and of rows of B that lie anywhere.

    The two vectors of a row lie at ``first`` and ``second``, plus what the table of int64 offsets has for that row.
    """
    return _lower_windows(real)


@intrinsic
def copy_rows(typing_context, real, source, source_row, target, target_row, count, width):
    """Copies ``count`` rows of ``width`` numbers, at most as many as a tile has columns, with zeros after them.

    Each row is written as one whole vector, or as all those of a tile, in order: where rows of the target overlap, the
    later one wins.
    """
    return _lower_copy(real)


@intrinsic
def transpose_rows(typing_context, real, source, source_row, target, target_row, count, width):
    """Makes ``count`` rows of ``width`` numbers the first columns of ``width`` rows of the target.

    At most as many rows as a vector has lanes, with zeros for those missing; the target's rows are a vector long, and
    up to a vector's lanes of them are written beyond ``width``.
    """
    return _lower_transpose(real)


@intrinsic
def prefetch(typing_context, real, address, size):
    """Asks for so many bytes of memory, which need not exist."""
    return _lower_prefetch(real)
