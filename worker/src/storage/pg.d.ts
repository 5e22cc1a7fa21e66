/** The part of node-postgres that the worker uses; the package has no types of its own. */
declare module "pg" {
  type Result = { rows: Record<string, unknown>[] };
  export type Statement = { text: string; query_timeout?: number; name?: string };
  export class PoolClient {
    query(sql: string | Statement, values?: readonly unknown[]): Promise<Result>;
    release(error?: Error): void;
    on(event: "error", listener: (error: Error) => void): this;
  }
  export class Pool {
    constructor(options: {
      connectionString: string;
      application_name: string;
      max?: number;
      connectionTimeoutMillis?: number;
      query_timeout?: number;
      keepAlive?: boolean;
    });
    connect(): Promise<PoolClient>;
    query(sql: string | Statement, values?: readonly unknown[]): Promise<Result>;
    on(event: "error", listener: (error: Error) => void): this;
    on(event: "connect", listener: (client: PoolClient) => void): this;
    end(): Promise<void>;
  }
}
