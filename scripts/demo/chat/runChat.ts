import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { parseEther } from "ethers";
import type { ProcessGroup } from "../../lib/processGroup.ts";
import { Steps } from "../../lib/progress.ts";
import { folded, printable } from "../../lib/words.ts";
import { CHAIN_ID, startChain, withChain } from "../localChain.ts";
import { startBlobs } from "../startBlobs.ts";
import type { ChatAnswer } from "./payer.ts";

const TIMEOUT_MS = 120_000;
const STEPS = 8;
const PRICE = parseEther("0.5");
const REQUESTS = [
  { name: "chat 1", question: "What is the capital of France?", stream: false },
  { name: "chat 2, a stream", question: "Count from one to five.", stream: true },
  { name: "chat 3", question: "Name a colour.", stream: false },
];
const LOST = { name: "chat 4, node died", question: "Say hello.", stream: false };

/**
 * Chat on a chain of its own: three paid answers, of which one streams, settled in a page and captured, and one whose node dies,
 * which is refunded. Ends with the table of their clocks.
 */
export async function runChat(parameters: {
  group: ProcessGroup;
  /** empty folder for this run's databases, keys and logs */
  runFolder: string;
  /** the folder of the local model */
  modelFolder: string;
}): Promise<void> {
  const { group, modelFolder, runFolder } = parameters;
  const steps = new Steps({ total: STEPS });
  const started = Date.now();
  const run = (name: string, words: readonly string[], environment = {}) =>
    group.run({ name, command: process.execPath, arguments: words, environment });
  await steps.run("compile the contracts", () =>
    group.run({ name: "build", command: "npm", arguments: ["run", "--silent", "build"] }),
  );
  const rpcUrl = await steps.run("start a local chain with Permit2 and x402's proxy", async () => {
    const url = await startChain({ group, timeoutMs: TIMEOUT_MS });
    await run("x402", ["tools/x402/cli.ts", "--rpc-url", url]);
    return url;
  });
  // Imported here because they need the ABIs, which the first step generates.
  const { admitChatEnclave, startFacilitator, startMachine } = await import("./chatNode.ts");
  const { openPayer } = await import("./payer.ts");
  const { tellCaptured, tellRefunded } = await import("./outcomes.ts");
  const { clocksTable } = await import("./clocks.ts");

  const keyFile = await steps.run("deploy, and admit a simulated enclave", async (report) => {
    const words = ["scripts/deploy/cli.ts", "--network", "localhost"];
    report("deploying");
    await run("deploy", [...words, "--part", "tee"], { HACA_RPC_URL: rpcUrl });
    const file = await admitChatEnclave({ rpcUrl, runFolder });
    report("deploying token, pages and escrow");
    await run("deploy", words, { HACA_RPC_URL: rpcUrl });
    return file;
  });
  const processes = { group, runFolder, rpcUrl, timeoutMs: TIMEOUT_MS };
  const machineOf = await steps.run("start a blob store and a facilitator", async () => {
    const blobsUrl = await startBlobs(processes);
    const facilitatorUrl = await startFacilitator({ ...processes, blobsUrl });
    const shared = { ...processes, blobsUrl, facilitatorUrl, keyFile, modelFolder, price: PRICE };
    return (name: string) => startMachine({ ...shared, name });
  });
  await withChain(rpcUrl, async (provider) => {
    const escrow = readAddressBook(addressBookPath(CHAIN_ID)).contracts.InferenceEscrow?.address;
    if (escrow === undefined) throw new RangeError("the deployment made no escrow");
    const payer = await openPayer(provider, PRICE * BigInt(REQUESTS.length + 1));
    const ask = async (url: string, asked: { question: string; stream: boolean }) => {
      const answer = await payer.ask(url, asked.question, asked.stream);
      console.log(folded(printable(`${asked.question} ${JSON.stringify(answer.text)}`), "      "));
      return answer;
    };
    const lost = await steps.run("a node answers a request, and dies with its disks", async () => {
      const { names, url } = await machineOf("lost");
      const answer = await ask(url, LOST);
      for (const name of names) await group.kill(name);
      return answer;
    });
    const { answers, workerUrl } = await steps.run(
      "its operator's next machine answers three, one of them as a stream",
      async () => {
        const { url, workerUrl } = await machineOf("node");
        const answers: ChatAnswer[] = [];
        for (const asked of REQUESTS) answers.push(await ask(url, asked));
        return { answers, workerUrl };
      },
    );
    const captured = await steps.run(
      "they are settled as a page, which is final three days later, and captured",
      (report) =>
        tellCaptured({
          ...{ provider, group, escrow, answers, report, workerUrl },
          ...{ workerName: "node-worker", timeoutMs: TIMEOUT_MS },
        }),
    );
    const refunded = await steps.run("the deadline comes, and anybody refunds the lost one", () =>
      tellRefunded({ provider, escrow, answer: lost }),
    );
    const told = REQUESTS.map(({ name }, index) => ({ name, clocks: captured[index] ?? [] }));
    console.log(`\n${clocksTable([...told, { name: LOST.name, clocks: refunded }])}\n`);
  });
  console.log(
    "Times of blocks are the chain's, which takes a second a block at least and so runs ahead.",
  );
  console.log(
    `${REQUESTS.length} of ${REQUESTS.length} captured, 1 of 1 refunded; ` +
      `whole run ${((Date.now() - started) / 1000).toFixed(0)} s.`,
  );
}
