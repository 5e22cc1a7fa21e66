import { join } from "node:path";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readJob } from "./support/client.ts";
import { GatewayProcess } from "./support/gatewayProcess.ts";
import { developmentKey } from "./support/localChain.ts";
import { type Entry, postResults, ResultMaker } from "./support/signedResults.ts";
import { startWorker } from "./support/startWorker.ts";
import { TeeChain } from "./support/teeChain.ts";
import { sharedFolder, sharedQueue } from "./support/temporaryFolder.ts";
import type { Settings, TestWorker } from "./support/worker.ts";

const SECRET = "collect-secret-4711-4711-4711-4711";
const OTHER = "another-secret-4711-4711-4711-4711";
const QUESTION = { model: "chat", messages: [] };

let tee: TeeChain;
let enclave: SimulatedEnclave;
let session: { privateKey: string };
let results: ResultMaker;
let versionId: string;
let settings: Settings;
let worker: TestWorker;
let url: string;
const folder = sharedFolder();
const queue = sharedQueue();

beforeAll(async () => {
  tee = await TeeChain.start();
  enclave = tee.enclave("rsa");
  await tee.admit(enclave);
  session = await tee.certifySession(enclave, true);
  versionId = await tee.chain.publishManifest("chat");
  results = new ResultMaker({ tee, enclave, versionId });
  settings = {
    ...{ HACA_RPC_URL: tee.chain.url, HACA_CHAIN_ID: "31337", HACA_OPERATORS: tee.operator },
    ...{ HACA_NODE_KEY: developmentKey(1), HACA_DATA_DIR: queue.path, HACA_LOG_LEVEL: "trace" },
    HACA_ADDRESS_BOOK: tee.writeBook(join(folder.path, "book.json")),
  };
  worker = startWorker({
    settings: { ...settings, HACA_COLLECT_SECRET: SECRET },
    roles: ["collect"],
  });
  url = await worker.url();
});
afterAll(async () => {
  await worker.child.end();
  await tee.stop();
  folder.remove();
  queue.remove();
});

async function gatewayWith(secret: string): Promise<GatewayProcess> {
  const gateway = await GatewayProcess.start({
    ...{ enclave, session, versionId, url, folder: folder.path },
    settings: { HACA_COLLECT_SECRET: secret, HACA_LOG_LEVEL: "trace" },
  });
  onTestFinished(() => gateway.stop());
  return gateway;
}

describe("results for a worker with HACA_COLLECT_SECRET", () => {
  it("are taken from a gateway that has it", async () => {
    const gateway = await gatewayWith(SECRET);
    const { haca } = await gateway.ask(QUESTION);
    const { requestId } = haca.message;
    expect((await readJob(url, requestId, "results")).state).toBe("proven");
    expect(gateway.log).toContain(requestId);
    expect(gateway.log + worker.child.lines.join()).not.toContain(SECRET);
  });

  it("are not taken from one that has another or none: it answers nothing, and shows no secret", async () => {
    const said: string[] = [];
    for (const secret of [OTHER, ""]) {
      const gateway = await gatewayWith(secret);
      const response = await gateway.post(QUESTION);
      const text = await response.text();
      expect([response.status, text]).toEqual([
        500,
        expect.stringContaining("collect.unauthorized: authorization: "),
      ]);
      said.push(text, gateway.log);
    }
    said.push(...worker.child.lines);
    for (const secret of [SECRET, OTHER]) expect(said.join()).not.toContain(secret);
  });

  it("are refused before anything of them is read, whatever else is shown", async () => {
    const good: Entry = results.make();
    const shown = [
      "",
      SECRET,
      `Basic ${SECRET}`,
      `Bearer ${OTHER}`,
      `Bearer ${SECRET}0`,
      "Bearer ",
    ];
    for (const authorization of shown) {
      for (const body of [good, "{"]) {
        const { body: answer, status } = await postResults(url, body, { authorization });
        expect([authorization, status, answer]).toMatchObject([
          authorization,
          401,
          { error: { code: "collect.unauthorized", field: "authorization" } },
        ]);
      }
    }
    const refused = await fetch(`${url}/v1/results`, { method: "POST" });
    expect(refused.headers.get("www-authenticate")).toBe("Bearer");
    const authorization = `bearer ${SECRET}`;
    expect((await postResults(url, good, { authorization })).status).toBe(202);
  });
});

it("collect starts without a secret only where HTTP listens on this machine alone", async () => {
  const open = startWorker({
    settings: { ...settings, HACA_HTTP_HOST: "0.0.0.0" },
    roles: ["collect"],
  });
  expect((await open.child.exited).code).toBe(2);
  expect(open.child.lines).toEqual([
    "HACA_COLLECT_SECRET: not set, and others than this machine reach HACA_HTTP_HOST 0.0.0.0",
  ]);
});
