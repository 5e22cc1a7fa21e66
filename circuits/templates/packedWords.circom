pragma circom 2.2.0;

// Words that carry a sequence of elements, element i in widths[i] bits: from the least significant bit of the
// first word; an element that would cross bit 248 starts the next word. The same layout as packWords in
// protocol/src/tensorLayout.ts and the layout rule in IModelRegistry.
//
// Needs in[i] in [0, 2^widths[i]), which the caller constrains. A word is then below 2^248, less than the
// field's order: it has exactly one reading, and bits that belong to no element are 0.
//
// Cost: linear constraints only, one per word, folded by --O2.
template PackedWords(words, count, widths) {
    signal input in[count];
    signal output out[words];

    var sums[words];
    var word = 0;
    var position = 0;
    for (var i = 0; i < count; i++) {
        assert(widths[i] >= 1 && widths[i] <= 248);
        if (position + widths[i] > 248) {
            word++;
            position = 0;
        }
        sums[word] += in[i] * (1 << position);
        position += widths[i];
    }
    assert(words == word + 1);

    for (var i = 0; i < words; i++) {
        out[i] <== sums[i];
    }
}
