// Tables of the powers of a coset's generator, made on the host.
#pragma once

#include "field.hpp"

#include <vector>

namespace haca {

/// g^j for j below 2^split, and g^(j 2^split) for j below 2^(log_size - split). g is the first primitive root of unity
/// of twice the domain's order in `roots`, by logarithm of their order.
template <class F> struct PowerTables {
    uint32_t split;
    std::vector<F> low;
    std::vector<F> high;

    PowerTables(uint32_t log_size, const F *roots) : split((log_size + 1) / 2) {
        F base = roots[log_size + 1];
        fill(low, base, 1u << split);
        for (uint32_t i = 0; i < split; i++) base *= F(base);
        fill(high, base, 1u << (log_size - split));
    }

private:
    static void fill(std::vector<F> &powers, const F &base, uint32_t count) {
        F power = F::one();
        for (uint32_t i = 0; i < count; i++) {
            powers.push_back(power);
            power *= base;
        }
    }
};

} // namespace haca
