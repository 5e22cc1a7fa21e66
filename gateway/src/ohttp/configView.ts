import { getBytes } from "ethers";
import type { ResultSigner } from "../profile/resultSigner.ts";
import { configHash } from "./keyRecord.ts";
import type { OhttpKeys } from "./ohttpKeys.ts";

/**
 * The current key as clients of the public network ask for it, signed by the enclave. That signature names neither chain nor
 * registry and never ends: the registry takes another (`POST /enclave/ohttp-key`).
 */
export function configView({ current }: OhttpKeys, { sign, teeId }: ResultSigner) {
  const { aeadId, kdfId, keyConfig, keyId, kemId, publicKey } = current;
  const hash = configHash(teeId, current);
  return {
    ...{ key_id: keyId, kem_id: kemId, kdf_id: kdfId, aead_id: aeadId },
    public_key: publicKey.slice(2),
    key_config: Buffer.from(getBytes(keyConfig)).toString("base64"),
    tee_id: teeId,
    signature: Buffer.from(getBytes(sign(hash))).toString("base64"),
    signature_hash: hash,
  };
}
