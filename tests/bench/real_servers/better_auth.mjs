// Better Auth with its OAuth provider, its memory adapter, one person and two clients: configuration only.
import { createServer } from "node:http";
import { oauthProvider } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";

const settings = JSON.parse(process.argv[2]);
const tables = ["user", "session", "account", "verification", "jwks", "oauthClient", "oauthRefreshToken"];
const more = ["oauthAccessToken", "oauthConsent", "oauthResource", "oauthClientResource", "oauthClientAssertion"];
const auth = betterAuth({
  baseURL: settings.origin,
  secret: "only for this test, and long enough for it",
  database: memoryAdapter(Object.fromEntries([...tables, ...more].map((name) => [name, []]))),
  emailAndPassword: { enabled: true },
  disabledPaths: ["/token"],
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  plugins: [
    jwt(),
    oauthProvider({
      loginPage: "/sign-in",
      consentPage: "/consent",
      accessTokenExpiresIn: settings.seconds,
      m2mAccessTokenExpiresIn: settings.seconds,
      scopes: ["openid", "profile", "offline_access", "read"],
      clientPrivileges: () => true,
      generateClientSecret: () => settings.secret,
    }),
  ],
});
const person = { name: "Alice", email: settings.email, password: settings.password };
const signedUp = await auth.api.signUpEmail({ body: person, returnHeaders: true });
const cookie = signedUp.headers.getSetCookie().map((each) => each.split(";")[0]).join("; ");
const clients = {};
for (const name of ["public", "confidential"]) {
  const secret = name === "confidential";
  const made = await auth.api.adminCreateOAuthClient({
    headers: new Headers({ cookie }),
    body: {
      client_name: name,
      redirect_uris: [settings.redirect_uri],
      token_endpoint_auth_method: secret ? "client_secret_basic" : "none",
      application_type: "native",
      grant_types: ["authorization_code", "refresh_token", ...(secret ? ["client_credentials"] : [])],
      skip_consent: true,
      ...(secret ? { client_credentials_scopes: ["read"] } : {}),
    },
  });
  clients[name] = made.client_id;
}
const answer = toNodeHandler(auth);
createServer((request, response) => {
  if (request.url === "/clients") {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(clients));
  } else {
    answer(request, response);
  }
}).listen(settings.port, "127.0.0.1");
