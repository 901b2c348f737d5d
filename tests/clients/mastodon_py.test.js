// Mastodon.py against two nodes: the tour is in `tour.py`, the browser's part is here.

import { test } from "node:test";

import { scratch } from "../browser/home.js";
import { letIn } from "./consent.js";
import { PICTURE, hamlet, until } from "./hamlet.js";
import { run } from "./python.js";

test("Mastodon.py", async (t) => {
  const { lan, minh } = await hamlet(t);
  const folder = await scratch(t);
  const script = new URL("tour.py", import.meta.url).pathname;
  const args = [script, lan.origin, minh.origin, minh.did, PICTURE.pathname];
  const tour = run(t, folder, "python", args, { env: { MINH_TOKEN: minh.token } });
  const url = await until("the address", () => tour.said.out.match(/^open (\S+)$/m) ?? ended(tour));
  tour.say(await letIn(lan, url[1]));
  await tour.end();
  for (const [, step] of tour.said.out.matchAll(/^done (.+)$/gm)) await t.test(step, () => {});
});

function ended(tour) {
  if (tour.said.error.includes("Traceback")) throw new Error(tour.said.error);
  return null;
}
