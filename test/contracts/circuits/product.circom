pragma circom 2.2.0;

// The smallest circuit with the public signals of a model: two input words, one output word, the context.
// "The model" multiplies its two inputs.
template Product() {
    signal input inputWords[2];
    signal input outputWords[1];
    signal input context;
    signal input elements[2];

    elements[0] === inputWords[0];
    elements[1] === inputWords[1];
    outputWords[0] === elements[0] * elements[1];
    signal contextSquare <== context * context;
}

component main {public [inputWords, outputWords, context]} = Product();
