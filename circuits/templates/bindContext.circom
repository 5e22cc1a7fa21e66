pragma circom 2.2.0;

// Gives the context a place in the constraints. The context is a public signal that no computation reads (the
// settlement message's digest): a square makes a proof depend on it by the circuit itself, not only by the
// rows that a particular setup program adds for public signals.
//
// Cost: 1 constraint.
template BindContext() {
    signal input context;

    signal square <== context * context;
}
