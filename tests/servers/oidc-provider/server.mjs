// The certified authorization server the tests sign in to: npm oidc-provider, configured and otherwise untouched.
//
//   node server.mjs '{"access_token_ttl": 900}'
//
// stdout speaks one JSON document a line: first {"issuer": ...}, then one record for every request that a client
// (not a person's browser) made. A line written to stdin comes back as {"echo": ...} once everything before it has
// been reported, so a reader knows that it has seen all. The server ends when stdin does: no test run, however it
// dies, leaves one behind.

import { createHash, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createInterface } from 'node:readline';

// The library warns of its development defaults (in-memory store, built-in login pages): exactly what is wanted
// here. Silenced before it is loaded, because it warns while loading too.
console.info = console.warn = () => {};
const { Provider, errors } = await import('oidc-provider');
const { createLocalJWKSet, jwtVerify } = await import('jose');

const settings = {
  port: 0,
  host: '127.0.0.1', // the address to listen on
  tls: undefined, // {key, cert}: both in PEM
  issuer: undefined, // where clients reach the server, if something stands before it
  access_token_ttl: 900,
  refresh_token_ttl: 7 * 24 * 3600,
  device_code_ttl: 600,
  default_resource: 'urn:api',
  rotate_refresh_token: true,
  client_secret: 's3cr:t%/+ ?&=~"',
  long_secret: '0123456789abcdef0123456789abcdef-long',
  platform: undefined, // {issuer, audience, jwks}: whose identity tokens may be exchanged
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  keyed_clients: [], // [client_id, algorithm, JWK]: clients that prove themselves with a private key
  ...JSON.parse(process.argv[2] ?? '{}'),
};

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_TOKEN_ALGORITHMS = ['RS256', 'RS512', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
// What a client calls. A browser's requests (authorization, login and consent pages) are not logged.
const LOGGED = new Set([
  'token', 'revocation', 'introspection', 'device_authorization', 'discovery', 'jwks', 'userinfo',
]);

const report = (record) => process.stdout.write(`${JSON.stringify(record)}\n`);
const fingerprint = (token) => token && createHash('sha256').update(token).digest('hex');

function signingKeys() {
  const kinds = [['rsa', { modulusLength: 2048 }], ['ec', { namedCurve: 'P-256' }], ['ed25519', {}]];
  return kinds.map(([kind, options]) => ({
    ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid: kind, use: 'sig',
  }));
}

// RFC 8252: a native client's loopback redirect URI matches on any port.
const native = (client_id, id_token_signed_response_alg) => ({
  client_id,
  client_name: 'tokenctl tests',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
  response_types: ['code'],
  grant_types: [
    'authorization_code', 'refresh_token', DEVICE_CODE, ...(settings.platform ? [TOKEN_EXCHANGE] : []),
  ],
  id_token_signed_response_alg,
});

// A client of a person that has a secret too, as most providers want it.
const confidential = (client_id, token_endpoint_auth_method) => ({
  ...native(client_id, 'RS256'),
  client_secret: settings.client_secret,
  token_endpoint_auth_method,
});

const machine = (client_id, token_endpoint_auth_method) => ({
  client_id,
  client_secret: settings.client_secret,
  token_endpoint_auth_method,
  redirect_uris: [],
  response_types: [],
  grant_types: ['client_credentials'],
});

const keyed = ([client_id, algorithm, jwk]) => ({
  ...machine(client_id, 'private_key_jwt'),
  client_secret: undefined,
  token_endpoint_auth_signing_alg: algorithm,
  jwks: { keys: [jwk] },
});

const job = () => ({
  ...native('job', 'RS256'),
  grant_types: [TOKEN_EXCHANGE],
  redirect_uris: [],
  response_types: [],
});

// RFC 8693, as an extra grant of the library: a platform's identity token for an access token. Its signature, issuer,
// audience and expiry are checked.
async function exchange(ctx) {
  const { client, params } = ctx.oidc;
  const { issuer, audience, jwks } = settings.platform;
  const ours = params.subject_token_type === 'urn:ietf:params:oauth:token-type:access_token';
  if (!ours && params.subject_token_type !== 'urn:ietf:params:oauth:token-type:jwt') throw new errors.InvalidRequest();
  const { provider } = ctx.oidc;
  const trusted = ours
    ? [createLocalJWKSet({ keys: publicKeys }), { issuer: provider.issuer, audience: 'urn:api' }]
    : [createLocalJWKSet(jwks), { issuer, audience }];
  try {
    await jwtVerify(params.subject_token, trusted[0], { ...trusted[1], requiredClaims: ['exp', 'sub'] });
  } catch (error) {
    throw new errors.InvalidGrant(error.code);
  }
  const target = params.audience ?? 'urn:api';
  const scope = ours ? params.scope : 'api';
  const token = new provider.ClientCredentials({ client, scope });
  token.resourceServer = new provider.ResourceServer(target, resourceServer(ctx, target));
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: settings.issued_token_type,
    token_type: 'Bearer',
    expires_in: token.expiration,
    scope,
  };
}

