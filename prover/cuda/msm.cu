// One stream set's sums. Compiled once for each, with its maker's name (HACA_MAKE), its number (HACA_STREAMS) and, for the
// second group, HACA_G2: sppark's kernels count the buckets that are taken in variables of their own, so two sums that
// overlap must not run the same kernels.
#include <ff/alt_bn128-fp2.hpp>

#include <ec/jacobian_t.hpp>
#include <ec/xyzz_t.hpp>

#ifdef HACA_G2
using coordinate_t = alt_bn128::fp2_t;
#else
using coordinate_t = alt_bn128::fp_t;
#endif
using point_t = jacobian_t<coordinate_t>;
using bucket_t = xyzz_t<coordinate_t>;
using affine_t = bucket_t::affine_t;
using scalar_t = alt_bn128::fr_t;

// Everything that the kernels' header includes, outside of the namespace below.
#include <cassert>
#include <cooperative_groups.h>
#include <cuda.h>
#include <ff/shfl.cuh>
#include <util/exception.cuh>
#include <util/gpu_t.cuh>
#include <util/rusterror.h>
#include <util/slice_t.hpp>
#include <util/vec2d_t.hpp>
#include <vector>

// With the same names in every stream set the linker would keep one's kernels for all of them.
#define HACA_PASTE(left, right) left##right
#define HACA_NAMED(left, right) HACA_PASTE(left, right)
#define HACA_KERNELS HACA_NAMED(kernels_of_, HACA_MAKE)

namespace HACA_KERNELS {
#include <msm/pippenger.cuh>
}

#include "key.hpp"
#include "stream_sets.hpp"
#include "msm.hpp"

namespace {

class LaneMsm : public haca::Msm {
public:
    explicit LaneMsm(const haca_points &points)
        : streams_(select_gpu(HACA_STREAMS)), count_(points.count), points_(points.count, streams_),
          msm_(nullptr, points.count, sizeof(affine_t), HACA_STREAMS) {
        if (count_ == 0) return;
        streams_.HtoD(points_.data(), points.points, count_);
        streams_.sync();
    }

    void sum(const void *scalars, cudaEvent_t ready, uint64_t *jacobian) override {
        point_t result;
        result.inf();
        if (count_ > 0) {
            streams_.select();
            // Its first kernel, which reads the scalars, runs in this stream, the others after it.
            streams_[2].wait(ready);
            // Typed as they are on the host: with the device's own type of points the call would call itself.
            const dev_ptr_t<affine_t> points(points_.data());
            const dev_ptr_t<scalar_t> device_scalars(static_cast<scalar_t *>(const_cast<void *>(scalars)));
            const RustError outcome = msm_.invoke(result, points, count_, device_scalars, true);
            if (outcome.code != 0) {
                const std::string text = outcome.message == nullptr ? "sum of points failed" : outcome.message;
                std::free(outcome.message);
                throw haca::Failure(text);
            }
        }
        std::memcpy(jacobian, &result, sizeof(result));
    }

private:
    const gpu_t &streams_;
    size_t count_;
    dev_ptr_t<affine_t> points_;
    HACA_KERNELS::msm_t<bucket_t, point_t, affine_t, scalar_t> msm_;
};

} // namespace

std::unique_ptr<haca::Msm> haca::HACA_MAKE(const haca_points &points) { return std::make_unique<LaneMsm>(points); }
