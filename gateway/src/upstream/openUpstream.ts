import { HttpUpstream, type HttpUpstreamSettings } from "./httpUpstream.ts";
import { LocalUpstream } from "./localUpstream.ts";
import type { Upstream } from "./upstream.ts";

/** An interface that is spoken to over HTTP, or the folder of the local model. */
export type UpstreamSettings = HttpUpstreamSettings | { folder: string };

export const isLocal = (settings: UpstreamSettings): settings is { folder: string } =>
  "folder" in settings;

/** What answers. @throws StartError where the local model has not been fetched, or does not run here */
export async function openUpstream(settings: UpstreamSettings): Promise<Upstream> {
  if (!isLocal(settings)) return new HttpUpstream(settings);
  const upstream = new LocalUpstream(settings);
  await upstream.open();
  return upstream;
}
