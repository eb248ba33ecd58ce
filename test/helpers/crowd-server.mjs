// A server as `holdfast serve --http` makes it, but for callers who simply say who they are: a bearer token is a name.
// Where they call from is what X-Forwarded-For says, as behind a proxy that is trusted. Settings come from the environment.
// Runs the compiled program, because no Node that we support runs TypeScript for certain.
import './use-driver.mjs';

const { LIMITS, readConfig } = await import('../../dist/config/config.js');
const { openHoldfast } = await import('../../dist/app/open-app.js');
const { stderrLog } = await import('../../dist/observability/log.js');
const { SCOPES } = await import('../../dist/mcp/kit/caller.js');
const { serveOnHttp } = await import('../../dist/http/http.js');

const config = readConfig(process.env);
const holdfast = openHoldfast(config, stderrLog('silent'));

const authenticator = {
  judge: async ({ headers }) => {
    const principal = headers.authorization.replace(/^Bearer /, '');
    return { ok: true, caller: { principal, channel: null, scopes: new Set(SCOPES) } };
  },
  lacking: () => {
    throw new Error('these callers lack nothing');
  },
};

const serving = await serveOnHttp({ version: '0' }, holdfast.tools, {
  ...LIMITS.http,
  ...config.http,
  trusted_proxies: ['127.0.0.1'],
  authenticator,
  onError: (error) => process.stderr.write(`${error}\n`),
});
holdfast.startLoops();
process.stdout.write(`${serving.origin}/mcp\n`);

process.once('SIGTERM', async () => {
  await serving.close();
  await holdfast.stop();
});
