pragma circom 2.2.0;

include "bits.circom";

// out = max(0, floor((in + half) / 2^shift)), where half = 2^(shift - 1), or 0 for shift = 0: ReLU and a
// division by 2^shift rounded to the nearest integer, halves up.
//
// Needs in + half in [-2^(width - 1), 2^(width - 1)). The compiler proves that by interval arithmetic over the
// layers before; for a number outside there is no witness.
//
// One decomposition of in + half + 2^(width - 1) gives everything: its top digit says that in + half is not
// negative, the digits from `shift` up are the quotient, the digits below are the remainder.
//
// Cost: width + 2 constraints, of which --O2 folds the linear one into its readers.
template ReluRescale(width, shift) {
    assert(width >= 2 && width <= 253);
    assert(shift >= 0 && shift < width - 1);

    signal input in;
    signal output out;

    var half = shift == 0 ? 0 : 1 << (shift - 1);
    signal bits[width] <== Bits(width)(in + half + (1 << (width - 1)));

    var quotient = 0;
    for (var i = shift; i < width - 1; i++) {
        quotient += bits[i] * (1 << (i - shift));
    }
    out <== bits[width - 1] * quotient;
}
