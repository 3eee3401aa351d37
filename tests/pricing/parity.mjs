// Prices homes as a page does, without the page: `node parity.mjs ADDRESS TENSORFLOW MODEL < homes.json > prices.json`.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [address, tensorflow, around] = process.argv.slice(2);
const tf = createRequire(import.meta.url)(tensorflow);
const { load, predict } = await import(pathToFileURL(around));
const model = await load(tf, address);
process.stdout.write(JSON.stringify(predict(tf, model, JSON.parse(readFileSync(0, "utf8")))));
