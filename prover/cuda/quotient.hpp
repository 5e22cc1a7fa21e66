// From the witness to the scalars of the H points, on the device.
#pragma once

#include "field.hpp"
#include "haca_cuda.h"
#include "kernels.hpp"
#include "segments.hpp"

#include <util/gpu_t.cuh>

namespace haca {

using Scalar = alt_bn128::fr_t;

/// A matrix that stays on the device.
class DeviceMatrix {
public:
    DeviceMatrix(const haca_matrix &matrix, uint32_t rows, const gpu_t &streams);
    /// Enqueues the matrix times the witness, one result for each row.
    void enqueue_times(const Scalar *coefficients, const Scalar *witness, Scalar *result, stream_t &stream) const;

private:
    DeviceMatrix(const haca_matrix &matrix, const Segments &segments, const gpu_t &streams);

    uint32_t segment_count_;
    uint32_t row_count_;
    dev_ptr_t<uint32_t> entry_starts_;
    dev_ptr_t<uint32_t> segment_starts_;
    dev_ptr_t<Entry> entries_;
};

/// The matrices and the powers of the coset's generator.
class Quotient {
public:
    Quotient(const haca_key &key, const gpu_t &streams);
    /// Enqueues everything on the stream set's stream: `witness` to `scalars`, one for each element of the domain.
    void enqueue(const Scalar *witness, Scalar *scalars) const;
    static uint64_t bytes(const haca_key &key);

private:
    void to_coset(Scalar *values) const;

    const gpu_t &streams_;
    uint32_t log_size_;
    uint32_t split_;
    dev_ptr_t<Scalar> coefficients_;
    DeviceMatrix a_rows_;
    DeviceMatrix b_rows_;
    dev_ptr_t<Scalar> low_powers_;
    dev_ptr_t<Scalar> high_powers_;
};

/// Enqueues scalars[i] = from[indices[i]].
void enqueue_gather(const Scalar *from, const uint32_t *indices, Scalar *scalars, size_t count, cudaStream_t stream);

} // namespace haca
