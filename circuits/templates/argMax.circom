pragma circom 2.2.0;

include "bits.circom";

// index = position of the greatest of n numbers; of the first of them where several are equal.
//
// Needs every difference in[i] - in[j] in (-2^width, 2^width), with width well below the field's size. The
// compiler proves that by interval arithmetic over the layers before.
//
// isWinner is one-hot, so that `greatest` is one of the inputs. For every j, greatest - in[j] is shown to be at
// least 0, or at least 1 where j comes before the winner: that makes it the maximum, and the first of its value.
// A negative difference is close to the field's order and has no decomposition into `width` digits.
//
// Cost: n * (width + 3) + 2 constraints, of which --O2 folds the n + 2 linear ones into their readers.
template ArgMax(n, width) {
    assert(n >= 1);
    assert(width >= 1 && width <= 252);

    signal input in[n];
    signal output index;

    // a hint: the constraints below admit no other choice
    var winner = 0;
    for (var i = 1; i < n; i++) {
        // true for greater: relational operators read field elements above half the order as negative
        if (in[i] > in[winner]) {
            winner = i;
        }
    }

    signal isWinner[n];
    signal picked[n];
    var winners = 0;
    var position = 0;
    var greatest = 0;
    for (var i = 0; i < n; i++) {
        isWinner[i] <-- winner == i ? 1 : 0;
        isWinner[i] * (isWinner[i] - 1) === 0;
        picked[i] <== isWinner[i] * in[i];
        winners += isWinner[i];
        position += i * isWinner[i];
        greatest += picked[i];
    }
    winners === 1;
    index <== position;

    var winnerIsLater = 1;
    for (var j = 0; j < n; j++) {
        winnerIsLater -= isWinner[j];
        // 1 for j before the winner, else 0
        _ <== Bits(width)(greatest - in[j] - winnerIsLater);
    }
}
