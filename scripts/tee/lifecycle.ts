import { fetchHeartbeat } from "@haca/worker/enclave/enclaveClient";
import { isoTime } from "./isoTime.ts";
import { NODE_STATUSES } from "./nodeConditions.ts";
import { addressArgument, type SendOptions, teeIdArgument, urlOption } from "./options.ts";
import { sendCall } from "./sendCall.ts";
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
    const receipt = await sendCall({
      ...{ contract: contracts.registry, signer, name: "heartbeat", report: console.log },
      values: [teeId, timestamp, signature],
      ...(options.yes ? {} : { question: `Send heartbeat to ${network}?` }),
    });
    if (receipt === undefined) return;
    console.log(
      `alive        ${teeId} at ${new Date(Number(timestamp) * 1000).toISOString()}\n` +
        `transaction  ${receipt.hash}, gas ${receipt.gasUsed.toLocaleString("en")}`,
    );
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
    const { status } = await contracts.registry.getFunction("nodeOf")(teeId);
    console.log(`node         ${NODE_STATUSES[Number(status)]} -> ${DONE[name]}`);
    const receipt = await sendCall({
      ...{ contract: contracts.registry, signer, name, values: [teeId], report: console.log },
      ...(options.yes ? {} : { question: `Send ${name} for ${teeId} to ${network}?` }),
    });
    if (receipt === undefined) return;
    console.log(`${DONE[name]}: ${teeId}\ntransaction  ${receipt.hash}`);
  });
}

/** Ends a session key's validity now, as the node's operator; what it signed before stays valid. */
export async function endSession(
  argument: string,
  key: string,
  options: SendOptions,
): Promise<void> {
  const values = [teeIdArgument(argument), addressArgument("key", key)];
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const { until } = await contracts.registry.getFunction("sessionKey")(...values);
    console.log(`session key  ${values[1]} valid until ${isoTime(until)} -> until now`);
    const receipt = await sendCall({
      ...{ contract: contracts.registry, signer, name: "endSessionKey", values },
      report: console.log,
      ...(options.yes ? {} : { question: `Send endSessionKey to ${network}?` }),
    });
    if (receipt === undefined) return;
    console.log(`ended        ${values[1]}\ntransaction  ${receipt.hash}`);
  });
}
