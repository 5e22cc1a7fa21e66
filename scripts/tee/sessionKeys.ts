import { BaseError } from "@haca/protocol/baseError";
import { fetchCertification } from "@haca/worker/roles/heartbeat/enclaveClient";
import { nextBlockTime } from "../lib/chainSession.ts";
import { sendCall } from "../lib/sendCall.ts";
import { isoTime } from "../lib/words.ts";
import {
  addressArgument,
  asked,
  integerOption,
  type SendOptions,
  teeIdArgument,
  urlOption,
} from "./options.ts";
import { withNetwork } from "./withNetwork.ts";

const DAY = 86_400n;
/** A day less than the registry's limit, so that no clock can be too far ahead. */
const MAXIMUM_DAYS = 29;

const purposeOf = (signsResults: boolean): string =>
  signsResults ? "heartbeats and results" : "heartbeats alone";

/** Has a node's enclave certify a session key, and puts that into the registry. Anyone may send it. */
export async function certifySession(
  argument: string,
  keyArgument: string,
  options: SendOptions & { enclave: string; days: string; signsResults: boolean },
): Promise<void> {
  const teeId = teeIdArgument(argument);
  const key = addressArgument("key", keyArgument);
  const url = urlOption("enclave", options.enclave);
  const { signsResults } = options;
  const days = integerOption({
    ...{ name: "days", text: options.days, minimum: 1, maximum: MAXIMUM_DAYS },
  });
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const { registry, chainId } = contracts;
    const present = await registry.sessionKey(teeId, key);
    if (present.from !== 0n) {
      const purpose = purposeOf(present.signsResults);
      throw new BaseError({
        code: "tee.refused",
        message: `${key} was certified once, for ${purpose}, until ${isoTime(present.until)}: a key is never certified again, take another`,
      });
    }
    const until = (await nextBlockTime(signer.provider)) + BigInt(days) * DAY;
    const counter = (await registry.sessionCounter(teeId)) + 1n;
    const target = String(registry.target);
    const session = { chainId, registry: target, key, signsResults, until, counter };
    const signature = await fetchCertification({ url, session });
    console.log(`session key  ${key} for ${purposeOf(signsResults)} until ${isoTime(until)}`);
    if (signsResults)
      console.log("             whoever holds it speaks for the enclave until then");
    const receipt = await sendCall({
      ...{ contract: registry, signer, name: "certifySessionKey" },
      values: [teeId, key, signsResults, until, counter, signature],
      question: asked(options, `Send certifySessionKey to ${network}?`),
    });
    if (receipt !== undefined) console.log(`certified    ${key}`);
  });
}

/** Ends a session key's validity now, as the node's operator; what it signed before stays valid. */
export async function endSession(
  argument: string,
  key: string,
  options: SendOptions,
): Promise<void> {
  const values = [teeIdArgument(argument), addressArgument("key", key)] as const;
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const { until, signsResults } = await contracts.registry.sessionKey(...values);
    const purpose = purposeOf(signsResults);
    console.log(`session key  ${values[1]} for ${purpose} until ${isoTime(until)} -> until now`);
    const receipt = await sendCall({
      ...{ contract: contracts.registry, signer, name: "endSessionKey", values },
      question: asked(options, `Send endSessionKey to ${network}?`),
    });
    if (receipt !== undefined) console.log(`ended        ${values[1]}`);
  });
}
