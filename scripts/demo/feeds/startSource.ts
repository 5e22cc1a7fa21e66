import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a source answers to whoever asks first, second and so on: a price that moves between two questions. */
const PRICES = ["2500.12", "2501.37", "2499.9"];

/** A source of prices on this machine, as JSON at `/price`. */
export async function startSource(): Promise<{ url: string; close: () => Promise<void> }> {
  let asked = 0;
  const server = createServer((_, response) => {
    const price = PRICES[asked++ % PRICES.length];
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ price }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
