// The functions of CUDA's run-time library that the prover's library calls, on the device in software. Linked in place
// of cudart: everything else, compiled kernels included, is what runs on a device.
#include "simt.h"

#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstring>
#include <vector>

namespace {

thread_local cudaError_t last_error = cudaSuccess;

cudaError_t done(int32_t status) {
    const auto error = static_cast<cudaError_t>(status);
    if (error != cudaSuccess) last_error = error;
    return error;
}

size_t number_of(cudaStream_t stream) { return reinterpret_cast<size_t>(stream); }
size_t number_of(cudaEvent_t event) { return reinterpret_cast<size_t>(event) - 1; }
uint64_t address_of(const void *pointer) { return reinterpret_cast<uint64_t>(pointer); }

/// A launch as `<<<…>>>` leaves it for the call that follows.
struct Configuration {
    dim3 blocks, threads;
    size_t shared;
    cudaStream_t stream;
};

thread_local std::vector<Configuration> configurations;

cudaError_t launch(const void *function, dim3 blocks, dim3 threads, void **parameters, size_t shared,
                   cudaStream_t stream, bool is_cooperative) {
    const uint32_t grid[] = {blocks.x, blocks.y, blocks.z};
    const uint32_t block[] = {threads.x, threads.y, threads.z};
    return done(simt_launch(function, grid, block, shared, parameters, number_of(stream), is_cooperative));
}

cudaError_t copy(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t bytes, size_t rows,
                 cudaMemcpyKind kind, cudaStream_t stream) {
    switch (kind) {
    case cudaMemcpyHostToDevice:
        return done(simt_write(address_of(to), to_pitch, from, from_pitch, bytes, rows, number_of(stream)));
    case cudaMemcpyDeviceToHost:
        return done(simt_read(to, to_pitch, address_of(from), from_pitch, bytes, rows, number_of(stream)));
    default:
        return done(cudaErrorInvalidMemcpyDirection);
    }
}

/// What the compiler puts around a fat binary.
struct Wrapper {
    int32_t magic;
    int32_t version;
    const void *fatbinary;
    const void *file;
};

} // namespace

extern "C" {

// Registration, by code that nvcc generates.

void **__cudaRegisterFatBinary(void *wrapper) {
    size_t module = 0;
    if (done(simt_load(static_cast<Wrapper *>(wrapper)->fatbinary, &module)) != cudaSuccess) {
        std::fprintf(stderr, "emulated device: %s\n", simt_message());
    }
    return reinterpret_cast<void **>(module + 1);
}

void __cudaRegisterFatBinaryEnd(void **) {}
void __cudaUnregisterFatBinary(void **) {}

void __cudaRegisterFunction(void **module, const char *function, char *, const char *name, int, uint3 *, uint3 *, dim3 *,
                            dim3 *, int *) {
    if (done(simt_define(reinterpret_cast<size_t>(module) - 1, function, name)) != cudaSuccess) {
        std::fprintf(stderr, "emulated device: %s: %s\n", name, simt_message());
    }
}

void __cudaRegisterVar(void **module, char *variable, char *, const char *name, int, size_t, int, int) {
    // Variables that no kernel of the module uses are not in its code.
    (void)simt_declare(reinterpret_cast<size_t>(module) - 1, variable, name);
}

unsigned __cudaPushCallConfiguration(dim3 blocks, dim3 threads, size_t shared, CUstream_st *stream) {
    configurations.push_back({blocks, threads, shared, stream});
    return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3 *blocks, dim3 *threads, size_t *shared, void *stream) {
    if (configurations.empty()) return done(cudaErrorMissingConfiguration);
    const Configuration found = configurations.back();
    configurations.pop_back();
    *blocks = found.blocks;
    *threads = found.threads;
    *shared = found.shared;
    *static_cast<cudaStream_t *>(stream) = found.stream;
    return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t *kernel, const void *function) {
    *kernel = static_cast<cudaKernel_t>(const_cast<void *>(function));
    return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 blocks, dim3 threads, void **parameters, size_t shared,
                               cudaStream_t stream) {
    return launch(kernel, blocks, threads, parameters, shared, stream, false);
}

// The library itself, in the order of its manual.

cudaError_t cudaGetDeviceCount(int *count) {
    *count = 1;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device) {
    *device = 0;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) { return done(device == 0 ? cudaSuccess : cudaErrorInvalidDevice); }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
    if (device != 0) return done(cudaErrorInvalidDevice);
    *properties = {};
    std::strcpy(properties->name, "emulated device");
    properties->totalGlobalMem = simt_memory_bytes();
    properties->sharedMemPerBlock = simt_shared_bytes();
    properties->sharedMemPerBlockOptin = simt_shared_bytes_asked();
    properties->multiProcessorCount = static_cast<int>(simt_multiprocessors());
    properties->maxThreadsPerBlock = 1024;
    properties->warpSize = 32;
    properties->major = 8;
    properties->cooperativeLaunch = 1;
    return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() { return done(simt_synchronise_all()); }

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t *pool, int) {
    *pool = nullptr;
    return cudaSuccess;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void *) { return cudaSuccess; }

