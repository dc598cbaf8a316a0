"""Views and writes: in-place operators keep values, versions and the graph of all views of a memory in step."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import from_numpy_dtype
from ..graph import Leaf, Node, is_recording, state
from ..kernels.layout import is_dense, is_same_place, is_spread, meets_itself
from ..tensor import (
    INFERENCE,
    BatchError,
    StructureError,
    Tensor,
    View,
    count_write,
    has_history,
    history_of,
    node_of,
    set_node,
    shared_counter,
)
from .nodes import RowNode, record
from .table import TABLE, PointwiseRow

__all__ = [
    "check_apart",
    "check_out",
    "check_overlap",
    "check_write",
    "link_view",
    "set_history",
    "shares_memory",
    "write",
    "write_out",
]

ndarray = np.ndarray


def shares_memory(result: ndarray, source: ndarray) -> bool:
    base = result.base
    if result is source or (base is not None and (base is source or base is source.base)):
        return True
    return base is not None and not isinstance(base, ndarray) and np.may_share_memory(result, source)


IN_NO_GRAD = (
    "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Create the view outside "
    "no_grad, or write inside it too."
)


def link_view(out: Tensor, source: Tensor, step: tuple[Any, ...], blocked: str | None) -> None:
    """Makes ``out`` a view of ``source``: writes to either reach the other, gradients included.

    Args:
        step: the row that made it, and the row's other arguments.
        blocked: why it must not be written to while recording, or None.
    """
    counter = source._counter
    if counter is INFERENCE:
        out._counter = INFERENCE
        return
    if counter is None:
        counter = source._counter = [0, 0]
    out._counter = counter
    origin = source._view
    if origin is None:
        base, steps = source, (step,)
    else:
        base, steps, blocked = origin.base, (*origin.steps, step), blocked or origin.blocked
    out._view = View(base, steps, counter[0 if blocked else 1], blocked)


# In-place operators that write one value everywhere, so that it does not matter how often an element is written.
UNIFORM = ("fill_", "zero_")
# Those that PyTorch still lets write to elements that share a place.
DEPRECATED = ("masked_fill_", "index_put_")


def _refuse_spread(operator: str) -> None:
    raise RuntimeError(
        f"unsupported operation: {operator} would write to a tensor of which several elements share one memory "
        "location. Please clone() the tensor before performing the operation."
    )


def check_write(tensor: Tensor, operator: str, recorded: bool, target: ndarray | None = None) -> None:
    """Raises when an in-place operator must not write to ``tensor``.

    Args:
        tensor: what is to be written to.
        operator: the operator's name with its underscore.
        recorded: whether the write would be recorded (grad mode is on and something requires grad).
        target: the part of its memory that is written to; all of it by default.
    """
    if tensor._counter is INFERENCE and not state.inference:
        raise RuntimeError(
            f"Inplace update to inference tensor outside InferenceMode is not allowed ({operator}). You can make a "
            "clone to get a normal tensor before doing inplace update."
        )
    array = tensor._array if target is None else target
    if operator not in UNIFORM and is_spread(array):
        if operator in DEPRECATED and not recorded:
            warnings.warn(
                f"Use of {operator} on expanded tensors is deprecated. Please clone() the tensor before performing "
                "this operation. This also applies to advanced indexing e.g. tensor[indices] = tensor",
                UserWarning,
                stacklevel=4,
            )
        else:
            _refuse_spread(operator)
    if not array.flags.writeable:
        raise RuntimeError(f"{operator}: the tensor's memory is read-only; clone() it first")
    if not state.grad:
        return
    node = history_of(tensor)
    view = tensor._view
    if isinstance(node, Leaf):
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if view is not None:
        if isinstance(view.base._node, Leaf):
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
        if view.blocked is not None and (recorded or node is not None or history_of(view.base) is not None):
            raise RuntimeError(view.blocked)


# In-place operators that write element after element while they read: no operand may lie where they write.
SCATTERING = {
    *("scatter_", "scatter_add_", "scatter_reduce_", "index_add_", "index_copy_", "index_reduce_", "index_put_"),
    "put_",
}
# Those that read all operands before they write.
READING_FIRST = {
    *("addmm_", "addmv_", "addbmm_", "baddbmm_", "addr_", "masked_scatter_", "index_fill_", "fill_diagonal_"),
}


def check_overlap(tensor: Tensor, operands: Sequence[Any], operator: str) -> None:
    """Raises where an operand and ``tensor``, to be written to, share a part of their memory.

    As in PyTorch, memory of tensors that skip elements is not looked into, and the whole tensor may be an operand
    of most operators.
    """
    array = tensor._array
    for operand in operands:
        if isinstance(operand, (list, tuple)):
            check_overlap(tensor, operand, operator)
            continue
        if not isinstance(operand, Tensor):
            continue
        other = operand._array
        whole = other is array
        if operator in READING_FIRST or (whole and operator not in SCATTERING):
            continue
        if (not whole and other.base is None and array.base is None) or not np.may_share_memory(other, array):
            continue
        if operator not in SCATTERING and is_same_place(other, array):
            continue
        if is_dense(other) and is_dense(array):
            raise RuntimeError(
                f"unsupported operation: some elements of the input tensor and of the one that {operator} writes to "
                "refer to a single memory location. Please clone() the tensor before performing the operation."
            )


def write(tensor: Tensor, out: Tensor, operator: str) -> Tensor:
    """Puts the values and the history of ``out``, computed from ``tensor``, into ``tensor``.

    Raises:
        RuntimeError: another shape, or a type that ``tensor`` cannot hold; nothing is changed then.
    """
    try:
        check_write(tensor, operator, has_history(out._node))
    except BatchError:
        from .batching import write_into

        return write_into(tensor, out, operator)
    except StructureError:
        return tensor.overwrite(out, operator)
    target, array = tensor._array, out._array
    if array.shape != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape {list(array.shape)} "
            f"in {operator}"
        )
    if array.dtype != target.dtype:
        if dtypes._CATEGORY[array.dtype.kind] > dtypes._CATEGORY[target.dtype.kind]:
            raise RuntimeError(
                f"result type {type_name(array.dtype)} can't be cast to the desired output type "
                f"{type_name(target.dtype)} in {operator}"
            )
        out = TABLE["to"](out, from_numpy_dtype(target.dtype))
        array = out._array
    node = out._node
    if node is not None:
        _keep_own_input(node, tensor)
    if meets_itself(target):  # the values of elements that the operator left alone must not undo a write to their place
        np.copyto(target, array, where=(array != target) & ((array == array) | (target == target)))
    else:
        target[...] = array
    count_write(tensor)
    if node is not None:
        _keep_one_copy(node, array, tensor)
        set_history(tensor, node)
    elif is_recording() and (before := node_of(tensor)) is not None:
        # The new values do not depend on the old ones in a way that has a gradient: it is zero.
        record(tensor, TABLE["blank"].plan((True,)), (before,), (), (), None, ())
        node, tensor._node = tensor._node, before
        if node is not None:
            set_history(tensor, node)
    return tensor


def _keep_own_input(node: Node, tensor: Tensor) -> None:
    """A rule that needs the values about to be overwritten, as the operator's own first input, gets a copy of them."""
    if not isinstance(node, RowNode) or not node.saved:
        return
    if not isinstance(node.saved, tuple):
        node.saved.copy_before_write(tensor._array)
        return
    first = node.plan.row.inputs[0]
    if first in node.plan.saved and node.saved[(at := node.plan.saved.index(first))] is tensor._array:
        saved, guards = list(node.saved), list(node.guards)
        saved[at] = tensor._array.copy()
        if tensor._counter is not None:
            place = next((i for i in range(0, len(guards), 2) if guards[i] is tensor._counter), None)
            if place is not None:
                del guards[place : place + 2]
        node.saved, node.guards = tuple(saved), tuple(guards)


