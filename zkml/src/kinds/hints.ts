/** What would help against an operator that is not supported. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["LSTM", "a recurrent network is not unrolled; use a network without recurrence"],
  ["GRU", "a recurrent network is not unrolled; use a network without recurrence"],
  ["RNN", "a recurrent network is not unrolled; use a network without recurrence"],
  ["Scan", "loops are not unrolled; export the model without control flow"],
  ["Loop", "loops are not unrolled; export the model without control flow"],
  ["If", "branches are not followed; export the model for one fixed input shape"],
  ["LayerNormalization", "it divides by a computed value; BatchNormalization is supported"],
  ["Pow", "products of computed values are not supported; Relu is"],
  ["Gelu", "Relu, LeakyRelu and Clip are supported"],
  ["Erf", "Relu, LeakyRelu and Clip are supported"],
  ["Tanh", "Relu, LeakyRelu and Clip are supported; Clip from -1 to 1 is near it"],
  ["Exp", "exponentials are not supported"],
  ["ai.onnx.ml.SVMClassifier", "a linear classifier or a network is supported"],
  ["ai.onnx.ml.SVMRegressor", "a linear regressor or a network is supported"],
  ["TopK", "the greatest alone is supported: ArgMax"],
  [
    "DynamicQuantizeLinear",
    "scales that depend on the input are not supported; export the float model",
  ],
  ["ConvTranspose", "an upsampling by a constant is supported as MatMul"],
]);

export function hintFor(operator: string): string {
  const hint = HINTS.get(operator);
  return hint === undefined ? "" : `: ${hint}`;
}
