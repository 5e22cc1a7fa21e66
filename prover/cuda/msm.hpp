// Sums of points times scalars, on the device.
#pragma once

#include "haca_cuda.h"

#include <cuda_runtime.h>
#include <memory>

namespace haca {

/// A point set that stays on the device.
class Msm {
public:
    virtual ~Msm() = default;
    /// Sums the points, each times its scalar. Scalars are elements in Montgomery form on the device, complete once
    /// `ready` has happened, which must have been recorded. Writes X, Y, Z. Blocks until it is done.
    virtual void sum(const void *scalars, cudaEvent_t ready, uint64_t *jacobian) = 0;
};

/// Stream sets may work at the same time, sums of one may not: each has its own streams, and its own counters in
/// sppark's kernels.
std::unique_ptr<Msm> make_g1_first(const haca_points &points);
std::unique_ptr<Msm> make_g1_second(const haca_points &points);
std::unique_ptr<Msm> make_g2(const haca_points &points);

} // namespace haca
