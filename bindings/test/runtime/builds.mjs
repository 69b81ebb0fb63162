// The package as it was packed and installed, in both of its formats, with the oldest and the newest tRPC.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const builds = [];
for (const consumer of ["oldest", "newest"]) {
  builds.push({ name: `${consumer} tRPC, import`, ...(await import(`../consumers/${consumer}/entry.mjs`)) });
  builds.push({ name: `${consumer} tRPC, require`, ...require(`../consumers/${consumer}/entry.cjs`) });
}
