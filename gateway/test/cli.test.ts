import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ANSWER, type Answer, answering } from "./support/bed.ts";
import { ask, COLLECT, Command, KEY, SESSION } from "./support/command.ts";
import { Deferred } from "./support/deferred.ts";

const PROMPT = "prompt-4711";

let command: Command;
beforeAll(async () => {
  command = await Command.prepare();
});
beforeEach(() => command.reset());
afterAll(() => command.stop());

describe("npm run gateway", () => {
  it("shows commands and settings within 80 columns, without any setting", async () => {
    for (const words of [["--help"], ["start", "--help"]]) {
      const { code, out } = await command.run(words, { HACA_CHAIN_ID: "" });
      expect(code).toBe(0);
      expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    }
    expect((await command.run(["--help"])).out).toContain("HACA_GATEWAY_UPSTREAM_KEY");
  });

  it("refuses unknown commands and options", async () => {
    for (const words of [["begin"], ["start", "--fast"], ["check", "now"]]) {
      const { code, error } = await command.run(words);
      expect([code, error]).toEqual([2, expect.stringMatching(/^error: /)]);
    }
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["HACA_GATEWAY_MODELS", "", /is not set/],
    ["HACA_GATEWAY_MODELS", "m=0x12", /<name>=<version id>/],
    ["HACA_GATEWAY_UPSTREAM", "http://example.org/v1", /https/],
    ["HACA_GATEWAY_UPSTREAM", "https://user@example.org/v1", /without user/],
    ["HACA_GATEWAY_SESSION_KEY", "0xsecret", /64 hex digits/],
    ["HACA_GATEWAY_ATTESTED_KEY", "/nowhere.pem", /cannot be read/],
    ["HACA_GATEWAY_CONCURRENCY", "0", /between 1/],
    ["HACA_COLLECT_SECRET", "secret", /32 to 256/],
  ];
  it("names the setting that is missing or wrong, in one line, without its value", async () => {
    const answers = await Promise.all(
      wrong.map(([name, value]) => command.run(["start"], { [name]: value })),
    );
    for (const [index, { code, error }] of answers.entries()) {
      const [name, , reason] = wrong[index] ?? ["", "", /^$/];
      expect(code).toBe(2);
      expect(error).toMatch(new RegExp(`^${name}: [^\n]*\n$`));
      expect(error).toMatch(reason);
      expect(error).not.toContain("secret");
    }
  });

  it("checks upstream, models and queue", async () => {
    command.upstream.handler = answering({ object: "list", data: [{ id: "m" }] });
    command.worker.handler = answering({}, 415);
    const good = await command.run(["check"]);
    expect([good.code, good.out]).toEqual([0, expect.not.stringContaining("problem")]);
    command.upstream.handler = answering({ object: "list", data: [{ id: "n" }] });
    command.worker.handler = answering({}, 404);
    const bad = await command.run(["check"]);
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/problem +HACA_GATEWAY_MODELS: the upstream does not name m\n/);
    expect(bad.out).toMatch(/problem +HACA_GATEWAY_QUEUE: /);
    command.upstream.handler = answering({ object: "list", data: [{ id: "m" }] });
    command.worker.handler = answering({}, 401);
    const unknown = await command.run(["check"], { HACA_COLLECT_SECRET: COLLECT });
    expect([unknown.code, unknown.out]).toEqual([
      1,
      expect.stringMatching(/problem +HACA_COLLECT_SECRET: is missing, or is not the worker's\n$/),
    ]);
    expect(command.worker.received.at(-1)).toMatchObject({
      ...{ path: "/v1/results", body: "", headers: { authorization: `Bearer ${COLLECT}` } },
    });
    const shown = good.out + bad.out + unknown.out;
    for (const secret of [KEY, SESSION, COLLECT]) expect(shown).not.toContain(secret);
  });

  it("answers until it is stopped, finishes what is in flight, and has shown no prompt and no key", async () => {
    const { child, code, errors, lines, url } = await command.start();
    const asked = new Deferred();
    command.upstream.handler = async (response, request) => {
      asked.resolve();
      child.kill("SIGTERM");
      await answering(ANSWER)(response, request);
    };
    const messages = [{ role: "user", content: PROMPT }];
    const response = ask(url, { model: "m", messages });
    await asked.promise;
    const { choices, haca } = (await (await response).json()) as Answer;
    expect(choices).toEqual(ANSWER.choices);
    expect(await code).toBe(0);
    const log = `${lines.join("\n")}${await errors}`;
    expect(log).toContain(haca.message.requestId);
    for (const secret of [PROMPT, KEY, SESSION, "wörld"]) expect(log).not.toContain(secret);
  });
});
