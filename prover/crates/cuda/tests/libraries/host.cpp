// The C interface on the CPU, for tests: our own kernels and sppark's formulas and constants, with a textbook transform
// and textbook sums in place of sppark's kernels. It says whether what is computed is right, not whether a device
// computes it.
#include "coset.hpp"
#include "kernels.hpp"
#include "key.hpp"
#include "segments.hpp"

#include <ff/alt_bn128-fp2.hpp>

#include <ec/jacobian_t.hpp>
#include <ec/xyzz_t.hpp>

#include <cstring>
#include <vector>

using alt_bn128::fp2_t;
using alt_bn128::fp_t;
using alt_bn128::fr_t;

#include <ntt/parameters/alt_bn128.h>

namespace {

using Scalars = std::vector<fr_t>;

Scalars scalars_of(const uint64_t *words, uint64_t count) {
    Scalars scalars(count);
    std::memcpy(static_cast<void *>(scalars.data()), words, count * haca::SCALAR_BYTES);
    return scalars;
}

/// Natural to bit-reversed order, divided by the number of values.
void to_coefficients(Scalars &values, uint32_t log_size) {
    for (uint32_t level = log_size; level > 0; level--) {
        const uint32_t half = 1u << (level - 1);
        for (uint32_t block = 0; block < values.size(); block += 2 * half) {
            fr_t root = fr_t::one();
            for (uint32_t i = block; i < block + half; i++) {
                const fr_t sum = values[i] + values[i + half];
                fr_t difference = values[i];
                difference -= values[i + half];
                difference *= root;
                values[i] = sum;
                values[i + half] = difference;
                root *= inverse_roots_of_unity[level];
            }
        }
    }
    for (fr_t &value : values) value *= domain_size_inverse[log_size];
}

/// Bit-reversed to natural order.
void to_values(Scalars &values, uint32_t log_size) {
    for (uint32_t level = 1; level <= log_size; level++) {
        const uint32_t half = 1u << (level - 1);
        for (uint32_t block = 0; block < values.size(); block += 2 * half) {
            fr_t root = fr_t::one();
            for (uint32_t i = block; i < block + half; i++) {
                fr_t right = values[i + half];
                right *= root;
                const fr_t left = values[i];
                values[i] = left + right;
                values[i + half] = left - right;
                root *= forward_roots_of_unity[level];
            }
        }
    }
}

struct Matrix {
    haca::Segments segments;
    std::vector<haca::Entry> entries;

    Matrix(const haca_matrix &matrix, uint32_t rows) : segments(matrix, rows), entries(matrix.entry_count) {
        std::memcpy(entries.data(), matrix.entries, matrix.entry_count * sizeof(haca::Entry));
    }

    Scalars times(const Scalars &coefficients, const Scalars &witness) const {
        Scalars sums;
        for (uint32_t segment = 0; segment + 1 < segments.entry_starts.size(); segment++) {
            sums.push_back(haca::segment_times(segments.entry_starts.data(), entries.data(), coefficients.data(),
                                               witness.data(), segment));
        }
        Scalars result;
        for (uint32_t row = 0; row + 1 < segments.segment_starts.size(); row++) {
            result.push_back(haca::row_sum(segments.segment_starts.data(), sums.data(), row));
        }
        return result;
    }
};

template <class Coordinate> class Points {
public:
    explicit Points(const haca_points &points) : points_(points.count), indices_(points.indices, points.indices + points.count) {
        std::memcpy(static_cast<void *>(points_.data()), points.points, points.count * sizeof(Affine));
    }

    void sum(const Scalars &from, uint64_t *jacobian) const {
        jacobian_t<Coordinate> total;
        total.inf();
        for (size_t i = 0; i < points_.size(); i++) {
            uint64_t words[4];
            fr_t scalar = from[indices_[i]];
            scalar.from();
            std::memcpy(words, &scalar, sizeof(words));
            xyzz_t<Coordinate> product;
            product.inf();
            for (int bit = 255; bit >= 0; bit--) {
                product.add(xyzz_t<Coordinate>(product));
                if (words[bit / 64] >> bit % 64 & 1) product.add(points_[i]);
            }
            total.add(jacobian_t<Coordinate>(product));
        }
        std::memcpy(jacobian, &total, sizeof(total));
    }

private:
    using Affine = typename xyzz_t<Coordinate>::affine_t;
    std::vector<Affine> points_;
    std::vector<uint32_t> indices_;
};

class HostKey : public haca::Key {
public:
    explicit HostKey(const haca_key &key)
        : log_size_(key.log_domain), signal_count_(key.signal_count), tables_(key.log_domain, forward_roots_of_unity),
          coefficients_(scalars_of(key.coefficients, key.coefficient_count)), a_rows_(key.a_rows, 1u << key.log_domain),
          b_rows_(key.b_rows, 1u << key.log_domain), a_(key.a), b1_(key.b1), b2_(key.b2), c_(key.c), h_(key.h) {}

    uint32_t signal_count() const override { return signal_count_; }
    bool is_disposable() const override { return true; }

    void prove(const uint64_t *words, haca_sums &sums) override {
        const Scalars witness = scalars_of(words, signal_count_);
        a_.sum(witness, sums.a);
        b1_.sum(witness, sums.b1);
        b2_.sum(witness, sums.b2);
        c_.sum(witness, sums.c);
        h_.sum(quotient(witness), sums.h);
    }

private:
    Scalars quotient(const Scalars &witness) const {
        Scalars a = a_rows_.times(coefficients_, witness);
        Scalars b = b_rows_.times(coefficients_, witness);
        Scalars c;
        for (size_t i = 0; i < a.size(); i++) c.push_back(haca::multiplied(a[i], b[i]));
        for (Scalars *values : {&a, &b, &c}) to_coset(*values);
        for (size_t i = 0; i < a.size(); i++) a[i] = haca::joined(a[i], b[i], c[i]);
        return a;
    }

    void to_coset(Scalars &values) const {
        to_coefficients(values, log_size_);
        const haca::Powers<fr_t> powers{tables_.low.data(), tables_.high.data(), tables_.split};
        for (uint32_t i = 0; i < values.size(); i++) values[i] = haca::shifted(values[i], i, log_size_, powers);
        to_values(values, log_size_);
    }

    uint32_t log_size_;
    uint32_t signal_count_;
    haca::PowerTables<fr_t> tables_;
    Scalars coefficients_;
    Matrix a_rows_;
    Matrix b_rows_;
    Points<fp_t> a_;
    Points<fp_t> b1_;
    Points<fp2_t> b2_;
    Points<fp_t> c_;
    Points<fp_t> h_;
};

} // namespace

haca_device haca::describe_device() {
    haca_device device = {};
    std::strcpy(device.name, "host");
    device.memory_bytes = 1 << 30;
    return device;
}

uint64_t haca::key_bytes(const haca_key &key) {
    return (key.a.count + key.b1.count + 2 * key.b2.count + key.c.count + key.h.count) * 64;
}

std::unique_ptr<haca::Key> haca::load_key(const haca_key &key) { return std::make_unique<HostKey>(key); }
