pragma circom 2.2.0;

// Binary digits of a number: in = sum of bits[i] * 2^i, least significant first.
//
// Constrains in to [0, 2^width). The digits are the only solution: width is at most 253, so two different
// sets of digits differ by less than the field's order (2^253 < r < 2^254) and cannot stand for one element.
//
// Cost: width + 1 constraints (one per digit, one for the sum).
template Bits(width) {
    assert(width >= 1 && width <= 253);

    signal input in;
    signal output bits[width];

    var sum = 0;
    for (var i = 0; i < width; i++) {
        bits[i] <-- (in >> i) & 1;
        bits[i] * (bits[i] - 1) === 0;
        sum += bits[i] * (1 << i);
    }
    sum === in;
}
