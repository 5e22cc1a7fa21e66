import { digit } from "../../../worker/test/support/digits.ts";

/** Made once: what is measured is the node, not the making of requests. */
const BODIES = Array.from({ length: 100 }, (_, index) =>
  JSON.stringify({ model: "digits", input: digit(index) }),
);

/** Asks for an inference over a connection that stays open; returns the request's id. */
export async function askNode(parameters: { url: string; image: number }): Promise<string> {
  const { image, url } = parameters;
  const response = await fetch(`${url}/v1/inferences`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: BODIES[image % BODIES.length] ?? "",
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return ((await response.json()) as { requestId: string }).requestId;
}
