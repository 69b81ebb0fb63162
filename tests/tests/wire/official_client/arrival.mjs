// A streamed batch of which one call has to wait: the other's answer is there before it. Whoever runs this holds the
// first course until told, on standard output, that the other has been answered. Arguments: the courses.
import assert from "node:assert/strict";
import { links, over, person } from "./harness.mjs";

const [held, free] = process.argv.slice(4);
const { token } = await person("waits");
const client = over(links.stream, token);
const waits = client.enrollment.enroll.mutate({ courseId: held });
const answer = await client.enrollment.enroll.mutate({ courseId: free });
assert.equal(answer.courseId, free);
console.log("answered");
assert.equal((await waits).courseId, held);
