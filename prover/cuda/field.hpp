// The scalar field of BN254 and its roots of unity, as sppark has them.
#pragma once

#include <ff/alt_bn128.hpp>

namespace haca {

/// Bytes of a scalar.
constexpr size_t SCALAR_BYTES = 32;

} // namespace haca
