// A program on a node, in TypeScript, whose every path, parameter and answer is checked by the types that the node's own
// description gave. Run as: node client.ts ORIGIN TOKEN. Prints what it found as JSON.

import createClient from "openapi-fetch";

import type { components, paths } from "./api.d.ts";

type RecordView = components["schemas"]["RecordView"];

const [origin, token] = process.argv.slice(2);
const client = createClient<paths>({
  baseUrl: `${origin}/api/xom/v1`,
  headers: { Authorization: `Bearer ${token}` },
});

/** The answer of a call, or its problem as an error. */
function sure<T>({ data, error }: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (data === undefined) throw new Error(`${error?.type}: ${error?.detail}`);
  return data;
}

async function all(kind: string): Promise<RecordView[]> {
  const found: RecordView[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 2, cursor };
    const page = sure(await client.GET("/records/{kind}", { params: { path: { kind }, query } }));
    found.push(...page.records);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return found;
}

const { did, username } = sure(await client.GET("/identity"));
for (const number of [1, 2, 3]) {
  const path = { kind: "shop.list", key: `item-${number}` };
  sure(await client.PUT("/records/{kind}/{key}", { params: { path }, body: { number } }));
}
const records = await all("shop.list");
const proof = sure(await client.GET("/entries/{id}", { params: { path: { id: records[0].entry } } }));
const { in_sync } = sure(await client.GET("/sync"));
const wrong = await client.GET("/records/{kind}", { params: { path: { kind: "nodot" } } });

console.log(JSON.stringify({
  did,
  username,
  keys: records.map(({ key }) => key),
  mine: records.every((record) => record.did === did),
  chain: proof.chain.length,
  in_sync,
  problem: wrong.error?.type,
}));
