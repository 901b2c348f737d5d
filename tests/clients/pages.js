// Serves the ready-built web client of another project from a folder, as its own site would.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".ico": "image/x-icon" };

/** Serves `folder` below `base`; whatever is no file is the page itself. Answers the origin; ends with the test. */
export async function serve(t, folder, base) {
  const server = createServer(async ({ url }, answer) => {
    const path = normalize(new URL(url, "http://x").pathname).replace(base, "/");
    const wanted = join(folder, path);
    const isFile = wanted.startsWith(folder) && (await stat(wanted).catch(() => null))?.isFile();
    const file = isFile ? wanted : join(folder, "index.html");
    answer.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}