cudaError_t cudaGetLastError() {
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

const char *cudaGetErrorString(cudaError_t) { return simt_message(); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
    size_t number = 0;
    const cudaError_t error = done(simt_open_stream(&number));
    *stream = reinterpret_cast<cudaStream_t>(number);
    return error;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) { return done(simt_close_stream(number_of(stream))); }
cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return done(simt_synchronise(number_of(stream))); }

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    return done(simt_wait(number_of(stream), number_of(event)));
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) {
    size_t number = 0;
    const cudaError_t error = done(simt_new_event(&number));
    *event = reinterpret_cast<cudaEvent_t>(number + 1);
    return error;
}

/// Streams may wait for it still.
cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    return done(simt_record(number_of(event), number_of(stream)));
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, const void *function) {
    *attributes = {};
    uint32_t max_threads = 0;
    const cudaError_t error = done(simt_attributes(function, &max_threads, &attributes->sharedSizeBytes));
    attributes->maxThreadsPerBlock = static_cast<int>(max_threads);
    return error;
}

cudaError_t cudaFuncSetAttribute(const void *function, cudaFuncAttribute attribute, int value) {
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return done(cudaErrorInvalidValue);
    return done(simt_allow_shared(function, static_cast<size_t>(value)));
}

cudaError_t cudaLaunchKernel(const void *function, dim3 blocks, dim3 threads, void **parameters, size_t shared,
                             cudaStream_t stream) {
    return launch(function, blocks, threads, parameters, shared, stream, false);
}

cudaError_t cudaLaunchCooperativeKernel(const void *function, dim3 blocks, dim3 threads, void **parameters,
                                        size_t shared, cudaStream_t stream) {
    return launch(function, blocks, threads, parameters, shared, stream, true);
}

cudaError_t cudaMallocAsync(void **pointer, size_t bytes, cudaStream_t stream) {
    uint64_t address = 0;
    const cudaError_t error = done(simt_allocate(bytes, number_of(stream), &address));
    *pointer = reinterpret_cast<void *>(address);
    return error;
}

cudaError_t cudaFreeAsync(void *pointer, cudaStream_t stream) {
    return done(simt_release(address_of(pointer), number_of(stream)));
}

/// Waits for everything, as the real one does.
cudaError_t cudaFree(void *pointer) {
    if (pointer == nullptr) return cudaSuccess;
    const cudaError_t error = done(simt_synchronise_all());
    return error == cudaSuccess ? done(simt_release(address_of(pointer), 0)) : error;
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total) {
    *total = simt_memory_bytes();
    *free = *total;
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
    if (kind == cudaMemcpyDeviceToDevice) {
        return done(simt_copy(address_of(to), address_of(from), bytes, number_of(stream)));
    }
    return copy(to, bytes, from, bytes, bytes, 1, kind, stream);
}

cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t bytes, size_t rows,
                              cudaMemcpyKind kind, cudaStream_t stream) {
    return copy(to, to_pitch, from, from_pitch, bytes, rows, kind, stream);
}

cudaError_t cudaGetSymbolAddress(void **pointer, const void *variable) {
    uint64_t address = 0;
    const cudaError_t error = done(simt_address(variable, &address));
    *pointer = reinterpret_cast<void *>(address);
    return error;
}

} // extern "C"
