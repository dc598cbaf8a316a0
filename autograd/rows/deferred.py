"""Families of operators that are loaded when one of their names is first used: `import autograd` stays light.

For each family (a module of `autograd.ops`) the public names that it registers: functions by namespace, and methods of
Tensor. A test compares these lists with what the modules register.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .public import NAMESPACES, attach_rows

__all__ = ["FAMILIES", "attach_methods", "find", "load", "load_all"]

# family -> {namespace or "Tensor": names}; "torch" is `autograd` itself.
FAMILIES: dict[str, dict[str, str]] = {
    "masked.tensor": {"masked": "MaskedTensor as_masked_tensor is_masked_tensor masked_tensor"},
    "masked.functions": {
        "masked": (
            "amax amin argmax argmin cumprod cumsum log_softmax logaddexp logsumexp mean median norm normalize prod "
            "softmax softmin std sum var"
        ),
    },
    "masked.operators": {},
    "windows": {
        "torch": "bartlett_window blackman_window hamming_window hann_window kaiser_window",
        "signal.windows": (
            "bartlett blackman cosine exponential gaussian general_cosine general_hamming hamming hann kaiser nuttall"
        ),
    },
    "hashing": {"torch": "hash_tensor", "Tensor": "hash_tensor"},
    "quantization": {"torch": "fake_quantize_per_channel_affine fake_quantize_per_tensor_affine"},
    "rearrange": {
        "torch": (
            "atleast_1d atleast_2d atleast_3d broadcast_shapes broadcast_tensors broadcast_to column_stack "
            "diag diag_embed dsplit dstack fliplr flipud hsplit hstack repeat_interleave rot90 "
            "row_stack split_with_sizes tensor_split tile unsafe_chunk unsafe_split unsafe_split_with_sizes vsplit "
            "vstack"
        ),
        "Tensor": (
            "broadcast_to diag diag_embed dsplit fill_diagonal_ fliplr flipud hsplit repeat_interleave rot90 "
            "split_with_sizes tensor_split tile unsafe_chunk unsafe_split unsafe_split_with_sizes vsplit"
        ),
    },
    "nn.convolution": {
        "torch": ("conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution"),
        "nn.functional": "conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d",
    },
    "nn.padding": {"torch": "constant_pad_nd", "nn.functional": "pad"},
    "nn.fold": {"nn.functional": "fold unfold"},
    "nn.pooling": {
        "torch": "avg_pool1d max_pool1d max_pool1d_with_indices max_pool2d max_pool3d",
        "nn.functional": (
            "avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d max_pool1d max_pool1d_with_indices "
            "max_pool2d max_pool2d_with_indices max_pool3d max_pool3d_with_indices"
        ),
    },
    "nn.adaptive_pooling": {
        "torch": "adaptive_avg_pool1d adaptive_max_pool1d",
        "nn.functional": (
            "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d "
            "adaptive_max_pool1d_with_indices adaptive_max_pool2d adaptive_max_pool2d_with_indices "
            "adaptive_max_pool3d adaptive_max_pool3d_with_indices"
        ),
    },
    "nn.fractional_pooling": {
        "nn.functional": (
            "fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d "
            "fractional_max_pool3d_with_indices"
        ),
    },
    "nn.unpooling": {"nn.functional": "max_unpool1d max_unpool2d max_unpool3d"},
    "nn.interpolation": {"nn.functional": "interpolate upsample upsample_bilinear upsample_nearest"},
    "nn.grid_sampling": {
        "torch": "affine_grid_generator grid_sampler grid_sampler_2d grid_sampler_3d",
        "nn.functional": "affine_grid grid_sample",
    },
    "nn.shuffles": {
        "torch": "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
        "nn.functional": "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
    },
    "nn.normalization": {
        "torch": (
            "batch_norm group_norm instance_norm layer_norm native_batch_norm native_group_norm native_layer_norm "
            "rms_norm"
        ),
        "nn.functional": "layer_norm rms_norm",
    },
    "nn.norms": {"nn.functional": "batch_norm group_norm instance_norm local_response_norm normalize"},
    "sparse.construct": {
        "torch": "sparse_coo_tensor sparse_csr_tensor",
        "sparse": "spdiags",
        "Tensor": (
            "_indices _nnz _values coalesce col_indices crow_indices dense_dim indices is_coalesced sparse_dim "
            "sparse_mask sparse_resize_ sparse_resize_and_clear_ to_dense to_sparse to_sparse_coo to_sparse_csr values"
        ),
    },
    "sparse.products": {
        "torch": "hspmm smm spmm sspaddmm",
        "sparse": "addmm log_softmax mm sampled_addmm softmax sum",
        "Tensor": "smm sspaddmm",
    },
    "nested.construct": {
        "nested": "as_nested_tensor masked_select narrow nested_tensor nested_tensor_from_jagged to_padded_tensor",
        "Tensor": "to_padded_tensor",
    },
    "nn.embedding": {"nn.functional": "embedding embedding_bag"},
    "nn.losses": {
        "nn.functional": (
            "binary_cross_entropy binary_cross_entropy_with_logits gaussian_nll_loss hinge_loss huber_loss kl_div "
            "l1_loss logistic_loss mse_loss poisson_nll_loss smooth_l1_loss soft_margin_loss square_loss"
        ),
    },
    "nn.class_losses": {
        "nn.functional": (
            "cross_entropy linear_cross_entropy multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss "
            "nll_loss one_hot"
        ),
    },
    "nn.ctc": {"nn.functional": "ctc_loss"},
    "nn.units": {"nn.functional": "maxout sign step"},
    "nn.dropouts": {
        "torch": (
            "alpha_dropout alpha_dropout_ dropout dropout_ feature_alpha_dropout feature_alpha_dropout_ "
            "feature_dropout feature_dropout_ native_dropout rrelu rrelu_"
        ),
        "nn.functional": (
            "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout gumbel_softmax rrelu rrelu_"
        ),
    },
    "nn.recurrent": {
        "torch": "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell",
    },
    "scatter": {
        "torch": ("argwhere index_reduce nonzero_static put scatter_reduce take take_along_dim"),
        "Tensor": (
            "argwhere index_reduce index_reduce_ nonzero_static put put_ scatter_reduce scatter_reduce_ take "
            "take_along_dim"
        ),
    },
    "elementwise": {
        "torch": (
            "bitwise_left_shift bitwise_right_shift copysign deg2rad float_power frexp gcd heaviside isneginf "
            "isposinf lcm ldexp logaddexp2 nextafter positive rad2deg rsub deg2rad_ gcd_ lcm_ ldexp_ rad2deg_"
        ),
        "Tensor": (
            "bitwise_left_shift bitwise_right_shift copysign deg2rad float_power frexp gcd heaviside isneginf "
            "isposinf lcm ldexp logaddexp2 nextafter positive rad2deg apply_ bitwise_left_shift_ "
            "bitwise_right_shift_ copysign_ deg2rad_ float_power_ gcd_ heaviside_ lcm_ ldexp_ map2_ map_ "
            "nextafter_ rad2deg_ reinforce __div__ __idiv__ __ilshift__ __irshift__ __lshift__ __rdiv__ "
            "__rlshift__ __rrshift__ __rshift__"
        ),
    },
    "construct": {
        "torch": (
            "block_diag cartesian_prod combinations diagflat empty_permuted empty_strided frombuffer tril_indices "
            "triu_indices unravel_index vander"
        ),
        "Tensor": "diagflat new_empty_strided",
    },
    "sorting": {
        "torch": "argsort kthvalue median mode msort nanmedian nanquantile quantile sort topk",
        "Tensor": "argsort kthvalue median mode msort nanmedian nanquantile quantile sort topk",
    },
    "searching": {
        "torch": "bincount bucketize histc histogram histogramdd isin searchsorted unique unique_consecutive",
        "Tensor": "bincount histc histogram unique unique_consecutive",
    },
    "scans": {
        "torch": "cummax cummin cumprod cumulative_trapezoid diff gradient logcumsumexp trapezoid trapz",
        "Tensor": "cummax cummin cumprod cumprod_ diff logcumsumexp",
    },
    "statistics": {
        "torch": (
            "aminmax corrcoef cov dist frobenius_norm nanmean nansum norm_except_dim nuclear_norm renorm "
            "segment_reduce std_mean trace var_mean"
        ),
        "Tensor": "aminmax corrcoef cov dist nanmean nansum renorm renorm_ sum_to_size trace",
    },
    "strided": {
        "torch": (
            "alias_copy as_strided as_strided_ as_strided_copy as_strided_scatter detach_copy diagonal_copy "
            "diagonal_scatter expand_copy narrow_copy permute_copy resize_as_ select_copy select_scatter slice_copy "
            "slice_scatter split_copy split_with_sizes_copy squeeze_copy t_copy transpose_copy unbind_copy unfold_copy "
            "unsqueeze_copy view_as_complex_copy view_as_real_copy view_copy"
        ),
        "Tensor": (
            "as_strided as_strided_ as_strided_scatter diagonal_scatter dim_order is_set_to narrow_copy resize "
            "resize_ resize_as resize_as_ select_scatter set_ slice_scatter unfold"
        ),
    },
    "fft": {
        "fft": (
            "fft fft2 fftfreq fftn fftshift hfft hfft2 hfftn ifft ifft2 ifftn ifftshift ihfft ihfft2 ihfftn irfft "
            "irfft2 irfftn rfft rfft2 rfftfreq rfftn"
        ),
        "torch": "istft stft",
        "Tensor": "istft stft",
    },
    "gamma": {"torch": "_dirichlet_grad _sample_dirichlet _standard_gamma _standard_gamma_grad"},
    "special": {
        "torch": ("digamma erfinv i0 igamma igammac lgamma mvlgamma polygamma i0_ "),
        "special": (
            "airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 chebyshev_polynomial_t chebyshev_polynomial_u "
            "chebyshev_polynomial_v chebyshev_polynomial_w digamma entr erf erfc erfcx erfinv exp2 expit "
            "expm1 gammainc gammaincc gammaln hermite_polynomial_h hermite_polynomial_he i0 i0e i1 i1e "
            "laguerre_polynomial_l legendre_polynomial_p log1p log_ndtr log_softmax logit logsumexp "
            "modified_bessel_i0 modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 multigammaln ndtri "
            "polygamma psi round scaled_modified_bessel_k0 scaled_modified_bessel_k1 "
            "shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v "
            "shifted_chebyshev_polynomial_w sinc softmax spherical_bessel_j0 xlog1py xlogy zeta"
        ),
        "Tensor": (
            "digamma erfinv i0 igamma igammac lgamma mvlgamma polygamma digamma_ erfinv_ i0_ igamma_ igammac_ "
            "lgamma_ mvlgamma_ polygamma_"
        ),
    },
    "linalg.solvers": {
        "torch": (
            "cholesky_inverse cholesky_solve det inverse logdet lu_solve matrix_exp matrix_power pinverse slogdet "
            "triangular_solve"
        ),
        "linalg": (
            "LinAlgError det inv inv_ex ldl_solve lstsq lu_solve matrix_exp matrix_power pinv slogdet solve "
            "solve_ex solve_triangular tensorinv tensorsolve"
        ),
        "Tensor": (
            "cholesky_inverse cholesky_solve det inverse logdet lu_solve matrix_exp matrix_power pinverse slogdet "
            "triangular_solve"
        ),
    },
    "linalg.decompositions": {
        "torch": "cholesky geqrf lu lu_unpack orgqr ormqr qr svd",
        "linalg": (
            "cholesky cholesky_ex eig eigh eigvals eigvalsh householder_product ldl_factor ldl_factor_ex lu "
            "lu_factor lu_factor_ex qr svd svdvals"
        ),
        "Tensor": "cholesky geqrf lu orgqr ormqr qr svd",
    },
    "linalg.norms": {
        "torch": "cdist pdist",
        "nn.functional": "pdist",
        "linalg": "cond matrix_norm matrix_rank norm vector_norm",
    },
    "linalg.products": {
        "torch": "addbmm addr bilinear chain_matmul cross eig inner kron lstsq matrix_rank solve symeig tensordot vdot",
        "nn.functional": "bilinear",
        "linalg": "cross diagonal matmul multi_dot vander vecdot",
        "Tensor": "addbmm addbmm_ addr addr_ cross eig inner kron lstsq solve symeig vdot",
    },
    "linalg.einsum": {
        "torch": "einsum",
    },
    "linalg.lowrank": {
        "torch": "lobpcg pca_lowrank svd_lowrank",
    },
    "nn.distances": {
        "torch": "cosine_similarity pairwise_distance",
        "nn.functional": (
            "cosine_embedding_loss cosine_similarity hinge_embedding_loss margin_ranking_loss pairwise_distance "
            "triplet_margin_loss triplet_margin_with_distance_loss"
        ),
    },
    "nn.attention": {"nn.functional": "multi_head_attention_forward scaled_dot_product_attention"},
    "nn.numbered_losses": {
        "torch": (
            "binary_cross_entropy_with_logits cosine_embedding_loss ctc_loss hinge_embedding_loss kl_div "
            "margin_ranking_loss poisson_nll_loss triplet_margin_loss"
        ),
    },
}

_loaded: set[str] = set()


def load(family: str) -> None:
    """Imports a family, which publishes its functions, methods and rows."""
    if family not in _loaded:
        importlib.import_module(f"autograd.ops.{family}")
        attach_rows()
        _loaded.add(family)


def load_all() -> None:
    """Imports every family: for the documentation and the tests, which walk through the whole table."""
    for family in FAMILIES:
        load(family)


def find(namespace: str, name: str) -> Any:
    """The function ``name`` of a namespace, its family loaded if need be.

    Raises:
        AttributeError: there is none.
    """
    for family, places in FAMILIES.items():
        if name in places.get(namespace, "").split():
            load(family)
    try:
        return NAMESPACES[namespace][name]
    except KeyError:
        raise AttributeError(f"module {namespace!r} has no attribute {name!r}") from None


def names(namespace: str) -> set[str]:
    """All names of a namespace, of loaded families and others."""
    later = (places.get(namespace, "").split() for places in FAMILIES.values())
    return set(NAMESPACES[namespace]).union(*later)


def attach_methods() -> None:
    """Gives Tensor a stand-in for each method of the families: at the first call it loads the real one."""
    for family, places in FAMILIES.items():
        for name in places.get("Tensor", "").split():
            setattr(Tensor, name, _stand_in(family, name))


def _stand_in(family: str, name: str) -> Callable[..., Any]:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        load(family)
        return getattr(self, name)(*args, **kwargs)

    method.__name__, method.__qualname__ = name, f"Tensor.{name}"
    return method
