import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { hexlify, id, ZeroHash } from "ethers";
import { now } from "../utils/attestationFixture.ts";
import { certifySession, deployEnclaveResults } from "../utils/enclaveResults.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 4;

/** Results of an enclave, by its RSA key and by a session key, and Vanilla ones; sent by anybody. */
export const measureSigned: Measure = async (connection) => {
  const deployed = await deployEnclaveResults(connection);
  const { fixture: f, enclave, versionId: modelVersion, domain } = deployed;
  const { teeId } = enclave;
  const session = await certifySession({ fixture: f, enclave });

  const makeResult = async (node: string, nonce: bigint): Promise<InferenceResult> => ({
    ...{ modelVersion, inputHash: id(`in ${nonce}`), outputHash: id(`out ${nonce}`) },
    ...{ requester: f.payee.address, price: 0n, timestamp: await now(f) },
    ...{ requestId: encodeRequestId({ node, nonce }), teeId },
  });
  const settle = async (nonce: bigint, sign: (digest: string) => string | Uint8Array) => {
    const result = await makeResult(nodeOfEnclave(teeId), nonce);
    const signature = hexlify(sign(hashResult({ domain, result })));
    return gasOf(f.settlement.connect(f.attacker).settleTee(result, signature));
  };
  const bySession = (digest: string) => session.signingKey.sign(digest).serialized;
  const byKey = (digest: string) => enclave.sign(digest);
  const record = async (nonce: bigint) => {
    const result = { ...(await makeResult(f.operator.address, nonce)), teeId: ZeroHash };
    return gasOf(f.settlement.connect(f.operator).settleVanilla(result, 0, "0x"));
  };
  const samples: Record<string, bigint[]> = {};
  const take = (name: string, gas: bigint) => {
    const taken = samples[name] ?? [];
    samples[name] = [...taken, gas];
  };
  for (let page = 0n; page < BigInt(SAMPLES); page++) {
    take("settle.tee.rsa.first", await settle(1_024n * page, byKey));
    take("settle.tee.rsa", await settle(1_024n * page + 1n, byKey));
    take("settle.tee.session.first", await settle(1_024n * page + 512n, bySession));
    take("settle.tee.session", await settle(1_024n * page + 513n, bySession));
    take("settle.vanilla.first", await record(256n * page));
    take("settle.vanilla", await record(256n * page + 1n));
  }
  return {
    samples,
    notes: {
      "settle.tee.rsa": "a result signed with an enclave's RSA key of 2048 bits",
      "settle.tee.rsa.first": "the same for the first of 256 nonces",
      "settle.tee.session": "a result signed with a session key of the enclave",
      "settle.tee.session.first": "the same for the first of 256 nonces",
      "settle.vanilla": "a Vanilla result, recorded by its node",
      "settle.vanilla.first": "the same for the first of 256 nonces",
    },
  };
};
