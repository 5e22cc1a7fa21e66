import { randomUUID } from "node:crypto";
import { Pool } from "pg";
import { inject } from "vitest";

/** An empty database on the suite's PostgreSQL server; returns its address. */
export async function newDatabase(): Promise<string> {
  const url = inject("postgresUrl");
  if (url === undefined) throw new Error("PostgreSQL is not installed");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const pool = new Pool({ connectionString: url, application_name: "haca-tests" });
  try {
    await pool.query(`CREATE DATABASE ${name}`);
  } finally {
    await pool.end();
  }
  const address = new URL(url);
  address.pathname = `/${name}`;
  return address.href;
}
