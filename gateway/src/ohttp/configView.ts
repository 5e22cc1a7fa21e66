import type { OhttpRecord } from "@haca/protocol/teeMessages";
import { getBytes } from "ethers";
import type { ResultSigner } from "../profile/resultSigner.ts";
import { configHash } from "./keyRecord.ts";
import type { OhttpKeys } from "./ohttpKeys.ts";

type ConfigView = ReturnType<typeof makeView>;

/** Signed once: whoever asks costs no signature. */
const views = new WeakMap<OhttpRecord, ConfigView>();

/**
 * The current key as clients of the public network ask for it, signed by the enclave. That signature names neither chain nor
 * registry and never ends: the registry takes another (`POST /enclave/ohttp-key`).
 */
export function configView({ current }: OhttpKeys, signer: ResultSigner): ConfigView {
  const view = views.get(current) ?? makeView(current, signer);
  views.set(current, view);
  return view;
}

function makeView(current: OhttpRecord, { sign, teeId }: ResultSigner) {
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
