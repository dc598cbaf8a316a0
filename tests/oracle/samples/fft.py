"""Fourier transforms of real tensors, seen through the real and imaginary parts."""


def parts(L, z):
    return L.view_as_real(z)


SAMPLES = {
    "fft": [
        (lambda L, x: parts(L, L.fft.fft(x, dim=0)), ((3, 4),)),
        (lambda L, x, y: parts(L, L.fft.ifft(L.complex(x, y), n=6, norm="ortho")), ((3, 4), (3, 4))),
        (lambda L, x, y: parts(L, L.fft.fftn(L.complex(x, y), s=(2, 5), norm="forward")), ((3, 4), (3, 4))),
        (lambda L, x: parts(L, L.fft.rfft(x)), ((3, 5),)),
        (lambda L, x: parts(L, L.fft.rfftn(x, s=(4, 6), dim=(1, 0), norm="ortho")), ((3, 4),)),
        (lambda L, x, y: L.fft.irfft(L.complex(x, y)), ((3, 4), (3, 4))),
        (lambda L, x, y: L.fft.irfft(L.complex(x, y), n=7, dim=0), ((4, 3), (4, 3))),
        (lambda L, x, y: L.fft.irfft2(L.complex(x, y), s=(4, 5)), ((2, 3, 4), (2, 3, 4))),
        (lambda L, x, y: L.fft.hfftn(L.complex(x, y), norm="ortho"), ((3, 4), (3, 4))),
        (lambda L, x: parts(L, L.fft.ihfft2(x)), ((3, 4),)),
        (lambda L, x: L.fft.fftshift(x) * L.fft.ifftshift(x, 1), ((3, 4),)),
        (lambda L, x, w: L.stft(x, 4, 2, window=w, return_complex=True).abs(), ((2, 9), (4,))),
        (lambda L, x, y: L.istft(L.complex(x, y), 4, 2, window=L.of([0.5, 1.0, 1.0, 0.5])), ((3, 5), (3, 5))),
    ],
}  # fmt: skip
