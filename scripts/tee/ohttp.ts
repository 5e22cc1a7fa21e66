import { BaseError } from "@haca/protocol/baseError";
import { fetchOhttpKey, makeNextOhttpKey } from "@haca/worker/roles/heartbeat/enclaveClient";
import { nextBlockTime } from "../lib/chainSession.ts";
import { sendCall } from "../lib/sendCall.ts";
import { asked, type SendOptions, teeIdArgument, urlOption } from "./options.ts";
import { withNetwork } from "./withNetwork.ts";

/** For how long the enclave's statement holds, in seconds. */
const VALIDITY = 3600n;

/**
 * Sets a node's OHTTP key to the one that its gateway, in the enclave, has and signs for. Anyone may send it. With `next` the
 * gateway makes the key after the registry's first, and opens with both for a while.
 */
export async function setOhttp(
  argument: string,
  options: SendOptions & { enclave: string; next: boolean },
): Promise<void> {
  const teeId = teeIdArgument(argument);
  const url = urlOption("enclave", options.enclave);
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const { registry, chainId } = contracts;
    const last = await registry.ohttpCounter(teeId);
    const { ohttpConfig: present } = await registry.getTEE(teeId);
    if (options.next) {
      if (present.publicKey === "0x")
        throw refused("the registry has no OHTTP key that a next one could follow");
      await makeNextOhttpKey({ url, keyId: Number(present.keyId) });
    }
    const deadline = (await nextBlockTime(signer.provider)) + VALIDITY;
    const counter = last + 1n;
    const statement = { chainId, registry: registry.target, deadline, counter };
    const { teeId: actual, signature, ...record } = await fetchOhttpKey({ url, statement });
    if (actual !== teeId) throw refused(`the enclave's key is node ${actual}, not ${teeId}`);
    if (present.publicKey === record.publicKey && present.keyConfig === record.keyConfig) {
      throw refused("the registry has this OHTTP key already");
    }
    const before = present.publicKey === "0x" ? "none" : present.publicKey;
    console.log(`OHTTP key    ${before} -> ${record.publicKey} (id ${record.keyId})`);
    const key = { ...record, registeredAt: 0n };
    const receipt = await sendCall({
      ...{ contract: registry, signer, name: "setOhttpConfig" },
      values: [teeId, key, deadline, counter, signature],
      question: asked(options, `Send setOhttpConfig to ${network}?`),
    });
    if (receipt !== undefined) console.log(`set          ${record.publicKey}`);
  });
}

const refused = (message: string): BaseError => new BaseError({ code: "tee.refused", message });
