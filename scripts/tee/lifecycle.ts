import { fetchHeartbeat } from "@haca/worker/enclave/enclaveClient";
import { type TeeOptions, teeIdArgument, urlOption } from "./options.ts";
import { sendCall } from "./sendCall.ts";
import { withNetwork } from "./withNetwork.ts";

const DONE = {
  disableTEE: "disabled",
  enableTEE: "enabled",
  retireTEE: "retired for good",
} as const;

/** One sign of life, signed by the enclave now. Whoever sends it pays; it need not be the operator. */
export async function heartbeat(options: TeeOptions): Promise<void> {
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
  options: TeeOptions,
  argument: string | undefined,
): Promise<void> {
  const teeId = teeIdArgument(argument);
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const receipt = await sendCall({
      ...{ contract: contracts.registry, signer, name, values: [teeId], report: console.log },
      ...(options.yes ? {} : { question: `Send ${name} for ${teeId} to ${network}?` }),
    });
    if (receipt === undefined) return;
    console.log(`${DONE[name]}: ${teeId}\ntransaction  ${receipt.hash}`);
  });
}