def _keep_one_copy(node: Node, array: ndarray, tensor: Tensor) -> None:
    """A rule that saved the result keeps the tensor's own memory instead of a second copy."""
    if not isinstance(node, RowNode) or not isinstance(node.saved, tuple):
        return
    if tensor._counter is not None and any(value is array for value in node.saved):
        at = [i for i, name in enumerate(node.plan.saved) if name == "out"]
        if at:
            guards = list(node.guards)
            guards[-2:] = [tensor._counter, tensor._counter[0]]
            node.saved = tuple(tensor._array if value is array else value for value in node.saved)
            node.guards = tuple(guards)


def set_history(tensor: Tensor, node: Node) -> None:
    """Makes ``node`` the maker of ``tensor``'s present values; views of the same memory follow when next asked.

    Where nothing is recorded a tensor keeps the history it has, and only its tangents are new.
    """
    view = tensor._view
    counter = shared_counter(tensor)
    if counter is not INFERENCE:
        counter[1] += 1
    if view is None:
        _take(tensor, tensor._node, node)
        return
    base = view.base
    scatter = TABLE["view_scatter"]
    before = base._node
    plan = scatter.plan((before is not None, True))
    edges = (node,) if before is None else (before, node)
    record(base, plan, edges, (), (), None, tuple(view.steps for _ in plan.context))
    _take(base, before, base._node)


