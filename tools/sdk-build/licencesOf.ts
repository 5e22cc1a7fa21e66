import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import type { Metafile } from "esbuild";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

export type Bundled = { name: string; version: string; licence: string; text: string };

/**
 * The packages of others of which something is in a bundle, with their licences, by name and version.
 * @throws BaseError `sdk.noLicence` where one brings no text
 */
export function licencesOf(metafile: Metafile): Bundled[] {
  const folders = new Set(
    Object.keys(metafile.inputs)
      .filter((path) => path.includes("node_modules/"))
      .map((path) => packageFolder(join(PROJECT_ROOT, path))),
  );
  return [...folders].map(read).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const keyOf = ({ name, version }: Bundled): string => `${name} ${version}`;

/** The nearest folder above that has a name; folders of modules may have a `package.json` without one. */
function packageFolder(path: string): string {
  const folder = dirname(path);
  const manifest = join(folder, "package.json");
  const isPackage = existsSync(manifest) && "name" in JSON.parse(readFileSync(manifest, "utf8"));
  return isPackage ? folder : packageFolder(folder);
}

function read(folder: string): Bundled {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const [file] = globSync("LICEN[CS]E*", { cwd: folder });
  if (file === undefined) {
    throw new BaseError({
      code: "sdk.noLicence",
      message: `${name} brings no text of its licence`,
    });
  }
  return { name, version, licence: license, text: readFileSync(join(folder, file), "utf8") };
}
