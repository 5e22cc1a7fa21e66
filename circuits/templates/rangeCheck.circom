pragma circom 2.2.0;

// Number of binary digits of a positive number.
function bitLength(number) {
    var length = 0;
    while (number > 0) {
        number = number >> 1;
        length++;
    }
    return length;
}

// Constrains in to [0, maximum], both ends included, for a constant maximum of 1 or more.
//
// Number of constraints: one per digit, one for the sum, and one for every 1 after the first in the maximum's
// digits that still has a 0 below it. 2^n - 1 and 2^n both need no extra constraint.
//
// The digits of `in` are read from the top. `tight` is 1 while every digit so far that is 1 in the maximum is
// 1 in the number as well: the number is then at its limit, and a digit that is 0 in the maximum must be 0.
// (1 - tight - bit) * bit = 0 says both things at once: with tight = 0 the digit is 0 or 1, with tight = 1 it is 0.
template RangeCheck(maximum) {
    assert(maximum >= 1);
    var width = bitLength(maximum);
    assert(width <= 253);

    signal input in;

    signal bits[width];
    // tight[i]: all digits at or above i that are 1 in the maximum are 1
    signal tight[width];

    var trailingOnes = 0;
    while ((maximum >> trailingOnes) & 1 == 1) {
        trailingOnes++;
    }

    var sum = 0;
    for (var i = width - 1; i >= 0; i--) {
        bits[i] <-- (in >> i) & 1;
        sum += bits[i] * (1 << i);

        if ((maximum >> i) & 1 == 1) {
            bits[i] * (bits[i] - 1) === 0;
            if (i == width - 1) {
                tight[i] <== bits[i];
            } else if (i >= trailingOnes) {
                tight[i] <== tight[i + 1] * bits[i];
            } else {
                // no 0 below: nothing reads it
                tight[i] <== 0;
            }
        } else {
            (1 - tight[i + 1] - bits[i]) * bits[i] === 0;
            tight[i] <== tight[i + 1];
        }
    }
    sum === in;
}
