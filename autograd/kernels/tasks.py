"""Work that threads share without Python: a kernel's pieces, taken by whoever is free, the GIL released throughout.

A *record* describes a call: the machine code that takes pieces, the number of the next one, how many there are, and the
kernel's arguments. It lies on the caller's stack. Each worker has a *slot*, a number in memory:

    0            it looks for work
    record       a caller offers it a record (an address, and therefore even)
    record + 1   it works on it
    1            it sleeps

All changes of a slot are atomic. A caller offers its record to free workers, takes pieces itself until none is left,
withdraws the offers that nobody took up, and waits for the others. A worker looks at its slot for a bounded time and
gives its core up between two looks; then it returns to Python and sleeps on a lock. So nothing is handed over through
the GIL: measured, a thread that asks for it while another is about to release it sleeps for 30 to 50 us.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .compiled import compiled
from .memory import LINE
from .threads import ASLEEP

__all__ = ["serve", "spread"]

LOOKS = 2000  # at a slot before its thread sleeps: 0.4 ms of them, as one takes 0.2 us
SLEEP = 50  # us that a caller sleeps between two looks from then on

WORD, ADDRESS = ir.IntType(64), ir.IntType(64).as_pointer()
TASK = ir.FunctionType(ir.VoidType(), (WORD, WORD))
CODE, NEXT, PIECES, TOTAL, FAILED, ARGUMENTS = range(6)  # the fields of a record

if sys.platform == "win32":
    give_way = types.ExternalFunction("SwitchToThread", types.int32())
    _sleep, _unit = types.ExternalFunction("Sleep", types.void(types.uint32)), 1000
else:
    give_way = types.ExternalFunction("sched_yield", types.int32())
    _sleep, _unit = types.ExternalFunction("usleep", types.int32(types.uint32)), 1
NAP = max(1, SLEEP // _unit)


# --- Numbers in memory -----------------------------------------------------------------------------------------------


@intrinsic
def number_at(typing_context, address):
    """The number at an address, read anew each time."""

    def build(context, builder, signature, arguments):
        return builder.load_atomic(builder.inttoptr(arguments[0], ADDRESS), "acquire", 8)

    return types.intp(types.intp), build


@intrinsic
def put(typing_context, address, number):
    """Writes a number, after all that was written before."""

    def build(context, builder, signature, arguments):
        builder.store_atomic(arguments[1], builder.inttoptr(arguments[0], ADDRESS), "release", 8)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), build


@intrinsic
def exchanged(typing_context, address, expected, number):
    """Writes a number where another is expected; whether it was there."""

    def build(context, builder, signature, arguments):
        place = builder.inttoptr(arguments[0], ADDRESS)
        found = builder.cmpxchg(place, arguments[1], arguments[2], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(types.intp, types.intp, types.intp), build


# --- Records ---------------------------------------------------------------------------------------------------------


def _field(builder: Any, record: Any, number: int) -> Any:
    return cgutils.gep_inbounds(builder, record, 0, number)


@intrinsic(prefer_literal=True)
def recorded(typing_context, pieces, total, kernel, arguments, takes_room):
    """The address of a record of ``kernel`` on ``range(total)``, on the stack of the function that calls."""
    given = _arguments_of_kernel(arguments.types, takes_room.literal_value)

    def build(context, builder, signature, values):
        kind = context.call_conv.get_function_type(types.none, given)
        code = cgutils.get_or_insert_function(builder.module, kind, _publish(kernel.dispatcher, given))
        layout = ir.LiteralStructType([WORD] * ARGUMENTS + [context.get_value_type(arguments)])
        task = ir.Function(builder.module, TASK, builder.function.name + ".task")
        task.linkage = "internal"
        _take_pieces(context, task, layout, code, given, len(arguments.types))
        record = cgutils.alloca_once(builder, layout)
        zero = WORD(0)
        fields = (builder.ptrtoint(task, WORD), zero, values[0], values[1], zero, values[3])
        for number, value in enumerate(fields):
            builder.store(value, _field(builder, record, number))
        return builder.ptrtoint(record, WORD)

    return types.intp(pieces, total, kernel, arguments, takes_room), build


def _arguments_of_kernel(types_of_rest: Sequence[Any], takes_room: bool) -> tuple[Any, ...]:
    return (types.intp, types.intp, *types_of_rest, *[types.intp] * takes_room)


def _publish(kernel: Any, given: tuple[Any, ...]) -> str:
    """Compiles a kernel for these types of arguments, or loads it; the name under which machine code may call it.

    It is called, never copied into what calls it, as numba would have it: a copy is optimized once more, and then sums
    are rounded otherwise than where one thread does all the work. The name is the same in every process, unlike
    numba's own, as the calls lie in the disk cache.
    """
    kernel.compile(given)
    version, function = kernel.overloads[given], kernel.py_func
    name = f"{function.__module__}.{function.__qualname__}({', '.join(map(str, given))})"
    llvmlite.binding.add_symbol(name, version.library.get_pointer_to_function(version.fndesc.llvm_func_name))
    return name


def _take_pieces(context: Any, task: Any, layout: Any, code: Any, given: Sequence[Any], count: int) -> None:
    """Writes the body of ``task(record, room)``: it calls the kernel on piece after piece until none is left."""
    builder = ir.IRBuilder(task.append_basic_block("start"))
    look, run, failed, end = (task.append_basic_block(name) for name in ("look", "run", "failed", "end"))
    record = builder.inttoptr(task.args[0], layout.as_pointer())
    pieces, total = (builder.load(_field(builder, record, number)) for number in (PIECES, TOTAL))
    rest = cgutils.unpack_tuple(builder, builder.load(_field(builder, record, ARGUMENTS)), count)
    builder.branch(look)
    builder.position_at_end(look)
    one = WORD(1)
    piece = builder.atomic_rmw("add", _field(builder, record, NEXT), one, "monotonic")
    builder.cbranch(builder.icmp_signed("<", piece, pieces), run, end)
    builder.position_at_end(run)
    bounds = [builder.sdiv(builder.mul(total, at), pieces) for at in (piece, builder.add(piece, one))]
    room = task.args[1:] if len(given) > 2 + count else ()
    status, _ = context.call_conv.call_function(builder, code, types.none, given, [*bounds, *rest, *room])
    builder.cbranch(status.is_error, failed, look)
    builder.position_at_end(failed)
    builder.store(one, _field(builder, record, FAILED))
    builder.branch(end)
    builder.position_at_end(end)
    builder.ret_void()


@intrinsic
def take_part(typing_context, record, room):
    """Runs what a record describes, in this thread."""

    def build(context, builder, signature, arguments):
        code = builder.load(builder.inttoptr(arguments[0], ADDRESS))
        builder.call(builder.inttoptr(code, TASK.as_pointer()), arguments)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), build


# --- Both sides ------------------------------------------------------------------------------------------------------


@compiled()
def serve(slot, room):
    """A worker's part: takes up what is offered in its slot, until for a while nothing was and it may sleep."""
    looks = LOOKS
    while looks > 0 or not exchanged(slot, 0, ASLEEP):
        record = number_at(slot)
        if record != 0 and exchanged(slot, record, record + 1):
            take_part(record, room)
            put(slot, 0)
            looks = LOOKS
        else:
            give_way()
            looks -= 1


