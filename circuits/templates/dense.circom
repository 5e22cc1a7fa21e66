pragma circom 2.2.0;

// out[o] = bias[o] + sum of weights[o][i] * in[i]: a fully connected layer. Weights and bias are constants, so
// that the layer is linear: it adds no multiplication constraint, and --O2 folds it into what reads it.
//
// The sums cannot wrap the field: the compiler proves by interval arithmetic how wide they get.
//
// The sum is built in blocks because circom copies a linear expression at every addition: without blocks the
// compile time grows with the square of the number of inputs.
template Dense(inputs, outputs, weights, bias) {
    signal input in[inputs];
    signal output out[outputs];

    var block = 32;
    for (var o = 0; o < outputs; o++) {
        var sum = bias[o];
        for (var start = 0; start < inputs; start += block) {
            var part = 0;
            for (var i = start; i < start + block && i < inputs; i++) {
                part += weights[o][i] * in[i];
            }
            sum += part;
        }
        out[o] <== sum;
    }
}
