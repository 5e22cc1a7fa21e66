import { db } from "ponder:api";
import schema from "ponder:schema";
import { Hono } from "hono";
import { client, graphql } from "ponder";
import { activeNodes } from "./activeNodes.ts";
import { finalityRoute, withFinality } from "./finality.ts";
import { freshQueries } from "./freshQueries.ts";
import { pageRoutes } from "./pages.ts";
import { schemaFirst } from "./schemaFirst.ts";
import { validatorRoutes } from "./validators.ts";

const app = new Hono();

app.get("/", (context) =>
  context.json({
    name: "HACA indexer",
    databaseSchema: process.env.DATABASE_SCHEMA,
    endpoints: {
      "/graphql": "GraphQL: POST a query, or open it in a browser",
      "/sql/*": "read-only SQL over HTTP, for @ponder/client",
      "/nodes/active":
        "TEE nodes to be trusted: ?type=<number>[&at=<unix seconds>][&limit=][&after=]",
      "/pages":
        "pages of results with their states: [?node=][&proposer=][&at=<unix seconds>][&limit=][&after=]",
      "/pages/<id>": "a page with its results: [?at=]",
      "/requests/<id>": "what became of a request: [?at=]",
      "/validators":
        "validators with their stake, weight and rates: [?in-set=true][&limit=][&after=]",
      "/validators/<owner>": "a validator with delegations and what leaves its pool, worth now",
      "/finality": "the chain's safe and finalized block; ?block=<rowBlock of a row>: its label",
      "/status": "chain id, number and time of the latest indexed block",
      "/ready": "200 once the history is indexed, 503 before",
      "/health": "200 while the process serves",
      "/metrics": "Prometheus metrics",
    },
  }),
);
app.route("/", finalityRoute);
app.use("/nodes/*", withFinality);
app.route("/", activeNodes);
app.use("/pages/*", withFinality);
app.use("/requests/*", withFinality);
app.route("/", pageRoutes);
app.use("/validators/*", withFinality);
app.route("/", validatorRoutes);
app.use("/graphql", withFinality, graphql({ db, schema }));
app.use("/sql/db", withFinality);
app.use("/sql/*", freshQueries, client({ db: schemaFirst(db), schema }));

export default app;
