import type { NetworkConnection } from "hardhat/types/network";
import { measureAttestation } from "./measureAttestation.ts";
import { measureChannels } from "./measureChannels.ts";
import { measureCommerce } from "./measureCommerce.ts";
import { measureEscrow } from "./measureEscrow.ts";
import { measureFeeds } from "./measureFeeds.ts";
import { measureGovernance } from "./measureGovernance.ts";
import { measureGroth16 } from "./measureGroth16.ts";
import { measureHiddenInput } from "./measureHiddenInput.ts";
import { measureLegacySettlement } from "./measureLegacySettlement.ts";
import { type Measure, type Measurement, median } from "./measurement.ts";
import { measurePages } from "./measurePages.ts";
import { measureRegistry } from "./measureRegistry.ts";
import { measureSettlement } from "./measureSettlement.ts";
import { measureSigned } from "./measureSigned.ts";
import { measureStaking } from "./measureStaking.ts";
import { measureTeeRegistry } from "./measureTeeRegistry.ts";
import { measureToken } from "./measureToken.ts";
import { measureZkmlBatch } from "./measureZkmlBatch.ts";

/** One file per subject; a new subject adds its function here. */
const MEASURES: readonly Measure[] = [
  measureSettlement,
  measureHiddenInput,
  measureZkmlBatch,
  measureSigned,
  measurePages,
  measureStaking,
  measureFeeds,
  measureEscrow,
  measureChannels,
  measureCommerce,
  measureRegistry,
  measureGroth16,
  measureToken,
  measureGovernance,
  measureAttestation,
  measureTeeRegistry,
  measureLegacySettlement,
];

/** Measures every subject, each on a fresh chain. Figures are medians. */
export async function measureAll(parameters: {
  connect: () => Promise<NetworkConnection>;
}): Promise<Measurement & { figures: Record<string, number> }> {
  const all: Measurement = { samples: {}, notes: {} };
  for (const measure of MEASURES) {
    const connection = await parameters.connect();
    try {
      const { samples, notes } = await measure(connection);
      Object.assign(all.samples, samples);
      Object.assign(all.notes, notes);
    } finally {
      await connection.close();
    }
  }
  const figures = Object.fromEntries(
    Object.entries(all.samples).map(([key, samples]) => [key, Number(median(samples))]),
  );
  // Over three subjects' figures: what a result in a page costs that a quorum has vouched for.
  const page = ["page.propose256", "page.attest7", "page.release"].map((key) => figures[key] ?? 0);
  figures["page.perResult256.attested"] = Math.round(page.reduce((a, b) => a + b) / 256);
  return { ...all, figures };
}
