// A certified OpenID Connect provider on this machine, and beside it, at an origin of its own, a page that signs in with
// it. Says where they are as a line of JSON, and then what was asked for while it did not answer.
//
// On its input, a line each: `rotate` changes the key that it signs with, `hang` has it not answer when its keys are asked
// for, `close` stops it.
import { createHash, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const CLIENT = "learn";

/** What the access tokens are for: by its address in requests, and by its name in tokens. */
const RESOURCE = "urn:example:rollbook";
const AUDIENCE = "rollbook";
const SCOPE = "rollbook";

/** Who has an account: what their tokens say of them. */
const ACCOUNTS = {
  cleo: { name: "Cleo Coordinator", rollbook_role: "coordinator" },
  // Says no role.
  nils: { name: "Nils Newcomer" },
  // Says a role that there is none of.
  olga: { name: "Olga Other", rollbook_role: "owner" },
};

const site = await listening();
const page = await listening();
let keys = newKeys();
let hangs = false;
let provider = newProvider();

site.server.on("request", (request, response) => {
  const { pathname } = new URL(request.url, site.url);
  const [, first, uid] = pathname.split("/");
  if (pathname === "/jwks" && hangs) {
    say({ unanswered: pathname });
  } else if (first === "interaction") {
    interact(request, response, uid).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  } else {
    provider.callback()(request, response);
  }
});

const html = await readFile(new URL("page.html", import.meta.url));
page.server.on("request", (_, response) => response.writeHead(200, { "content-type": "text/html" }).end(html));

say({ issuer: site.url, page: `${page.url}/` });

createInterface(process.stdin)
  .on("line", (line) => {
    if (line === "rotate") {
      keys = newKeys();
      provider = newProvider();
      say({ rotated: keys[0].kid });
    } else if (line === "hang") {
      hangs = true;
      say({ hangs });
    } else if (line === "close") {
      process.exit();
    } else {
      throw new Error(`unknown: ${line}`);
    }
  })
  // It does not outlive who started it.
  .on("close", () => process.exit());

function say(said) {
  console.log(JSON.stringify(said));
}

/** A server on a free port of this machine. */
async function listening() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

function newKeys() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return [{ ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" }];
}

/** The provider with its present keys. Who has signed in with it is kept beside it, by the process. */
function newProvider() {
  return new Provider(site.url, {
    jwks: { keys },
    clients: [
      {
        client_id: CLIENT,
        redirect_uris: [`${page.url}/`],
        response_types: ["code"],
        grant_types: ["authorization_code"],
        // A page keeps no secret.
        token_endpoint_auth_method: "none",
      },
    ],
    clientBasedCORS: (_, origin) => origin === page.url,
    cookies: { keys: [createHash("sha256").update(site.url).digest("hex")] },
    pkce: { required: () => true },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    extraTokenClaims: (_, token) => ACCOUNTS[token.accountId],
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600 },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPE,
          audience: AUDIENCE,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
}

/** Asks who somebody is, and then whether the page may know. */
async function interact(request, response, uid) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (request.method !== "POST") {
    const form = prompt.name === "login" ? '<label>Name <input name="login"></label> <button>Sign in</button>' : "<button>Allow</button>";
    response.writeHead(200, { "content-type": "text/html" });
    response.end(`<!doctype html><title>${prompt.name}</title><form method="post" action="/interaction/${uid}">${form}</form>`);
    return;
  }
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  if (prompt.name === "login") {
    const accountId = new URLSearchParams(body).get("login");
    if (!Object.hasOwn(ACCOUNTS, accountId)) throw new Error(`no account: ${accountId}`);
    await provider.interactionFinished(request, response, { login: { accountId } });
  } else {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope("openid");
    grant.addResourceScope(RESOURCE, SCOPE);
    await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }
}