// An access token for `urn:opaque` is opaque, so that it can be introspected and revoked; for any other resource
// it is a signed JWT, which this library can do neither with.
function resourceServer(ctx, resource) {
  const opaque = resource === 'urn:opaque';
  return {
    audience: resource,
    scope: 'openid offline_access api read write',
    accessTokenTTL: settings.access_token_ttl,
    ...(opaque
      ? { accessTokenFormat: 'opaque' }
      : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
  };
}

// Anyone may sign in, under any name and with any password.
const findAccount = (ctx, login) => ({
  accountId: login,
  claims: () => ({
    sub: login,
    name: login[0].toUpperCase() + login.slice(1),
    preferred_username: login,
    email: `${login}@example.com`,
    email_verified: true,
  }),
});

const privateKeys = signingKeys();
const publicKeys = privateKeys.map(({ kty, n, e, crv, x, y, kid, use }) => ({ kty, n, e, crv, x, y, kid, use }));

const configuration = {
  clients: [
    native('native', 'RS256'),
    ...ID_TOKEN_ALGORITHMS.map((algorithm) => native(`native-${algorithm.toLowerCase()}`, algorithm)),
    confidential('confidential-basic', 'client_secret_basic'),
    confidential('confidential-post', 'client_secret_post'),
    machine('machine', 'client_secret_basic'),
    machine('machine-post', 'client_secret_post'),
    { ...machine('machine-secret-jwt', 'client_secret_jwt'), client_secret: settings.long_secret },
    ...settings.keyed_clients.map(keyed),
    ...(settings.platform ? [job()] : []),
  ],
  jwks: { keys: privateKeys },
  enabledJWA: {
    idTokenSigningAlgValues: ID_TOKEN_ALGORITHMS,
    clientAuthSigningAlgValues: ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
  },
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'],
  cookies: { keys: ['throw-away'] },
  findAccount,
  scopes: ['openid', 'offline_access'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false, // name and e-mail in the ID token too, as most servers do
  pkce: { required: () => true }, // S256 is the only method the library knows
  rotateRefreshToken: settings.rotate_refresh_token,
  ttl: {
    AccessToken: settings.access_token_ttl,
    ClientCredentials: settings.access_token_ttl,
    RefreshToken: settings.refresh_token_ttl,
    DeviceCode: settings.device_code_ttl,
  },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    userinfo: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) => oneOf?.[0] ?? settings.default_resource ?? undefined,
      getResourceServerInfo: resourceServer,
      // Without this a request with `openid` gets a token for userinfo instead of one for the API.
      useGrantedResource: () => true,
    },
  },
};

async function log(ctx, next) {
  await next();
  const { route, params, client } = ctx.oidc ?? {};
  if (!LOGGED.has(route)) return;
  report({
    method: ctx.method,
    path: ctx.path,
    route,
    status: ctx.status,
    client_id: client?.clientId ?? params?.client_id,
    grant_type: params?.grant_type,
    resource: params?.resource,
    scope: params?.scope,
    refresh_token_sha256: fingerprint(params?.refresh_token),
    token_sha256: fingerprint(params?.token), // of a revocation or an introspection
    error: ctx.body?.error,
    error_description: ctx.body?.error_description,
  });
}

// The issuer contains the port, so the port comes first.
const server = settings.tls ? createSecureServer(settings.tls) : createServer();
server.listen(settings.port, settings.host, () => {
  const issuer = settings.issuer ?? `${settings.tls ? 'https' : 'http'}://${settings.host}:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  provider.use(log);
  if (settings.platform) {
    provider.registerGrantType(
      TOKEN_EXCHANGE,
      exchange,
      ['subject_token', 'subject_token_type', 'requested_token_type', 'scope', 'audience'],
    );
  }
  provider.on('server_error', (ctx, error) => console.error(error));
  server.on('request', provider.callback());
  report({ issuer });
});

createInterface({ input: process.stdin })
  .on('line', (line) => report({ echo: line }))
  .on('close', () => process.exit(0));
