"""Complex numbers, made from real tensors and looked at through real ones: then the general loops apply."""


def parts(L, z):
    return L.view_as_real(z)


SAMPLES = {
    "complex": [
        (lambda L, x, y: parts(L, L.complex(x, y) * L.complex(y, x)), ((3, 4), (4,))),
        (lambda L, x, y: L.complex(x, y).real * L.complex(x, y).imag, ((3, 4), (3, 1))),
        (lambda L, x: L.view_as_complex(x).abs(), ((3, 2),)),
        (lambda L, x: parts(L, L.view_as_complex(x).exp() / L.view_as_complex(x + 1)), ((3, 2),)),
        (lambda L, x: parts(L, L.view_as_complex(x).conj() ** 3), ((3, 2),)),
        (lambda L, x: parts(L, x * L.view_as_complex(x).sum()), ((3, 2),)),
        (lambda L, x, y: L.angle(L.complex(x, y)), ((3, 4), (3, 4))),
        (lambda L, x: L.angle(x) * x, ((3, 4),)),
        (lambda L, x, y: parts(L, L.sgn(L.complex(x, y))), ((3, 4), (3, 4))),
        (lambda L, x: L.sgn(x) * x, ((3, 4),)),
        # Of a negative size PyTorch gives the gradient with the other sign.
        (lambda L, x, y: parts(L, L.polar(x * x + 0.5, y)), ((3, 4), (4,))),
        (lambda L, x, y: parts(L, L.acosh(L.complex(x - 2, y))), ((3, 4), (3, 4))),
        (lambda L, x, y: parts(L, L.logaddexp(L.complex(x, y), L.complex(y, x))), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.l1_loss(L.complex(x, y), L.complex(y, x[0]), reduction="none"), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.l1_loss(L.complex(x, y), L.complex(x[0], y)), ((3, 4), (3, 4))),
        (lambda L, x, y: parts(L, L.F.softsign(L.complex(x, y))), ((3, 4), (3, 4))),
        (lambda L, x, y: parts(L, L.complex(x, y) @ L.complex(x, y).mH), ((3, 4), (3, 4))),
        (lambda L, x, y: parts(L, L.einsum("ij,kj->ik", L.complex(x, y), L.complex(y, x))), ((3, 4), (3, 4))),
        (lambda L, x, y: parts(L, L.complex(x, y).prod(1)), ((3, 4), (3, 4))),
        (lambda L, x, y: parts(L, (x.double() + 0j).cumsum(1)[1:] * (1 - 2j) * y.double()[1:]), ((3, 4), (3, 4))),
    ],
}
