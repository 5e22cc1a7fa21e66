// A key on the device, and a proof's five sums.
#include "buckets.hpp"
#include "key.hpp"
#include "stream_sets.hpp"
#include "msm.hpp"
#include "quotient.hpp"

#include <future>

namespace {

using haca::Scalar;

constexpr uint64_t G1_BYTES = 64;
constexpr uint64_t G2_BYTES = 128;
constexpr uint64_t WARP = 32;

/// Which element of a vector belongs to each point, on the device.
class Indices {
public:
    Indices(const haca_points &points, const gpu_t &streams) : count_(points.count), indices_(points.count, streams) {
        if (count_ > 0) streams.HtoD(indices_.data(), points.indices, count_);
    }
    size_t count() const { return count_; }
    const uint32_t *data() const { return indices_; }

private:
    size_t count_;
    dev_ptr_t<uint32_t> indices_;
};

/// A point set with the numbers of its scalars.
struct Sum {
    Indices indices;
    std::unique_ptr<haca::Msm> msm;
};

/// Scalars of one point set, gathered on the stream set's stream.
class Gathered {
public:
    Gathered(const Sum &sum, const Scalar *from, stream_t &stream) : scalars_(sum.indices.count(), stream) {
        haca::enqueue_gather(from, sum.indices.data(), scalars_.data(), sum.indices.count(), stream);
    }
    const Scalar *data() const { return scalars_; }

private:
    dev_ptr_t<Scalar> scalars_;
};

class DeviceKey : public haca::Key {
public:
    explicit DeviceKey(const haca_key &key)
        : streams_(select_gpu(haca::TRANSFORM_STREAMS)), signal_count_(key.signal_count), domain_(size_t{1} << key.log_domain),
          quotient_(key, streams_), a_{Indices(key.a, streams_), haca::make_g1_first(key.a)},
          b1_{Indices(key.b1, streams_), haca::make_g1_second(key.b1)}, b2_{Indices(key.b2, streams_), haca::make_g2(key.b2)},
          c_{Indices(key.c, streams_), haca::make_g1_first(key.c)}, h_{Indices(key.h, streams_), haca::make_g1_second(key.h)} {
        // The caller may free the key after this.
        streams_.select();
        CUDA_OK(cudaDeviceSynchronize());
    }

    uint32_t signal_count() const override { return signal_count_; }

    bool is_disposable() const override {
        streams_.select();
        return cudaDeviceSynchronize() == cudaSuccess;
    }

    void prove(const uint64_t *witness, haca_sums &sums) override {
        streams_.select();
        stream_t &stream = streams_;
        const dev_ptr_t<Scalar> values(signal_count_, stream);
        const dev_ptr_t<Scalar> quotient(domain_, stream);
        stream.HtoD(values.data(), witness, signal_count_);
        const Gathered a(a_, values.data(), stream);
        const Gathered b1(b1_, values.data(), stream);
        const Gathered b2(b2_, values.data(), stream);
        const Gathered c(c_, values.data(), stream);
        event_t gathered;
        gathered.record(stream);
        quotient_.enqueue(values.data(), quotient.data());
        const Gathered h(h_, quotient.data(), stream);
        event_t transformed;
        transformed.record(stream);
        // Everything above is enqueued, so both events are recorded before a stream set waits for them. Sums of the first
        // stream set and of G2 overlap with the transforms; the second one's last sum waits for them.
        auto first = std::async(std::launch::async, [&] {
            a_.msm->sum(a.data(), gathered, sums.a);
            c_.msm->sum(c.data(), gathered, sums.c);
        });
        auto second = std::async(std::launch::async, [&] {
            b1_.msm->sum(b1.data(), gathered, sums.b1);
            h_.msm->sum(h.data(), transformed, sums.h);
        });
        auto third = std::async(std::launch::async, [&] { b2_.msm->sum(b2.data(), gathered, sums.b2); });
        first.get();
        second.get();
        third.get();
        stream.sync();
    }

private:
    const gpu_t &streams_;
    uint32_t signal_count_;
    size_t domain_;
    haca::Quotient quotient_;
    Sum a_;
    Sum b1_;
    Sum b2_;
    Sum c_;
    Sum h_;
};

/// Points, their indices, and at most as many bytes again for sppark's buckets.
uint64_t points_bytes(const haca_points &points, uint64_t point_bytes) {
    const uint64_t rounded = (points.count + WARP - 1) / WARP * WARP;
    return rounded * (point_bytes + sizeof(uint32_t)) + haca::bucket_bytes(points.count, point_bytes);
}

} // namespace

uint64_t haca::key_bytes(const haca_key &key) {
    return Quotient::bytes(key) + points_bytes(key.a, G1_BYTES) + points_bytes(key.b1, G1_BYTES) +
           points_bytes(key.b2, G2_BYTES) + points_bytes(key.c, G1_BYTES) + points_bytes(key.h, G1_BYTES);
}

std::unique_ptr<haca::Key> haca::load_key(const haca_key &key) { return std::make_unique<DeviceKey>(key); }
