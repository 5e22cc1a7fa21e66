import { spawnSync } from "node:child_process";

/** Words before a command that run it as in a container of its own: process numbers and host name, network if asked. */
export type Container = (parameters: { host: string; ownNetwork?: boolean }) => string[];

/** How to make containers here, by `unshare`, or why that cannot be done. */
export function findContainers(): Container | string {
  const base = ["unshare", "--pid", "--fork", "--kill-child", "--uts", "--mount-proc"];
  const enter = [...base, ...(process.getuid?.() === 0 ? [] : ["--map-root-user"])];
  const [command = "", ...words] = [...enter, "--net", "true"];
  const probe = spawnSync(command, words, { encoding: "utf8" });
  if (probe.error !== undefined) return `no unshare here (${probe.error.message})`;
  if (probe.status !== 0) return `this kernel makes no namespaces (${probe.stderr.trim()})`;
  return ({ host, ownNetwork = false }) => [
    ...enter,
    ...(ownNetwork ? ["--net"] : []),
    ...["sh", "-c", 'hostname "$0" && exec "$@"', host],
  ];
}
