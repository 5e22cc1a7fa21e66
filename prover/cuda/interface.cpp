// The C interface: no exception passes, every failure has a text.
#include "key.hpp"

#include <cstdio>
#include <mutex>
#include <string>

struct haca_loaded_key {
    std::unique_ptr<haca::Key> key;
};

// The same numbers stand in prover/crates/cuda/src/interface.rs.
static_assert(sizeof(haca_key) == 192);
static_assert(sizeof(haca_device) == 272);
static_assert(sizeof(haca_sums) == 576);

namespace {

/// The device's streams and counters serve one call at a time.
std::mutex device_lock;

template <class Work> int32_t guarded(char *error, size_t error_bytes, Work work) noexcept {
    const char *text = "unknown failure";
    try {
        std::lock_guard<std::mutex> lock(device_lock);
        work();
        return 0;
    } catch (const std::exception &failure) {
        if (error != nullptr && error_bytes > 0) std::snprintf(error, error_bytes, "%s", failure.what());
        return 1;
    } catch (...) {
        if (error != nullptr && error_bytes > 0) std::snprintf(error, error_bytes, "%s", text);
        return 1;
    }
}

void check(const haca_matrix &matrix, const haca_key &key) {
    const uint32_t rows = 1u << key.log_domain;
    if (matrix.starts[0] != 0 || matrix.starts[rows] != matrix.entry_count) {
        throw haca::Failure("the rows of a matrix do not cover its entries");
    }
}

void check(const haca_key &key) {
    if (key.log_domain < haca::MIN_LOG_DOMAIN || key.log_domain > haca::MAX_LOG_DOMAIN) {
        throw haca::Failure("no transform of size 2^" + std::to_string(key.log_domain));
    }
    check(key.a_rows, key);
    check(key.b_rows, key);
}

} // namespace

uint32_t haca_cuda_abi_version(void) { return HACA_CUDA_ABI_VERSION; }

int32_t haca_cuda_device(haca_device *device, char *error, size_t error_bytes) {
    return guarded(error, error_bytes, [&] { *device = haca::describe_device(); });
}

uint64_t haca_cuda_key_bytes(const haca_key *key) { return haca::key_bytes(*key); }

int32_t haca_cuda_load(const haca_key *key, haca_loaded_key **loaded, char *error, size_t error_bytes) {
    return guarded(error, error_bytes, [&] {
        check(*key);
        *loaded = new haca_loaded_key{haca::load_key(*key)};
    });
}

int32_t haca_cuda_prove(haca_loaded_key *key, const uint64_t *witness, uint64_t count, haca_sums *sums, char *error,
                        size_t error_bytes) {
    return guarded(error, error_bytes, [&] {
        if (count != key->key->signal_count()) {
            throw haca::Failure("the witness has " + std::to_string(count) + " values, the key " +
                                std::to_string(key->key->signal_count()) + " signals");
        }
        key->key->prove(witness, *sums);
    });
}

void haca_cuda_unload(haca_loaded_key *key) {
    (void)guarded(nullptr, 0, [&] {
        // After a fault nothing on the device can be freed, and trying would end the process.
        if (!key->key->is_disposable()) (void)key->key.release();
        delete key;
    });
}
