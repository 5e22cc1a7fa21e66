// The device, and the functions by which sppark's headers find it (in place of its util/all_gpus.cpp, which makes one
// set of streams for each device).
#include "key.hpp"
#include "stream_sets.hpp"

#include <util/gpu_t.cuh>

#include <array>
#include <cstring>

namespace {

/// Ampere: the oldest architecture that the library is compiled for.
constexpr int MIN_MAJOR = 8;

class StreamSets {
public:
    StreamSets() {
        int count = 0;
        const cudaError_t found = cudaGetDeviceCount(&count);
        if (found != cudaSuccess) throw haca::Failure(std::string("no CUDA device: ") + cudaGetErrorString(found));
        if (count == 0) throw haca::Failure("no CUDA device");
        CUDA_OK(cudaSetDevice(0));
        CUDA_OK(cudaGetDeviceProperties(&properties_, 0));
        if (properties_.major < MIN_MAJOR || !properties_.cooperativeLaunch) {
            throw haca::Failure(std::string(properties_.name) + " is older than compute capability 8.0");
        }
        // Memory of ended work is kept for the next proof instead of being handed back each time.
        cudaMemPool_t pool;
        CUDA_OK(cudaDeviceGetDefaultMemPool(&pool, 0));
        uint64_t keep = UINT64_MAX;
        CUDA_OK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep));
        for (int id = 0; id < haca::STREAM_SET_COUNT; id++) sets_[id] = new gpu_t(id, 0, properties_);
        first_.push_back(sets_[0]);
    }

    const gpu_t &at(int id) const { return *sets_.at(id); }
    const cudaDeviceProp &properties() const { return properties_; }
    const std::vector<const gpu_t *> &first() const { return first_; }

private:
    cudaDeviceProp properties_;
    std::array<const gpu_t *, haca::STREAM_SET_COUNT> sets_;
    std::vector<const gpu_t *> first_;
};

/// Never destroyed: at the end of the process the driver may be gone before us.
const StreamSets &stream_sets() {
    static const StreamSets *const all = new StreamSets();
    return *all;
}

} // namespace

const gpu_t &select_gpu(int id) {
    const gpu_t &streams = stream_sets().at(id < 0 ? 0 : id);
    streams.select();
    return streams;
}

const cudaDeviceProp &gpu_props(int) { return stream_sets().properties(); }

/// sppark keeps roots of unity for each of these; transforms use one stream set alone.
size_t ngpus() { return stream_sets().first().size(); }

const std::vector<const gpu_t *> &all_gpus() { return stream_sets().first(); }

haca_device haca::describe_device() {
    const cudaDeviceProp &properties = stream_sets().properties();
    haca_device device = {};
    std::strncpy(device.name, properties.name, sizeof(device.name) - 1);
    device.memory_bytes = properties.totalGlobalMem;
    device.major = static_cast<uint32_t>(properties.major);
    device.minor = static_cast<uint32_t>(properties.minor);
    return device;
}
