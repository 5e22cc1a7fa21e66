// What each thread of our own kernels computes, for any field: the device's, or the host's in the library that the
// tests compare with the CPU backend.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define HACA_EVERYWHERE __host__ __device__ inline
#else
#define HACA_EVERYWHERE inline
#endif

namespace haca {

/// A coefficient of a sparse matrix.
struct Entry {
    uint32_t signal;
    uint32_t coefficient;
};

/// One segment of a row of a sparse matrix times the witness. All in Montgomery form, so products are too.
template <class F>
HACA_EVERYWHERE F segment_times(const uint32_t *starts, const Entry *entries, const F *coefficients, const F *witness,
                                uint32_t segment) {
    F sum;
    sum.zero();
    for (uint32_t i = starts[segment]; i < starts[segment + 1]; i++) {
        F product = coefficients[entries[i].coefficient];
        product *= witness[entries[i].signal];
        sum += product;
    }
    return sum;
}

/// The sum of one row's segments.
template <class F> HACA_EVERYWHERE F row_sum(const uint32_t *starts, const F *segments, uint32_t row) {
    F sum;
    sum.zero();
    for (uint32_t i = starts[row]; i < starts[row + 1]; i++) sum += segments[i];
    return sum;
}

/// The lowest `bits` bits of a number in the other order.
HACA_EVERYWHERE uint32_t reversed(uint32_t number, uint32_t bits) {
    number = (number & 0x55555555u) << 1 | (number >> 1 & 0x55555555u);
    number = (number & 0x33333333u) << 2 | (number >> 2 & 0x33333333u);
    number = (number & 0x0f0f0f0fu) << 4 | (number >> 4 & 0x0f0f0f0fu);
    number = (number & 0x00ff00ffu) << 8 | (number >> 8 & 0x00ff00ffu);
    number = number << 16 | number >> 16;
    return number >> (32 - bits);
}

/// Powers g^k of a coset's generator, from two tables: g^j, and g^(j 2^split).
template <class F> struct Powers {
    const F *low;
    const F *high;
    uint32_t split;

    HACA_EVERYWHERE F operator()(uint32_t exponent) const {
        F power = low[exponent & ((1u << split) - 1)];
        power *= high[exponent >> split];
        return power;
    }
};

/// Moves the polynomial whose coefficients lie in bit-reversed order to the coset: coefficient k is multiplied by g^k.
template <class F> HACA_EVERYWHERE F shifted(const F &value, uint32_t position, uint32_t log_size, Powers<F> powers) {
    F result = value;
    result *= powers(reversed(position, log_size));
    return result;
}

/// The value of (a b - c) at a point: the scalar of an H point.
template <class F> HACA_EVERYWHERE F joined(const F &a, const F &b, const F &c) {
    F result = a;
    result *= b;
    result -= c;
    return result;
}

/// a b
template <class F> HACA_EVERYWHERE F multiplied(const F &a, const F &b) {
    F result = a;
    result *= b;
    return result;
}

} // namespace haca
