pragma circom 2.2.0;

include "bits.circom";

// out = floor((in + half) / 2^shift), where half = 2^(shift - 1): a signed division by 2^shift, rounded to the
// nearest integer, halves up.
//
// Needs in + half in [-2^(width - 1), 2^(width - 1)). The compiler proves that by interval arithmetic over the
// layers before; for a number outside there is no witness.
//
// The number is made positive by 2^(width - 1), a multiple of 2^shift, decomposed, and cut at digit `shift`:
// the digits below are the remainder, in [0, 2^shift) because they are digits.
//
// Cost: width + 2 constraints, of which --O2 folds the linear ones into their readers.
template Rescale(width, shift) {
    assert(width >= 2 && width <= 253);
    assert(shift >= 1 && shift < width);

    signal input in;
    signal output out;

    signal bits[width] <== Bits(width)(in + (1 << (shift - 1)) + (1 << (width - 1)));

    var quotient = -(1 << (width - 1 - shift));
    for (var i = shift; i < width; i++) {
        quotient += bits[i] * (1 << (i - shift));
    }
    out <== quotient;
}