def _take(tensor: Tensor, before: Node | None, node: Node | None) -> None:
    if has_history(before) and not (state.grad or has_history(node)):
        tensor._become(before, node)
        return
    if node is not None and before is not None and before.hooks is not None and before.hooks.keeper is not None:
        # `retain_grad` follows the tensor: its gradient is that of the present values.
        node.all_hooks().keeper, before.hooks.keeper = before.hooks.keeper, None
    set_node(tensor, node)


def type_name(dtype: np.dtype) -> str:
    return dtypes.SCALAR_NAMES[dtype.name]


# Operators whose out= must have the dtype of the result. So do all that return places beside the values.
EXACT = {
    *("all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "argsort", "bucketize", "histc"),
    *("diag", "histogram", "index_copy", "isin", "log_softmax", "logcumsumexp", "msort", "nanquantile", "norm"),
    *("quantile", "renorm", "searchsorted", "softmax", "tril", "triu", "where"),
    *("avg_pool2d", "avg_pool3d", "conj_physical", "linear", "logsigmoid"),
    *("bitwise_not", "ceil", "floor", "frac", "neg", "round", "sgn", "sign", "trunc", "heaviside"),
    *("isneginf", "isposinf", "signbit", "nan_to_num", "frexp", "gelu", "hardshrink", "softplus"),
    *("softshrink", "addbmm", "addmm", "addmv", "baddbmm", "bmm", "mm", "mv", "matmul", "dot", "vdot"),
    *("cross", "tensordot", "vecdot", "multi_dot", "det", "slogdet", "inv", "inv_ex", "eigh"),
    *(
        "eigvalsh",
        "linalg.cholesky",
        "cholesky_ex",
        "lu",
        "ldl_factor",
        "ldl_factor_ex",
        "ldl_solve",
        "lu_factor",
        "lu_factor_ex",
    ),
    *("lu_solve", "lu_unpack", "ormqr", "qr", "solve", "solve_ex", "solve_triangular", "svd", "svdvals"),
    *("triangular_solve", "matrix_norm", "vector_norm", "alias_copy", "as_strided_copy", "diagonal_copy"),
    *("expand_copy", "narrow_copy", "permute_copy", "slice_scatter", "squeeze_copy", "t_copy", "transpose_copy"),
    *("unfold_copy", "unsqueeze_copy", "view_copy", "split_with_sizes_copy", "unbind_copy"),
}
# Those whose out= must have the dtype of the operand, unless it is real and that is complex.
ABSOLUTE = {"abs", "absolute"}
# Those whose out= must also share no memory with the operands.
STRICT = {
    *("gather", "index_add", "index_reduce", "index_select", "kthvalue", "masked_select", "nonzero"),
    *("nonzero_static", "scatter", "scatter_add", "scatter_reduce", "take", "take_along_dim"),
}
# Beside the pointwise rows, those whose out= may be an operand, but not share a part of one's memory.
WHOLE = {
    *("addcdiv", "addcmul", "angle", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or"),
    *("bitwise_right_shift", "bitwise_xor", "clamp", "clamp_max", "clamp_min", "cross", "cumprod", "cumsum"),
    *("diff", "div", "float_power", "gcd", "igamma", "igammac", "index_copy", "lcm", "ldexp", "logcumsumexp", "logit"),
    *("nan_to_num", "polygamma", "renorm", "round", "sgn", "sort", "topk", "where", "zeta"),
}


def check_out(out: Tensor, result: Tensor, operator: str, operands: Sequence[Any] = (), exact: bool = False) -> None:
    """Raises unless `write_out` may write the result into ``out``; ``exact`` asks for the dtype of the result."""
    if not isinstance(out, Tensor):
        raise TypeError(f"{operator}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if state.grad and (has_history(result._node) or history_of(out) is not None):
        raise RuntimeError(
            f"{operator}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    if state.push is not None and (result._node is not None or node_of(out) is not None):
        raise NotImplementedError(
            f"Trying to use forward AD with {operator}_out that does not support it because it is an out= function"
        )
    if dtypes._CATEGORY[result._array.dtype.kind] > dtypes._CATEGORY[out._array.dtype.kind]:
        raise RuntimeError(
            f"{operator}(): result type {type_name(result._array.dtype)} can't be cast to the desired output type "
            f"{type_name(out._array.dtype)}"
        )
    expected = result._array.dtype
    if operator in ABSOLUTE:
        exact = not operands[0].is_complex() or out.is_complex()
        expected = operands[0]._array.dtype
    if (exact or operator in EXACT or operator in STRICT) and expected != out._array.dtype:
        raise RuntimeError(
            f"{operator}(): Expected out tensor to have dtype {type_name(expected)}, but got "
            f"{type_name(out._array.dtype)} instead"
        )
    if is_spread(out._array):
        _refuse_spread(f"{operator}()")
    if operator in STRICT:
        check_apart(out, operands, operator)
    elif operator in WHOLE or isinstance(TABLE.get(operator), PointwiseRow):
        check_overlap(out, operands, f"{operator}()")


def write_out(out: Tensor, result: Tensor, operator: str, operands: Sequence[Any] = ()) -> Tensor:
    """Puts a result into the tensor given as ``out=``, which takes its shape.

    Raises:
        RuntimeError: the result requires grad, or ``out`` does, or its dtype cannot hold the result, or several of
            its elements (for some operators also those of an operand) lie in one place.
    """
    check_out(out, result, operator, operands)
    if out._array.shape == result._array.shape:
        out._array[...] = result._array
    else:
        if out._array.size:
            warnings.warn(
                f"{operator}(): An output with one or more elements was resized since it had shape "
                f"{list(out._array.shape)}, which does not match the required output shape "
                f"{list(result._array.shape)}. This behavior is deprecated; pass an empty out tensor to be resized.",
                UserWarning,
                stacklevel=4,
            )
        out._array = result._array.astype(out._array.dtype)
    count_write(out)
    return out


def check_apart(out: Tensor, operands: Sequence[Any], operator: str) -> None:
    """Raises when elements of ``out`` and of an operand, or of a sequence of them, lie in one place."""
    for operand in operands:
        for tensor in operand if isinstance(operand, (tuple, list)) else (operand,):
            if isinstance(tensor, Tensor) and np.may_share_memory(tensor._array, out._array):
                raise RuntimeError(
                    f"unsupported operation: some elements of the input tensor and of the one that {operator}() would "
                    "write to refer to a single memory location. Please clone() the tensor before performing the "
                    "operation."
                )


def write_outs(outs: Any, results: Any, operator: str, operands: Sequence[Any] = ()) -> Any:
    """`write_out` for an operator that returns a tensor or several; returns what was given as ``out=``."""
    if not isinstance(results, tuple):
        return write_out(outs, results, operator, operands)
    if not isinstance(outs, (tuple, list)) or len(outs) != len(results):
        raise TypeError(f"{operator}(): argument 'out' must be a tuple of {len(results)} Tensors")
    exact = "indices" in getattr(results, "_fields", ())
    for out, result in zip(outs, results, strict=True):
        check_out(out, result, operator, operands, exact)
    written = [write_out(out, result, operator) for out, result in zip(outs, results, strict=True)]
    return type(results)(*written) if hasattr(results, "_fields") else tuple(written)
