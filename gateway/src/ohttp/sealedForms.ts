import type { StoredAnswer } from "../answers/answerFile.ts";
import { eventOf } from "../server/answerStream.ts";
import type { OpenedRequest } from "./openRequest.ts";
import { ChunkSealer, sealAnswer } from "./sealAnswer.ts";
import { sealEvents } from "./sealEvents.ts";

const WHOLE_TYPE = "message/ohttp-res";
const CHUNKED_TYPE = "message/ohttp-chunked-res";

/** An answer, sealed as it comes: a stream by a chunk for each event, another in one piece. */
export async function sealResponse(parameters: {
  opened: OpenedRequest;
  isStream: boolean;
  answer: Response;
}): Promise<Response> {
  const { answer, isStream, opened } = parameters;
  if (isStream && answer.body !== null) {
    const sealer = await ChunkSealer.for(opened);
    return sealedResponse(sealEvents({ events: answer.body, sealer }), CHUNKED_TYPE);
  }
  const sealed = await sealAnswer(opened, new Uint8Array(await answer.arrayBuffer()));
  return sealedResponse(Uint8Array.from(sealed), WHOLE_TYPE);
}

/** The same of a whole text, to be kept: sealed it says nothing to who finds it, also together with who brought the request. */
export async function sealText(parameters: {
  opened: OpenedRequest;
  isStream: boolean;
  text: string;
}): Promise<StoredAnswer> {
  const answer = new Response(parameters.text);
  const sealed = await sealResponse({ ...parameters, answer });
  const text = Buffer.from(await sealed.arrayBuffer()).toString("base64");
  return { type: parameters.isStream ? CHUNKED_TYPE : WHOLE_TYPE, salt: "", text };
}

/** What was kept so, as it is sent. */
export const sentSealed = ({ text, type }: StoredAnswer): Response =>
  sealedResponse(Uint8Array.from(Buffer.from(text, "base64")), type);

/** A refusal as it is sealed: `{ status, body }`, or one event, whose error has the status. @param text JSON */
export function refusalInside(text: string, status: number, isStream: boolean): string {
  const body = JSON.parse(text) as { error: unknown };
  if (!isStream) return JSON.stringify({ status, body });
  const { error } = body;
  // Nothing else of a sealed stream can have the status.
  return eventOf(
    JSON.stringify(typeof error === "object" ? { error: { ...error, status } } : { error }),
  );
}

const sealedResponse = (body: ConstructorParameters<typeof Response>[0], type: string): Response =>
  new Response(body, { headers: { "content-type": type, "cache-control": "no-store" } });
