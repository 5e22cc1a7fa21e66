// How many bytes sppark's sums keep for their buckets, so that keys can be bounded before they are loaded.
#pragma once

#include <algorithm>
#include <cstdint>

namespace haca {

constexpr uint32_t SCALAR_BITS = 254;

/// Buckets of one set of `count` points of `point_bytes` each. Windows are as wide as `msm_t`'s constructor chooses; a
/// bucket has four coordinates. The few buckets for each multiprocessor are allowed for.
inline uint64_t bucket_bytes(uint64_t count, uint64_t point_bytes) {
    constexpr uint64_t FEW = 8 * 256;
    uint32_t log = 0;
    for (uint64_t rest = count + count / 2; rest > 1; rest >>= 1) log++;
    const uint32_t width = std::clamp(log > 8 ? log - 8 : 0u, 10u, 18u);
    const uint64_t windows = (SCALAR_BITS - 1) / width + 1;
    const uint64_t buckets = windows << (width - 1);
    return (buckets + FEW) * 2 * point_bytes + buckets * sizeof(uint32_t);
}

} // namespace haca
