// Two nodes whose owners are about to meet, and waiting for what comes over the network.

import { readFile } from "node:fs/promises";

import { call, get, home } from "../browser/home.js";

/** The deadline of every condition. */
export const WAIT_MS_MAX = 120_000;

/** A small picture. */
export const PICTURE = new URL("../browser/fixtures/field.png", import.meta.url);

/** The picture as a file to upload. */
export async function picture() {
  return new File([await readFile(PICTURE)], "field.png", { type: "image/png" });
}

/** Lan's node and Minh's; Minh follows Lan, and so Lan's node has heard of him. */
export async function hamlet(t) {
  const [lan, minh] = await Promise.all([home(t, "lan"), home(t, "minh")]);
  const { invite } = await call(lan, "/api/xom/v1/invites");
  await call(minh, "/api/xom/v1/follow", { invite });
  const query = `/api/v2/search?resolve=true&type=accounts&q=${encodeURIComponent(minh.did)}`;
  await until("Lan's node hears of Minh", async () => (await get(lan, query)).accounts.length > 0);
  return { lan, minh };
}

/** Minh's home on his own node, until a status with this text is there. */
export function arrives(node, text) {
  const look = async () => (await get(node, "/api/v1/timelines/home")).find(({ content }) => content.includes(text));
  return until(`"${text}" arrives`, look);
}

/** Looks again and again until there is something, and answers it. */
export async function until(what, look) {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`not before the deadline: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
