import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROVER_FOLDER } from "./runCargo.ts";

/** A system that there is a package for. */
export interface Platform {
  /** as npm names it */
  os: string;
  cpu: string;
  /** as Rust names it; nothing for this machine's, where no package but its own is made */
  target?: string;
  /** the C compiler that links for it elsewhere */
  linker?: string;
  /** what runs its programs elsewhere, with the folder of its libraries */
  emulator?: { programs: readonly string[]; libraries: string };
}

/** What packages are made for, on these machines or for them. */
export const PLATFORMS: Readonly<Record<string, Platform>> = {
  "linux-x64": { os: "linux", cpu: "x64", target: "x86_64-unknown-linux-gnu" },
  "linux-arm64": {
    os: "linux",
    cpu: "arm64",
    target: "aarch64-unknown-linux-gnu",
    linker: "aarch64-linux-gnu-gcc",
    emulator: {
      programs: ["qemu-aarch64-static", "qemu-aarch64"],
      libraries: "/usr/aarch64-linux-gnu",
    },
  },
};

/**
 * The platform of that name, or this machine's.
 * @throws BaseError `prover.platform`
 */
export function platformNamed(name: string | undefined): Platform {
  const own = { os: process.platform as string, cpu: process.arch as string };
  if (name === undefined) return PLATFORMS[`${own.os}-${own.cpu}`] ?? own;
  const platform = PLATFORMS[name];
  if (platform !== undefined) return platform;
  const names = Object.keys(PLATFORMS).join(", ");
  throw new BaseError({
    code: "prover.platform",
    message: `--platform: ${name} is none; there are ${names}`,
  });
}

/** Whether this machine runs the platform's programs itself. */
export function isOwn(platform: Platform): boolean {
  return platform.os === process.platform && platform.cpu === process.arch;
}

/** Where cargo leaves the native prover for it. */
export function builtProgram(platform: Platform, profile: "debug" | "release"): string {
  const between = isOwn(platform) ? [] : [platform.target ?? ""];
  return join(PROVER_FOLDER, "target", ...between, profile, "haca-prover");
}

/** What cargo is told to compile for the platform, and what to link with: nothing on such a machine itself. */
export function cargoFor(platform: Platform): {
  parameters: string[];
  environment: Record<string, string>;
} {
  const { target, linker } = platform;
  if (isOwn(platform) || target === undefined) return { parameters: [], environment: {} };
  const prefix = `CARGO_TARGET_${target.toUpperCase().replaceAll("-", "_")}`;
  const runner = emulation(platform)?.join(" ");
  return {
    parameters: ["--target", target],
    environment: {
      ...(linker === undefined ? {} : { [`${prefix}_LINKER`]: linker }),
      ...(runner === undefined ? {} : { [`${prefix}_RUNNER`]: runner }),
    },
  };
}

/** What stands before a program of the platform to run it here, or nothing if it cannot be. */
export function emulation(platform: Platform): string[] | undefined {
  if (isOwn(platform)) return [];
  const program = platform.emulator?.programs.find((name) => onPath(name));
  if (program === undefined || platform.emulator === undefined) return undefined;
  return [program, "-L", platform.emulator.libraries];
}

/** Whether a program can be started by its name. */
export function onPath(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}
