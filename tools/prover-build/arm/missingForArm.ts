import { existsSync } from "node:fs";
import { runTool } from "../cuda/runTool.ts";
import { emulation, isOwn, onPath, type Platform } from "../platforms.ts";

/** What this machine lacks to compile and run programs of the platform, each with what would bring it. */
export async function missingForArm(platform: Platform): Promise<string[]> {
  if (!onPath("cargo") || !onPath("rustc")) return ["cargo (https://rustup.rs)"];
  if (isOwn(platform)) return [];
  const missing: string[] = [];
  const { linker, target = "" } = platform;
  if (!(await hasTarget(target))) missing.push(`Rust's target (rustup target add ${target})`);
  if (linker !== undefined && !onPath(linker)) missing.push(`${linker} (gcc-aarch64-linux-gnu)`);
  if (emulation(platform) === undefined) missing.push("qemu-aarch64-static (qemu-user-static)");
  return missing;
}

async function hasTarget(target: string): Promise<boolean> {
  const parameters = ["--print", "target-libdir", "--target", target];
  return existsSync((await runTool({ program: "rustc", parameters })).trim());
}