@compiled()
def offer(record, slots, workers, wanted):
    """Offers a record to free workers, up to ``wanted``."""
    for worker in range(workers):
        if wanted > 0 and exchanged(slots + worker * LINE, 0, record):
            wanted -= 1


@compiled()
def end(record, slots, workers):
    """Withdraws a record from those that have not begun, and waits for the others; whether a piece failed."""
    for worker in range(workers):
        slot = slots + worker * LINE
        if not exchanged(slot, record, 0):
            looks = LOOKS
            while number_at(slot) == record + 1:
                if looks > 0:
                    give_way()
                    looks -= 1
                else:
                    _sleep(NAP)
    return number_at(record + 8 * FAILED) != 0


SHARED = """
def {name}(slots, workers, pieces, total, room, {given}):
    record = recorded(pieces, total, kernel, ({given}), takes_room)
    offer(record, slots, workers, pieces - 1)
    take_part(record, room)
    return end(record, slots, workers)
"""


def spread(kernel: Any, takes_room: bool) -> Any:
    """``shared(slots, workers, pieces, total, room, *args)``: the kernel on ``range(total)``; whether a piece failed.

    Compiled once for each kernel and types of arguments, with the machine code in the cache under the kernel's file.
    """
    function = kernel.py_func
    own = function.__code__
    name = re.sub(r"\W", "_", f"shared_{function.__qualname__}")  # by it the disk cache tells functions of a file apart
    given = own.co_varnames[2 : own.co_argcount - takes_room]
    text = SHARED.format(name=name, given="".join(f"{each}_, " for each in given))
    scope = {"kernel": kernel, "takes_room": int(takes_room), "__name__": function.__module__}
    scope |= {each.__name__: each for each in (recorded, offer, take_part, end)}
    exec(compile("\n" * (own.co_firstlineno - 2) + text, own.co_filename, "exec"), scope)
    scope[name].sources = (Path(__file__),)
    scope[name].before_loading = lambda signature: _publish(kernel, _arguments_of_kernel(signature[5:], takes_room))
    return compiled()(scope[name])
