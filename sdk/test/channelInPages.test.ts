import { expect, it, vi } from "vitest";
import { createHaca } from "../src/client/createHaca.ts";
import { PINS } from "./support/chatNode.ts";

/** What sends requests in a page. */
vi.mock("#send", async () => await import("../src/client/sendByFetch.ts"));

const options = { chainId: 31_337, pins: PINS, nodes: ["https://node.example"] };
const asked = { model: "m", messages: [{ role: "user", content: "?" }] };

it.each([{ channel: "attested" }, { release: "channel" }] as const)(
  "%j is refused in a page, which is shown no certificate, of a client and of a call",
  async (channel) => {
    const [name] = Object.keys(channel);
    const refused = { code: "option.wrong", details: { option: name } };
    const made = (): unknown => createHaca({ ...options, ...channel });
    expect(made).toThrow(expect.objectContaining(refused));
    const haca = createHaca(options);
    await expect(haca.chat({ ...asked, ...channel })).rejects.toMatchObject(refused);
    await expect(haca.streamChat({ ...asked, ...channel }).next()).rejects.toMatchObject(refused);
  },
);
