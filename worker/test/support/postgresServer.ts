import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** The database on the worker suite's server that new queues are copies of. */
export const EMPTY_QUEUE = "empty_queue";

const PACKAGES = "/usr/lib/postgresql";
/** Ends the server and removes its folder when standard input closes, however the parent ended. */
const WATCHDOG = `cat > /dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null)
if [ -n "$pid" ]; then
  kill -QUIT "$pid"
  while kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
fi
rm -rf "$1"`;

export type Installation = { programs: string; identity: { uid: number; gid: number } | undefined };

/**
 * The PostgreSQL of the system's packages, or one line that says why there is none. It refuses to run as root: then it
 * runs as the user `postgres`, whom the package makes.
 */
export function findPostgres(): Installation | string {
  const versions = existsSync(PACKAGES) ? readdirSync(PACKAGES) : [];
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  const programs = newest === undefined ? undefined : join(PACKAGES, newest, "bin");
  if (programs === undefined || !existsSync(join(programs, "postgres"))) {
    return `PostgreSQL is not installed (nothing in ${PACKAGES}): apt-get install postgresql`;
  }
  if (process.getuid?.() !== 0) return { programs, identity: undefined };
  try {
    const idOf = (flag: string) =>
      Number(execFileSync("id", [flag, "postgres"], { stdio: "pipe" }));
    return { programs, identity: { uid: idOf("-u"), gid: idOf("-g") } };
  } catch {
    return "PostgreSQL does not run as root, and there is no user postgres to run it as";
  }
}

/** A PostgreSQL server of its own: a new cluster in a temporary folder, on a free port of this machine. */
export class PostgresServer {
  readonly #installation: Installation;
  readonly #folder: string;
  readonly #port: number;
  readonly #watchdog: ChildProcess;
  #server: ChildProcess | undefined;

  private constructor(parameters: { installation: Installation; folder: string; port: number }) {
    this.#installation = parameters.installation;
    this.#folder = parameters.folder;
    this.#port = parameters.port;
    this.#watchdog = spawn("/bin/sh", ["-c", WATCHDOG, "sh", this.#folder], {
      stdio: ["pipe", "ignore", "ignore"],
      // Out of reach of the terminal's Ctrl-C: it has the tidying up to do.
      detached: true,
    });
  }

  static async start(installation: Installation): Promise<PostgresServer> {
    const { identity, programs } = installation;
    const folder = mkdtempSync(join(tmpdir(), "haca-postgres-"));
    chmodSync(folder, 0o700);
    if (identity !== undefined) chownSync(folder, identity.uid, identity.gid);
    const server = new PostgresServer({ installation, folder, port: await freePort() });
    execFileSync(
      join(programs, "initdb"),
      [
        "-D",
        join(folder, "data"),
        "-U",
        "haca",
        "--auth=trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
      ],
      { ...identity, cwd: folder, stdio: "pipe" },
    );
    await server.up();
    return server;
  }

  /** Address of a database of this server. */
  url(database = "postgres"): string {
    return `postgres://haca@127.0.0.1:${this.#port}/${database}`;
  }

  /** Makes an empty database and returns its address. */
  async createDatabase(name: string): Promise<string> {
    await this.#client("createdb", name);
    return this.url(name);
  }

  /** The first value that a statement returns, as text. */
  async value(parameters: { database: string; sql: string }): Promise<string> {
    const { database, sql } = parameters;
    return (await this.#client("psql", "-At", "-d", database, "-c", sql)).trim();
  }

  /** Starts the server, and returns when it takes connections. */
  async up(): Promise<void> {
    const { identity, programs } = this.#installation;
    const settings = [
      `port=${this.#port}`,
      // What a server that is killed has written survives it; the machine is not meant to fail.
      ...["fsync=off", "full_page_writes=off"],
      "listen_addresses=127.0.0.1",
      `unix_socket_directories=${this.#folder}`,
    ];
    const server = spawn(
      join(programs, "postgres"),
      ["-D", join(this.#folder, "data"), ...settings.flatMap((setting) => ["-c", setting])],
      { ...identity, cwd: this.#folder, stdio: "ignore", detached: true },
    );
    this.#server = server;
    for (;;) {
      if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}`);
      const isUp = await this.#client("pg_isready", "-q").then(
        () => true,
        () => false,
      );
      if (isUp) return;
      await delay(50);
    }
  }

  /** Takes the server away as a crash would: connections break, nothing is flushed but what was committed. */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.kill("SIGQUIT");
    await once(server, "exit");
  }

  /** Stops the server and removes its folder. */
  async remove(): Promise<void> {
    await this.down();
    this.#watchdog.stdin?.end();
    await once(this.#watchdog, "exit");
  }

  /** One of the client programs that come with the server, against this server. */
  async #client(program: string, ...parameters: string[]): Promise<string> {
    const place = ["-h", "127.0.0.1", "-p", String(this.#port), "-U", "haca"];
    const { stdout } = await promisify(execFile)(join(this.#installation.programs, program), [
      ...place,
      ...parameters,
    ]);
    return stdout;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
