import type { Manifest } from "@haca/protocol/manifest";

/** What a compiled model is, in a few lines for a person. */
export function formatManifest(manifest: Manifest): string {
  const { name, input, outputs, statistics, setup, hashes } = manifest;
  const { floatAccuracy, quantisedAccuracy } = statistics;
  const percent = (share: number | undefined) =>
    share === undefined ? "not measured" : `${(100 * share).toFixed(2)} %`;
  return [
    `model            ${name}`,
    ...[input, ...outputs].map(
      ({ name: tensor, shape, layout, minimum, maximum }, index) =>
        `${(index === 0 ? "input" : "output").padEnd(16)} ${tensor} [${shape}]: ${layout.bits} bits, ${minimum} to ${maximum}, scale 2^${layout.scaleExponent}`,
    ),
    `parameters       ${statistics.parameters}`,
    `activations      ${statistics.activations}`,
    `constraints      ${statistics.constraints}`,
    `non-zeros        ${statistics.nonZeros}`,
    `public signals   ${statistics.publicSignals}`,
    `accuracy         float ${percent(floatAccuracy)}, quantised ${percent(quantisedAccuracy)}`,
    `powers of tau    ${setup.ptau === "ceremony" ? "public ceremony" : "development: proofs can be forged by whoever made them"}`,
    `model hash       ${hashes.model}`,
    `circuit hash     ${hashes.r1cs}`,
  ].join("\n");
}
