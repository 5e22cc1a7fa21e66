import { admit, deployRegistry, now } from "../utils/attestationFixture.ts";
import { BLOB_ID, makeBatch, signLeaf } from "../utils/legacyFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 3;
const BATCH = 20;

/** What the public network's tools send: a batch's root, and one answer. */
export const measureLegacySettlement: Measure = async (connection) => {
  const fixture = await deployRegistry(connection);
  const { legacySettlement: legacy, operator } = fixture;
  const { enclave } = await admit(fixture, { kind: "rsa" });
  const since = await now(fixture);
  const samples: { "legacy.anchor": bigint[]; "legacy.settleIndividual": bigint[] } = {
    "legacy.anchor": [],
    "legacy.settleIndividual": [],
  };
  for (let i = 0; i < SAMPLES; i++) {
    const leaves = Array.from({ length: BATCH }, (_, j) => signLeaf(enclave, `${i} ${j}`, since));
    const { root, size } = makeBatch(leaves);
    samples["legacy.anchor"].push(await gasOf(legacy.batchSettle(root, size, BLOB_ID)));
    const { teeId, inputHash, outputHash, timestamp, teeSignature } = signLeaf(
      ...([enclave, `${i}`, since] as const),
    );
    samples["legacy.settleIndividual"].push(
      await gasOf(
        legacy.settleIndividual(
          ...([teeId, inputHash, outputHash, timestamp, operator.address, BLOB_ID] as const),
          teeSignature,
        ),
      ),
    );
  }
  return {
    samples,
    notes: {
      "legacy.anchor": "a batch's root, with a blob id of 43 bytes",
      "legacy.settleIndividual": "one answer, RSA-2048 key, with a blob id of 43 bytes",
    },
  };
};
