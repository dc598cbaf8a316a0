"""Samples of what scans, sorts, reduces in other ways: families scans, sorting, statistics."""

INF = float("inf")
m34, m234 = ((3, 4),), ((2, 3, 4),)


def _with_zeros(L, x):
    """A row without a zero, one with one, one with two."""
    return x * L.of([[1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 0, 1]])


SAMPLES = {
    "scans": [
        (lambda L, x: L.cumprod(x, 1), m34),
        (lambda L, x: x.cumprod(-2), m234),
        (lambda L, x: _with_zeros(L, x).cumprod(1), m34),
        (lambda L, x: (x * 1).cumprod_(0), m34),
        (lambda L, x: x.sum().cumprod(0), m34),
        (lambda L, x: L.logcumsumexp(x, 1), m34),
        (lambda L, x: (5 * x).logcumsumexp(0) * x, m34),
        (lambda L, x: -x.sum().logcumsumexp(0), m34),
        (lambda L, x: L.cummax(x, 1)[0], m34),
        (lambda L, x: x.cummin(-2).values, m234),
        (lambda L, x: L.diff(x, 2, 1), m34),
        (lambda L, x, y: L.diff(x, dim=0, prepend=y, append=y), ((3, 4), (1, 4))),
        (lambda L, x: L.trapezoid(x, dx=0.5), m34),
        (lambda L, x, y: L.trapezoid(x, y), ((3, 4), (4,))),
        (lambda L, x, y: L.cumulative_trapezoid(x, y, dim=0), ((3, 4), (3, 4))),
        (lambda L, x: L.gradient(x, dim=1)[0], m34),
        (lambda L, x: sum(L.gradient(x, spacing=0.5, edge_order=2)), m34),
        (
            lambda L, x, y: L.gradient(x, spacing=(y.exp().cumsum(0),), dim=1, edge_order=2)[0],
            ((3, 4), (4,)),
        ),
    ],
    "sorting": [
        (lambda L, x: L.sort(x, 1)[0], m34),
        (lambda L, x: x.sort(0, True).values * x, m34),
        (lambda L, x: L.msort(x), m34),
        (lambda L, x: L.topk(x, 2).values, m34),
        (lambda L, x: x.topk(3, 1, largest=False)[0], m234),
        (lambda L, x: L.kthvalue(x, 2, 0)[0], m34),
        (lambda L, x: L.median(x), m34),
        (lambda L, x: x.median(1, True)[0], m34),
        (lambda L, x: L.nanmedian(x), m34),
        (lambda L, x: L.nanmedian(x, 1).values, m34),
        (lambda L, x: L.mode(x.round().detach() + 0 * x, 1).values + x.mode(1)[0], m34),
        (lambda L, x: L.quantile(x, 0.3), m34),
        (lambda L, x: x.quantile(L.of([0.1, 0.6, 1.0]).to(x.dtype), dim=1, keepdim=True), m34),
        (lambda L, x: x.nanquantile(0.6, 0, interpolation="midpoint"), m34),
        (lambda L, x: x.quantile(0.4, -1, interpolation="higher"), m34),
    ],
    "statistics": [
        (lambda L, x: L.nansum(x, 1) + L.nanmean(x, 1), m34),
        (lambda L, x: x.sum_to_size(3, 1) * x.sum_to_size(4), m34),
        (lambda L, x: L.trace(x), m34),
        (lambda L, x: sum(L.aminmax(x, dim=1)), m34),
        (lambda L, x: L.var_mean(x, 1)[0] * L.var_mean(x, 1, correction=2)[1], m34),
        (lambda L, x: sum(L.std_mean(x, (0, 2), keepdim=True)), m234),
        (lambda L, x: L.cov(x), m34),
        (lambda L, x, y: L.cov(x, correction=0, aweights=y.exp(), fweights=L.of([1, 2, 3, 1])), ((3, 4), (4,))),
        (lambda L, x: L.corrcoef(x), m34),
        (lambda L, x, y: L.dist(x, y, 3), ((3, 4), (4,))),
        (lambda L, x: L.renorm(x, 2, 0, 1.5), m34),
        (lambda L, x: L.renorm(x, 1, -1, 2.0), m234),
        (lambda L, x: L.norm_except_dim(x, 2, 1), m234),
        (lambda L, x: x.norm(0.5, dim=1) + x.norm(0, dim=1) + x.norm(1.5, dim=1), m34),
        (lambda L, x: x.norm(-INF, dim=1, keepdim=True), m34),
        (lambda L, x: L.segment_reduce(x, "mean", lengths=L.of([1, 2])), m34),
        (lambda L, x: L.segment_reduce(x, "max", offsets=L.of([0, 2, 3]), initial=-5.0), m34),
    ],
}
