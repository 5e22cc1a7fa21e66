import { NODE_STATUSES } from "@haca/protocol/attestationParameters";
import { BaseError } from "@haca/protocol/baseError";
import { fetchHeartbeat } from "@haca/worker/roles/heartbeat/enclaveClient";
import { sendCall } from "../lib/sendCall.ts";
import { isoTime } from "../lib/words.ts";
import { asked, type SendOptions, teeIdArgument, urlOption } from "./options.ts";
import { withNetwork } from "./withNetwork.ts";

const DONE = {
  disableTEE: "disabled",
  enableTEE: "enabled",
  retireTEE: "retired for good",
} as const;

/** One heartbeat, signed by the enclave now. Whoever sends it pays; it need not be the operator. */
export async function heartbeat(options: SendOptions & { enclave: string }): Promise<void> {
  const url = urlOption("enclave", options.enclave);
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const { teeId, timestamp, signature } = await fetchHeartbeat({ url });
    const { lastHeartbeatAt } = await contracts.registry.nodeOf(teeId);
    if (timestamp <= lastHeartbeatAt) {
      throw new BaseError({
        code: "tee.refused",
        message: `the registry has a heartbeat of ${isoTime(lastHeartbeatAt)}, and this one is of ${isoTime(timestamp)}: it would change nothing`,
      });
    }
    const receipt = await sendCall({
      ...{ contract: contracts.registry, signer, name: "heartbeat" },
      values: [teeId, timestamp, signature],
      question: asked(options, `Send heartbeat to ${network}?`),
    });
    if (receipt !== undefined) console.log(`alive        ${teeId} at ${isoTime(timestamp)}`);
  });
}

/** Changes a node's state, as its operator. */
export async function change(
  name: keyof typeof DONE,
  argument: string,
  options: SendOptions,
): Promise<void> {
  const teeId = teeIdArgument(argument);
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const { status } = await contracts.registry.nodeOf(teeId);
    console.log(`node         ${NODE_STATUSES[Number(status)]} -> ${DONE[name]}`);
    const receipt = await sendCall({
      ...{ contract: contracts.registry, signer, name, values: [teeId] },
      question: asked(options, `Send ${name} for ${teeId} to ${network}?`),
    });
    if (receipt !== undefined) console.log(`${DONE[name]}: ${teeId}`);
  });
}
