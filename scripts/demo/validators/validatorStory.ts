import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import type { ProcessGroup } from "../../lib/processGroup.ts";
import type { Steps } from "../../lib/progress.ts";
import { withChain } from "../localChain.ts";
import { seatValidators } from "./seatValidators.ts";
import { startWatchers, type Wait } from "./startWatchers.ts";
import { startClaims, tellAnsweredDemand, tellUnansweredDemand } from "./tellOptimisticPages.ts";
import { tellForgedPage, tellGoodPage } from "./tellTeePages.ts";

/** How long a validator, a watcher or a proposer may take for what they do by themselves. */
const TIMEOUT_MS = 120_000;

/** Four validators and a watcher over pages that are right and wrong, with who is paid and who pays, on a clock that is moved on. */
export async function tellOfValidators(parameters: {
  steps: Steps;
  group: ProcessGroup;
  runFolder: string;
  rpcUrl: string;
  blobsUrl: string;
  enclave: SimulatedEnclave;
  /** a model's name, and the folder where it is compiled */
  model: string;
  folder: string;
}): Promise<void> {
  const { steps, group, runFolder, rpcUrl, blobsUrl, enclave, model, folder } = parameters;
  await withChain(rpcUrl, async (provider) => {
    const seats = await steps.run("seat four validators, whom governance names", (report) =>
      seatValidators({ provider, report }),
    );
    const watcher = await steps.run("start them, and a watcher who has no stake", (report) =>
      startWatchers({
        ...{ provider, group, runFolder, rpcUrl, blobsUrl, seats, report },
        models: folder,
      }),
    );
    const story = (report: (detail: string) => void) => {
      const wait: Wait = (what, probe) => {
        report(`waiting for ${what}`);
        return group.waitFor({
          ...{ name: "watcher", timeoutMs: TIMEOUT_MS },
          // A challenge follows its commitment in a later block, and this chain has blocks only where somebody sends something.
          probe: async () => {
            await provider.send("evm_mine", []);
            return await probe();
          },
        });
      };
      return { provider, blobsUrl, enclave, seats, watcher, wait };
    };
    await steps.run("a page of the enclave's answers", (report) => tellGoodPage(story(report)));
    await steps.run("a page with a forged answer", (report) => tellForgedPage(story(report)));
    await steps.run("claims of a node without an enclave, on demand", async (report) => {
      const told = story(report);
      const claims = await startClaims({ group, runFolder, rpcUrl, model, folder, story: told });
      const [right, wrong] = claims;
      if (right === undefined || wrong === undefined) throw new RangeError("two claims are needed");
      await tellAnsweredDemand(told, right);
      await tellUnansweredDemand(told, wrong);
    });
  });
}
