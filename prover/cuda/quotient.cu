#include "quotient.hpp"
#include "coset.hpp"

using alt_bn128::fr_t;

#include <ntt/ntt.cuh>

namespace {

constexpr uint32_t BLOCK = 256;

uint32_t blocks(size_t threads) { return static_cast<uint32_t>((threads + BLOCK - 1) / BLOCK); }

__device__ uint32_t thread_number() { return blockIdx.x * blockDim.x + threadIdx.x; }

__global__ void segments_kernel(const uint32_t *starts, const haca::Entry *entries, const fr_t *coefficients,
                                const fr_t *witness, fr_t *result, uint32_t count) {
    const uint32_t i = thread_number();
    if (i < count) result[i] = haca::segment_times(starts, entries, coefficients, witness, i);
}

__global__ void rows_kernel(const uint32_t *starts, const fr_t *segments, fr_t *result, uint32_t size) {
    const uint32_t row = thread_number();
    if (row < size) result[row] = haca::row_sum(starts, segments, row);
}

__global__ void multiply_kernel(const fr_t *a, const fr_t *b, fr_t *result, uint32_t size) {
    const uint32_t i = thread_number();
    if (i < size) result[i] = haca::multiplied(a[i], b[i]);
}

__global__ void shift_kernel(fr_t *values, uint32_t log_size, haca::Powers<fr_t> powers) {
    const uint32_t i = thread_number();
    if (i < 1u << log_size) values[i] = haca::shifted(values[i], i, log_size, powers);
}

__global__ void join_kernel(const fr_t *a, const fr_t *b, const fr_t *c, fr_t *result, uint32_t size) {
    const uint32_t i = thread_number();
    if (i < size) result[i] = haca::joined(a[i], b[i], c[i]);
}

__global__ void gather_kernel(const fr_t *from, const uint32_t *indices, fr_t *result, uint32_t size) {
    const uint32_t i = thread_number();
    if (i < size) result[i] = from[indices[i]];
}

template <class T> void upload(dev_ptr_t<T> &to, const void *from, size_t count, const gpu_t &streams) {
    if (count > 0) streams.HtoD(to.data(), from, count);
}

} // namespace

namespace haca {

DeviceMatrix::DeviceMatrix(const haca_matrix &matrix, uint32_t rows, const gpu_t &streams)
    : DeviceMatrix(matrix, Segments(matrix, rows), streams) {}

DeviceMatrix::DeviceMatrix(const haca_matrix &matrix, const Segments &segments, const gpu_t &streams)
    : segment_count_(static_cast<uint32_t>(segments.entry_starts.size() - 1)),
      row_count_(static_cast<uint32_t>(segments.segment_starts.size() - 1)), entry_starts_(segment_count_ + 1, streams),
      segment_starts_(row_count_ + 1, streams), entries_(matrix.entry_count, streams) {
    upload(entry_starts_, segments.entry_starts.data(), segment_count_ + 1, streams);
    upload(segment_starts_, segments.segment_starts.data(), row_count_ + 1, streams);
    upload(entries_, matrix.entries, matrix.entry_count, streams);
    // The segments go with this function.
    streams.sync();
}

void DeviceMatrix::enqueue_times(const Scalar *coefficients, const Scalar *witness, Scalar *result,
                                 stream_t &stream) const {
    const dev_ptr_t<Scalar> sums(segment_count_, stream);
    if (segment_count_ > 0) {
        segments_kernel<<<blocks(segment_count_), BLOCK, 0, stream>>>(entry_starts_, entries_, coefficients, witness,
                                                                      sums.data(), segment_count_);
        CUDA_OK(cudaGetLastError());
    }
    rows_kernel<<<blocks(row_count_), BLOCK, 0, stream>>>(segment_starts_, sums.data(), result, row_count_);
    CUDA_OK(cudaGetLastError());
}

Quotient::Quotient(const haca_key &key, const gpu_t &streams)
    : streams_(streams), log_size_(key.log_domain), split_((key.log_domain + 1) / 2),
      coefficients_(key.coefficient_count, streams), a_rows_(key.a_rows, 1u << key.log_domain, streams),
      b_rows_(key.b_rows, 1u << key.log_domain, streams), low_powers_(size_t{1} << split_, streams),
      high_powers_(size_t{1} << (log_size_ - split_), streams) {
    const PowerTables<fr_t> tables(log_size_, forward_roots_of_unity);
    upload(coefficients_, key.coefficients, key.coefficient_count, streams);
    upload(low_powers_, tables.low.data(), tables.low.size(), streams);
    upload(high_powers_, tables.high.data(), tables.high.size(), streams);
    // The tables go with this function.
    streams.sync();
}

void Quotient::enqueue(const Scalar *witness, Scalar *scalars) const {
    const uint32_t size = 1u << log_size_;
    stream_t &stream = streams_;
    const dev_ptr_t<fr_t> a(size, stream);
    const dev_ptr_t<fr_t> b(size, stream);
    const dev_ptr_t<fr_t> c(size, stream);
    a_rows_.enqueue_times(coefficients_.data(), witness, a.data(), stream);
    b_rows_.enqueue_times(coefficients_.data(), witness, b.data(), stream);
    multiply_kernel<<<blocks(size), BLOCK, 0, stream>>>(a.data(), b.data(), c.data(), size);
    CUDA_OK(cudaGetLastError());
    to_coset(a.data());
    to_coset(b.data());
    to_coset(c.data());
    join_kernel<<<blocks(size), BLOCK, 0, stream>>>(a.data(), b.data(), c.data(), scalars, size);
    CUDA_OK(cudaGetLastError());
}

/// Coefficients come out of the inverse transform in bit-reversed order, and the forward one takes them so.
void Quotient::to_coset(Scalar *values) const {
    stream_t &stream = streams_;
    NTT::Base_dev_ptr(stream, values, log_size_, NTT::InputOutputOrder::NR, NTT::Direction::inverse,
                      NTT::Type::standard);
    const Powers<fr_t> powers{low_powers_.data(), high_powers_.data(), split_};
    shift_kernel<<<blocks(size_t{1} << log_size_), BLOCK, 0, stream>>>(values, log_size_, powers);
    CUDA_OK(cudaGetLastError());
    NTT::Base_dev_ptr(stream, values, log_size_, NTT::InputOutputOrder::RN, NTT::Direction::forward,
                      NTT::Type::standard);
}

uint64_t Quotient::bytes(const haca_key &key) {
    const auto matrix = [&](const haca_matrix &rows) {
        return Segments(rows, 1u << key.log_domain).bytes() + rows.entry_count * sizeof(Entry);
    };
    const uint32_t split = (key.log_domain + 1) / 2;
    const uint64_t powers = (uint64_t{1} << split) + (uint64_t{1} << (key.log_domain - split));
    return matrix(key.a_rows) + matrix(key.b_rows) + (key.coefficient_count + powers) * SCALAR_BYTES;
}

void enqueue_gather(const Scalar *from, const uint32_t *indices, Scalar *scalars, size_t count, cudaStream_t stream) {
    if (count == 0) return;
    gather_kernel<<<blocks(count), BLOCK, 0, stream>>>(from, indices, scalars, static_cast<uint32_t>(count));
    CUDA_OK(cudaGetLastError());
}

} // namespace haca
