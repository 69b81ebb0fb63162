// Verifies what a receiver of webhooks was sent, with the library of Standard Webhooks as an application has it installed:
// `{secret, messages: [{headers, body}]}` from standard input.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const [consumer] = process.argv.slice(2);
const { Webhook } = createRequire(join(consumer, "package.json"))("standardwebhooks");

const { secret, messages } = JSON.parse(await text(process.stdin));
const webhook = new Webhook(secret);
const other = new Webhook(`whsec_${Buffer.alloc(32).toString("base64")}`);
for (const { headers, body } of messages) {
  assert.deepEqual(webhook.verify(body, headers), JSON.parse(body));
  // And nothing else is signed by this.
  const forged = /No matching signature/;
  assert.throws(() => other.verify(body, headers), forged);
  assert.throws(() => webhook.verify(body.replace("enrollment.", "Enrollment."), headers), forged);
  assert.throws(() => webhook.verify(body, { ...headers, "webhook-id": `${headers["webhook-id"]}0` }), forged);
  const later = String(Number(headers["webhook-timestamp"]) + 1);
  assert.throws(() => webhook.verify(body, { ...headers, "webhook-timestamp": later }), forged);
}
console.log(`verified ${messages.length}`);
