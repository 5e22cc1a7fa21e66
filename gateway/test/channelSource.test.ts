import { describe, expect, it, onTestFinished } from "vitest";
import { ChannelSource } from "../src/channels/channelSource.ts";
import { answering } from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";
import { HttpServer } from "./support/httpServer.ts";

const ID = `0x${"11".repeat(32)}`;
const OTHER = `0x${"22".repeat(32)}`;
const STATE = { balance: "7", totalClaimed: "0", withdrawRequestedAt: 0 };

async function start(...handler: Parameters<typeof answering>) {
  const server = await HttpServer.start(answering(...handler));
  onTestFinished(() => server.stop());
  return { server, source: new ChannelSource(server.url) };
}

describe("what the chain says of gates and channels", () => {
  it("is asked for once for all who ask meanwhile, and anew for who needs the latest", async () => {
    const { server, source } = await start(STATE);
    const answer = server.handler;
    const [asked, go] = [new Deferred(), new Deferred()];
    server.handler = async (response, request) => {
      asked.resolve();
      await go.promise;
      await answer(response, request);
    };
    const early = [source.channel(ID, false), source.channel(ID, false)];
    await asked.promise;
    server.handler = answering({ ...STATE, balance: "8" });
    // It began before whatever the latest is wanted for.
    expect(await source.channel(ID, true)).toMatchObject({ balance: 8n });
    go.resolve();
    expect((await Promise.all(early)).map(({ balance }) => balance)).toEqual([7n, 7n]);
    // Nor does the older one take its place.
    expect(await source.channel(ID, false)).toMatchObject({ balance: 8n });
    expect(server.received).toHaveLength(2);
  });

  it("is not asked for again at once where the facilitator is not well", async () => {
    const { server, source } = await start({}, 500);
    const away = { code: "payment.facilitatorAway" };
    await expect(source.gate("0x1")).rejects.toMatchObject(away);
    await expect(source.gate("0x1")).rejects.toMatchObject(away);
    await expect(source.channel(ID, true)).rejects.toMatchObject(away);
    expect(server.received).toHaveLength(1);
  });

  it("is asked for anew where there was none", async () => {
    const { server, source } = await start({}, 404);
    await expect(source.channel(OTHER, false)).rejects.toMatchObject({ code: "payment.notTaken" });
    server.handler = answering(STATE);
    expect(await source.channel(OTHER, false)).toMatchObject({ balance: 7n });
  });
});
