"""How users call what the rows are published as: names of functions and of their parameters."""

import pytest
from parity import agree

INPLACE = {  # in-place forms that are functions: further arguments
    "abs_": {},
    "as_strided_": {"size": (1,), "stride": (1,)},
    "clamp_": {"min": 1.5},
    "detach_": {},
    "fill_": {"value": 3},
    "relu_": {},
    "threshold_": {"threshold": 1.5, "value": 7},
    "zero_": {},
}

KEYWORDS = {
    "a": lambda L, x: L.sum(a=x),
    "x1": lambda L, x: L.softmax(x1=x, dim=0),
    "x": lambda L, x: L.transpose(x=x.view(1, 2), dim0=0, dim1=1),
    "axis": lambda L, x: L.sum(x, axis=0, keepdims=True),
    "x of a special function": lambda L, x: L.special.airy_ai(x=x),
    "input of a special function": lambda L, x: L.special.expit(input=x),
    "x and n of a polynomial": lambda L, x: L.special.hermite_polynomial_h(x=x, n=2),
    "a number before n": lambda L, x: L.special.chebyshev_polynomial_t(0.5, n=x),
    "input and other": lambda L, x: L.special.zeta(input=x, other=x),
}


@pytest.mark.parametrize("name", INPLACE)
def test_functions_that_write_take_their_tensor_as_input(name, ours, theirs):
    results = []
    for L in (ours, theirs):
        x = L.of([1.0, 2.0])
        result = getattr(L, name)(input=x, **INPLACE[name])
        assert result is x
        results.append(result)
        with pytest.raises(TypeError, match="Tensor"):
            getattr(L, name)(input=3, **INPLACE[name])
    agree(*results)


@pytest.mark.parametrize("name", KEYWORDS)
def test_other_names_of_parameters(name, ours, theirs):
    agree(*(KEYWORDS[name](L, L.of([1.0, 2.0])) for L in (ours, theirs)))


def test_detach_is_a_function(ours, theirs):
    for L in (ours, theirs):
        x = L.of([1.0, 2.0], True)
        alone = L.detach(input=x)
        assert not alone.requires_grad
        assert alone.data_ptr() == x.data_ptr()
