// What the C interface needs from an implementation: the device's, or the tests' on the host.
#pragma once

#include "haca_cuda.h"

#include <memory>
#include <stdexcept>

namespace haca {

/// Anything that goes wrong; its text is for people.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A key that proofs can be made with.
class Key {
public:
    virtual ~Key() = default;
    virtual uint32_t signal_count() const = 0;
    virtual void prove(const uint64_t *witness, haca_sums &sums) = 0;
    /// Whether it can be destroyed: not after a fault of the device.
    virtual bool is_disposable() const = 0;
};

haca_device describe_device();
uint64_t key_bytes(const haca_key &key);
std::unique_ptr<Key> load_key(const haca_key &key);

/// Smallest and largest domains: below, transforms are not worth a device; above, the field has no coset.
constexpr uint32_t MIN_LOG_DOMAIN = 10;
constexpr uint32_t MAX_LOG_DOMAIN = 27;

} // namespace haca
