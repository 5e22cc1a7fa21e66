import { existsSync, readdirSync } from "node:fs";

/** Files by which NVIDIA's driver offers devices: one for each, or, under WSL, one for all of them. */
const DEVICE = /^(nvidia\d+|dxg)$/;

/** Whether this machine's driver offers a CUDA device. */
export function hasDevice(parameters: { folder?: string } = {}): boolean {
  const { folder = "/dev" } = parameters;
  return existsSync(folder) && readdirSync(folder).some((name) => DEVICE.test(name));
}
