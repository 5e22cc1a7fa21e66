// Rows of a sparse matrix, cut into segments, so that no thread has a whole long row to itself.
#pragma once

#include "haca_cuda.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace haca {

/// Segments of all rows, one after another. A row's terms are added up by segments, then its segments' sums: two times
/// the square root of the longest row at most, or what is short anyway.
struct Segments {
    static constexpr uint32_t SHORT = 32;

    /// First entry of each segment; one more closes the last.
    std::vector<uint32_t> entry_starts;
    /// First segment of each row; one more closes the last.
    std::vector<uint32_t> segment_starts;

    Segments(const haca_matrix &matrix, uint32_t rows) {
        uint32_t longest = 0;
        for (uint32_t row = 0; row < rows; row++) {
            longest = std::max(longest, matrix.starts[row + 1] - matrix.starts[row]);
        }
        const uint32_t length = std::max(SHORT, static_cast<uint32_t>(std::ceil(std::sqrt(longest))));
        segment_starts.reserve(rows + 1);
        for (uint32_t row = 0; row < rows; row++) {
            segment_starts.push_back(count());
            for (uint32_t at = matrix.starts[row]; at < matrix.starts[row + 1]; at += length) entry_starts.push_back(at);
        }
        segment_starts.push_back(count());
        entry_starts.push_back(matrix.starts[rows]);
    }

    uint64_t bytes() const { return (entry_starts.size() + segment_starts.size()) * sizeof(uint32_t); }

private:
    uint32_t count() const { return static_cast<uint32_t>(entry_starts.size()); }
};

} // namespace haca
