import { existsSync } from "node:fs";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { serve } from "./fakeChain.ts";

const PROGRAMS = [
  ...["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Chromium's program: what `HACA_CHROMIUM` names, or where systems have it; undefined where there is none. */
export const CHROMIUM =
  named(process.env.HACA_CHROMIUM) ?? PROGRAMS.find((path) => existsSync(path));

function named(path: string | undefined): string | undefined {
  if (path === undefined || existsSync(path)) return path;
  throw new Error(`HACA_CHROMIUM: there is no ${path}`);
}

/** What a page's module offers: plain values in and out. */
type Offers = Record<string, (given: never) => unknown>;

export type OpenPage<T extends Offers> = {
  origin: string;
  /** the browser's */
  version: string;
  /** what the browser has said of errors, in the page's console or thrown in it */
  complaints: string[];
  call: <K extends keyof T & string>(
    name: K,
    given: Parameters<T[K]>[0],
  ) => Promise<Awaited<ReturnType<T[K]>>>;
  close: () => Promise<void>;
};

/**
 * A page in Chromium, of a site of its own, with one module: `entry` and what it imports, bundled as an application's page is.
 * Beside it is `/worker.js`, a module of its own. The module says with `Object.assign(globalThis, { inPage })` what can be called.
 */
export async function openPage<T extends Offers>(
  entry: string,
  worker?: string,
): Promise<OpenPage<T>> {
  const { outputFiles } = await build({
    entryPoints: [
      { in: entry, out: "page" },
      ...(worker === undefined ? [] : [{ in: worker, out: "worker" }]),
    ],
    ...{ outdir: "out", bundle: true, minify: true, write: false, logLevel: "silent" },
    ...{ format: "esm", platform: "browser", target: "es2022" },
  });
  const site = await serve([], ({ url }, response) => {
    const script = outputFiles.find(({ path }) => path.endsWith(`/out${url}`));
    if (script !== undefined) {
      return void response.setHeader("content-type", "text/javascript").end(script.text);
    }
    response.setHeader("content-type", "text/html");
    response.end(
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
    );
  });
  const browser = await chromium.launch({ executablePath: CHROMIUM ?? "" });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", ({ message }) => complaints.push(message));
  await page.goto(site.url, { waitUntil: "load" });
  return {
    ...{ origin: site.url, version: browser.version(), complaints },
    call: async (name, given) =>
      (await page.evaluate(
        ([name, given]) => {
          const { inPage } = globalThis as unknown as { inPage: Offers };
          return inPage[name as string]?.(given as never);
        },
        [name, given] as const,
      )) as never,
    async close() {
      await browser.close();
      site.close();
    },
  };
}
