import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Finding, failed, fine, warned } from '../../../src/cli/doctor/finding.js';
import { type InitOptions, type InitPorts, init } from '../../../src/cli/init/init.js';
import { parseShopName } from '../../../src/cli/init/init-answers.js';
import { commandLine } from '../../../src/cli/init/mcp-clients.js';
import { replaceFile } from '../../../src/cli/terminal/atomic-write.js';
import { type Dialogue, DialogueLeft } from '../../../src/cli/terminal/prompts.js';
import { refuseSecretsIn } from '../../../src/cli/terminal/reject-secret-args.js';
import { ConfigError } from '../../../src/config/config-error.js';
import type { Environment } from '../../../src/config/settings-sources.js';
import { scratchFolder } from '../../helpers/cli.js';

const WELL: readonly Finding[] = [fine('settings', ''), fine('token', 'It opens Acme.')];

let folder: ReturnType<typeof scratchFolder>;
let told: string[];
let asked: Environment[];

beforeEach(() => {
  folder = scratchFolder();
  told = [];
  asked = [];
});
afterEach(() => folder.remove());

const path = (...names: string[]): string => join(folder.path, ...names);
const settings = (): NodeJS.Dict<string> => parseEnv(readFileSync(path('.env'), 'utf8'));
const desktop = (): string => path('.config', 'Claude', 'claude_desktop_config.json');
const mode = (file: string): number => statSync(file).mode & 0o777;

function ports(changes: Partial<InitPorts> = {}): InitPorts {
  return {
    environment: {},
    dialogue: null,
    readPiped: async () => '',
    diagnose: async (environment) => {
      asked.push(environment);
      return WELL;
    },
    tell: (line) => void told.push(line),
    terminal: { coloured: false, columns: 100 },
    program: { node: '/usr/bin/node', script: '/opt/holdfast/dist/cli/holdfast.js' },
    platform: 'linux',
    home: folder.path,
    folder: folder.path,
    ...changes,
  };
}

const flags = (more: Partial<InitOptions> = {}): InitOptions => ({
  file: '.env',
  yes: true,
  check: true,
  ...more,
});

/** A person who has made up their mind. Whoever is asked more than they were prepared for leaves. */
function person(...answers: string[]): Dialogue {
  const next = (question: string): string => {
    told.push(`? ${question}`);
    const answer = answers.shift();
    if (answer === undefined) throw new DialogueLeft();
    return answer;
  };
  const ask: Dialogue['ask'] = async (question, fallback, complaintAbout = () => null) => {
    for (;;) {
      const answer = next(question) || (fallback ?? '');
      const complaint = complaintAbout(answer);
      if (complaint === null) return answer;
      told.push(complaint);
    }
  };
  return {
    tell: (line) => void told.push(line),
    ask,
    askSecret: async (question) => next(question) || null,
    confirm: async (question) => next(question) === 'y',
    choose: async (question, choices, fallback) => {
      // Enter alone, as at a terminal.
      const chosen = next(question) || fallback;
      const name = (Object.keys(choices) as (keyof typeof choices)[]).find((one) => one === chosen);
      if (name === undefined) throw new Error(`${chosen} is no choice`);
      return name;
    },
  };
}

describe('the shop’s name', () => {
  it.each([
    'acme',
    ' Acme.myshopify.com ',
    'https://acme.myshopify.com/admin?x=1',
    'https://admin.shopify.com/store/acme/settings',
    'admin.shopify.com/store/acme',
  ])('is understood as people paste it: %j', (input) => {
    expect(parseShopName(input)).toEqual({ ok: true, shop: 'acme.myshopify.com' });
  });

  it.each(['acme.com', 'https://www.acme.de/', '', 'my shop', 'acme.myshopify.com.myshopify.com'])(
    'is asked for again: %j',
    (input) => {
      expect(parseShopName(input)).toMatchObject({
        ok: false,
        why: expect.stringContaining('name.myshopify.com'),
      });
    },
  );
});

describe('without a person', () => {
  it('writes what the flags and a file say, for its owner alone, and prints the entry for a client', async () => {
    writeFileSync(path('token'), 'shpat_planted\n');
    expect(await init(flags({ shop: 'acme', tokenFile: path('token') }), ports())).toBe(true);
    expect(settings()).toEqual({
      SHOPIFY_SHOP: 'acme.myshopify.com',
      SHOPIFY_ACCESS_TOKEN: 'shpat_planted',
      HOLDFAST_DB: path('holdfast.db'),
    });
    expect(mode(path('.env'))).toBe(0o600);
    expect(told.join('\n')).toContain(`"${path('.env')}"`);
    expect(told.join('\n')).not.toContain('shpat_planted');
    expect(asked).toMatchObject([
      { SHOPIFY_SHOP: 'acme.myshopify.com', SHOPIFY_ACCESS_TOKEN: 'shpat_planted' },
    ]);
  });

  it('puts a new ledger beside the settings file, wherever it was started', async () => {
    mkdirSync(path('data'));
    const world = ports({ readPiped: async () => 'shpat_planted' });
    expect(await init(flags({ shop: 'acme', file: join('data', '.env') }), world)).toBe(true);
    expect(parseEnv(readFileSync(path('data', '.env'), 'utf8'))).toMatchObject({
      HOLDFAST_DB: path('data', 'holdfast.db'),
    });
  });

  it('says when git would take the settings file, and not once it is ignored', async () => {
    spawnSync('git', ['init', '--quiet'], { cwd: folder.path });
    const run = () => init(flags({ shop: 'acme' }), ports({ readPiped: async () => 'shpat_planted' }));
    await run();
    expect(told.join('\n')).toContain('lies in a git repository that does not ignore it');
    told = [];
    writeFileSync(path('.gitignore'), '.env\n');
    await run();
    expect(told.join('\n')).not.toContain('git repository');
  });

  it('says of a copy in the cache of npx that a client will lose it', async () => {
    const script = '/home/me/.npm/_npx/0123/node_modules/holdfast/dist/cli/holdfast.js';
    const world = ports({
      readPiped: async () => 'shpat_planted',
      program: { node: '/usr/bin/node', script },
    });
    expect(await init(flags({ shop: 'acme' }), world)).toBe(true);
    expect(told.join('\n')).toMatch(/cache of npx, which npm may empty[\s\S]*"\/usr\/bin\/node"/);
    expect(told.join('\n')).not.toContain('"-y"');
  });

  it.each([
    ['a variable', { tokenEnv: 'MY_TOKEN' }, ''],
    ['a pipe', {}, 'shpat_planted\n'],
  ])('takes a secret from %s', async (_, more, piped) => {
    const world = ports({ environment: { MY_TOKEN: 'shpat_planted' }, readPiped: async () => piped });
    expect(await init(flags({ shop: 'acme', ...more }), world)).toBe(true);
    expect(settings()).toMatchObject({ SHOPIFY_ACCESS_TOKEN: 'shpat_planted' });
  });

  it('takes a client id as a flag and its secret from a pipe; an older token goes, or it would go before them', async () => {
    writeFileSync(path('.env'), 'SHOPIFY_ACCESS_TOKEN=shpat_old\nFOO=bar\n');
    const world = ports({ readPiped: async () => 'planted-secret' });
    expect(await init(flags({ shop: 'acme', clientId: 'id-1' }), world)).toBe(true);
    expect(settings()).toEqual({
      FOO: 'bar',
      SHOPIFY_SHOP: 'acme.myshopify.com',
      SHOPIFY_CLIENT_ID: 'id-1',
      SHOPIFY_CLIENT_SECRET: 'planted-secret',
      HOLDFAST_DB: path('holdfast.db'),
    });
  });

  it('changes nothing when it is run again', async () => {
    const run = () => init(flags({ shop: 'acme' }), ports({ readPiped: async () => 'shpat_planted' }));
    await run();
    const before = readFileSync(path('.env'), 'utf8');
    told = [];
    expect(await init(flags(), ports())).toBe(true);
    expect(readFileSync(path('.env'), 'utf8')).toBe(before);
    expect(told.join('\n')).toContain('has all of this already');
  });

  it('writes nothing that does not work, and says why', async () => {
    const diagnose = async () => [failed('token', 'token_refused', 'The shop said no.', 'Make a new one.')];
    const world = ports({ readPiped: async () => 'shpat_planted', diagnose });
    expect(await init(flags({ shop: 'acme' }), world)).toBe(false);
    expect(existsSync(path('.env'))).toBe(false);
    expect(told.join('\n')).toMatch(
      /✗ token +The shop said no\.\n.*→ Make a new one\.[\s\S]*Nothing was written/,
    );
    expect(await init(flags({ shop: 'acme', check: false }), world)).toBe(true);
    expect(existsSync(path('.env'))).toBe(true);
  });

  it('checks the settings themselves even with --no-check', async () => {
    const world = ports({ readPiped: async () => 'shpat_planted' });
    const wrong = { shop: 'acme', check: false, publicUrl: 'http://stock.example.com' };
    const sources = { webhookSecretEnv: 'HOOK' };
    const failing = init(flags({ ...wrong, ...sources }), { ...world, environment: { HOOK: 'hook-secret' } });
    await expect(failing).rejects.toThrow(/HOLDFAST_PUBLIC_URL wants https/);
    expect(existsSync(path('.env'))).toBe(false);
    expect(asked).toEqual([]);
  });

  it('takes - for the public URL as the word that there is none', async () => {
    const text =
      'SHOPIFY_SHOP=acme.myshopify.com\nSHOPIFY_ACCESS_TOKEN=shpat_x\nHOLDFAST_PUBLIC_URL=https://stock.example.com\n';
    writeFileSync(path('.env'), text);
    expect(await init(flags({ publicUrl: '-' }), ports())).toBe(true);
    expect(settings()).toEqual({
      SHOPIFY_SHOP: 'acme.myshopify.com',
      SHOPIFY_ACCESS_TOKEN: 'shpat_x',
      HOLDFAST_DB: path('holdfast.db'),
    });
  });

  it('takes a public URL with a token only where something tells the shop’s messages from others’', async () => {
    const given = { shop: 'acme', tokenEnv: 'MY_TOKEN', publicUrl: 'https://stock.example.com' };
    const world = ports({ environment: { MY_TOKEN: 'shpat_planted', HOOK: 'hook-secret' } });
    const failing = init(flags(given), world);
    await expect(failing).rejects.toThrow(/--webhook-secret-file PATH[\s\S]*--public-url -/);
    expect(existsSync(path('.env'))).toBe(false);
    expect(await init(flags({ ...given, webhookSecretEnv: 'HOOK' }), world)).toBe(true);
    expect(settings()).toMatchObject({
      HOLDFAST_PUBLIC_URL: 'https://stock.example.com',
      SHOPIFY_WEBHOOK_SECRETS: 'hook-secret',
    });
  });

  it('leaves out what can’t be right yet: no server runs before there are settings', async () => {
    const diagnose = async () => [
      ...WELL,
      warned('server', 'not_running', 'Nobody is there.'),
      failed('webhooks', 'no_connection', 'Nobody listens.'),
    ];
    expect(await init(flags({ shop: 'acme' }), ports({ readPiped: async () => 'shpat_x', diagnose }))).toBe(
      true,
    );
    expect(told.join('\n')).not.toMatch(/Nobody/);
  });

  it.each([
    ['nothing', {}, 'wants --shop'],
    ['no way to sign in', { shop: 'acme' }, '--token-file'],
    ['a client id without its secret', { shop: 'acme', clientId: 'x' }, '--secret-file'],
    ['a shop of another kind', { shop: 'acme.com', tokenEnv: 'MY_TOKEN' }, '--shop: acme.com is a domain'],
    ['two ways for one thing', { shop: 'acme', tokenEnv: 'MY_TOKEN', tokenFile: 'x' }, 'two ways'],
    ['a token and a client id', { shop: 'acme', tokenEnv: 'MY_TOKEN', clientId: 'x' }, 'not both'],
    ['a file that is not there', { shop: 'acme', tokenFile: '/nowhere/at/all' }, 'ENOENT'],
    ['a variable that is not set', { shop: 'acme', tokenEnv: 'NOT_SET' }, 'not set'],
    ['a variable with two lines', { shop: 'acme', tokenEnv: 'TWO' }, 'one secret and no more'],
  ])('with %s it says what it wants', async (_, given, wants) => {
    const environment = { MY_TOKEN: 'shpat_planted', TWO: 'shpat_planted\nplanted' };
    const failing = init(flags(given), ports({ environment }));
    await expect(failing).rejects.toThrow(ConfigError);
    await expect(failing).rejects.toThrow(wants);
    await expect(failing).rejects.not.toThrow('planted');
    expect(existsSync(path('.env'))).toBe(false);
  });

  it('and without --yes there is nobody to ask', async () => {
    await expect(init(flags({ yes: false, shop: 'acme' }), ports())).rejects.toThrow('say --yes');
  });

  it('says when the environment will go before the file', async () => {
    const world = ports({
      environment: { SHOPIFY_SHOP: 'other.myshopify.com' },
      readPiped: async () => 'shpat_x',
    });
    await init(flags({ shop: 'acme' }), world);
    expect(told.join('\n')).toMatch(/SHOPIFY_SHOP is set to something else in the environment/);
  });
});

describe('with a person', () => {
  it('asks for shop, way, secret, ledger and address, and for each again until it makes sense', async () => {
    const dialogue = person(
      'acme.com',
      'acme',
      'client',
      'id-1',
      'planted',
      '',
      'http://stock.example.com',
      '-',
      '',
      'none',
    );
    expect(await init(flags({ yes: false }), ports({ dialogue }))).toBe(true);
    expect(settings()).toEqual({
      SHOPIFY_SHOP: 'acme.myshopify.com',
      SHOPIFY_CLIENT_ID: 'id-1',
      SHOPIFY_CLIENT_SECRET: 'planted',
      HOLDFAST_DB: path('holdfast.db'),
    });
    expect(told.join('\n')).toMatch(/acme\.com is a domain[\s\S]*wants https/);
    expect(told.join('\n')).not.toContain('planted');
  });

  it('asks for the secret of webhooks where a token does not bring it', async () => {
    const dialogue = person(
      'acme',
      'token',
      'shpat_x',
      '',
      'https://stock.example.com',
      'hook-secret',
      '',
      'none',
    );
    expect(await init(flags({ yes: false }), ports({ dialogue }))).toBe(true);
    expect(settings()).toMatchObject({
      HOLDFAST_PUBLIC_URL: 'https://stock.example.com',
      SHOPIFY_WEBHOOK_SECRETS: 'hook-secret',
    });
  });

  it('keeps what is there when all that is said is Enter, and does not overwrite without asking', async () => {
    const text =
      '# mine\nSHOPIFY_SHOP=acme.myshopify.com\nSHOPIFY_ACCESS_TOKEN=shpat_x\nHOLDFAST_DB=/data/l.db\nFOO=bar\n';
    writeFileSync(path('.env'), text, { mode: 0o644 });
    expect(
      await init(flags({ yes: false }), ports({ dialogue: person('', 'token', '', '', '', '', 'none') })),
    ).toBe(true);
    expect(readFileSync(path('.env'), 'utf8')).toBe(text);

    const no = person('other', 'token', 'shpat_y', '', '', '', 'n');
    expect(await init(flags({ yes: false }), ports({ dialogue: no }))).toBe(false);
    expect(readFileSync(path('.env'), 'utf8')).toBe(text);
    expect(told.join('\n')).toMatch(
      /SHOPIFY_SHOP, SHOPIFY_ACCESS_TOKEN will be replaced or removed; all other lines stay/,
    );

    const yes = person('other', 'token', 'shpat_y', '', '', '', 'y', 'none');
    expect(await init(flags({ yes: false }), ports({ dialogue: yes }))).toBe(true);
    expect(readFileSync(path('.env'), 'utf8')).toBe(
      text.replace('acme', 'other').replace('shpat_x', 'shpat_y'),
    );
    expect(mode(path('.env'))).toBe(0o600);
  });

  it('tells what is wrong before it writes, and lets the person decide', async () => {
    const diagnose = async () => [failed('scopes', 'scope_missing', 'The app lacks a scope.')];
    const answers = ['acme', 'token', 'shpat_x', '', '', ''];
    const leaves = ports({ diagnose, dialogue: person(...answers, 'leave') });
    expect(await init(flags({ yes: false }), leaves)).toBe(false);
    expect(existsSync(path('.env'))).toBe(false);
    const stays = ports({ diagnose, dialogue: person(...answers, 'write', 'none') });
    expect(await init(flags({ yes: false }), stays)).toBe(true);
    expect(existsSync(path('.env'))).toBe(true);
  });

  it('keeps every answer when the check fails: Enter goes through them again, and one word checks them once more', async () => {
    const verdicts = [
      [failed('shop', 'name_not_found', 'No such shop.')],
      [failed('scopes', 'scope_missing', 'The app lacks a scope.')],
      WELL,
    ];
    const diagnose = async (environment: Environment) => {
      asked.push(environment);
      return verdicts.shift() ?? [];
    };
    const first = ['acmee', 'client', 'id-1', 'planted', path('kept.db'), '-', 'paid'];
    const second = ['again', 'acme', '', '', '', '', '', ''];
    const dialogue = person(...first, ...second, 'check', 'none');
    expect(await init(flags({ yes: false }), ports({ dialogue, diagnose }))).toBe(true);
    expect(settings()).toEqual({
      SHOPIFY_SHOP: 'acme.myshopify.com',
      SHOPIFY_CLIENT_ID: 'id-1',
      SHOPIFY_CLIENT_SECRET: 'planted',
      HOLDFAST_DB: path('kept.db'),
      HOLDFAST_ORDER_PAYMENT: 'paid',
    });
    expect(asked).toHaveLength(3);
    expect(asked[2]).toEqual(asked[1]);
  });

  it.each([
    [
      'client',
      /dev\.shopify\.com\/dashboard → Apps → Create app[\s\S]*read_inventory[\s\S]*Install app[\s\S]*client id and secret/,
    ],
    ['token', /Develop apps → your app → API credentials[\s\S]*can’t be made any more/],
  ])('shows where to click for the way %s', async (way, wanted) => {
    const dialogue = person('acme', way);
    await expect(init(flags({ yes: false }), ports({ dialogue }))).rejects.toThrow(DialogueLeft);
    expect(told.join('\n')).toMatch(wanted);
  });

  it('writes nothing when the person leaves in the middle', async () => {
    const leaving = init(flags({ yes: false }), ports({ dialogue: person('acme', 'token') }));
    await expect(leaving).rejects.toThrow(DialogueLeft);
    expect(existsSync(path('.env'))).toBe(false);
  });
});

describe('the configuration of Claude Desktop', () => {
  const add = (dialogue: Dialogue | null = null) =>
    init(
      flags({ client: 'claude-desktop', shop: 'acme' }),
      ports({ dialogue, readPiped: async () => 'shpat_planted' }),
    );

  it('gets an entry without a secret, beside what is there, and keeps its mode', async () => {
    mkdirSync(join(desktop(), '..'), { recursive: true });
    writeFileSync(desktop(), '{ "mcpServers": { "files": { "command": "x" } }, "theme": "dark" }', {
      mode: 0o640,
    });
    expect(await add()).toBe(true);
    const text = readFileSync(desktop(), 'utf8');
    expect(JSON.parse(text)).toEqual({
      mcpServers: {
        files: { command: 'x' },
        holdfast: {
          command: '/usr/bin/node',
          args: ['/opt/holdfast/dist/cli/holdfast.js', 'serve', '--env', path('.env')],
        },
      },
      theme: 'dark',
    });
    expect(text).not.toContain('planted');
    expect(mode(desktop())).toBe(0o640);
    const backup = `${desktop()}.before-holdfast`;
    expect(readFileSync(backup, 'utf8')).toBe(
      '{ "mcpServers": { "files": { "command": "x" } }, "theme": "dark" }',
    );
    expect(mode(backup)).toBe(0o600);
    expect(told.join('\n')).toContain(`As it was before: ${backup}.`);
    told = [];
    expect(await add()).toBe(true);
    expect(readFileSync(desktop(), 'utf8')).toBe(text);
    expect(told.join('\n')).toContain('has holdfast already');
  });

  it('that is not valid JSON is left as it is, to the byte; what to add is printed', async () => {
    mkdirSync(join(desktop(), '..'), { recursive: true });
    writeFileSync(desktop(), '{ "mcpServers": {},\n}');
    expect(await add()).toBe(false);
    expect(readFileSync(desktop(), 'utf8')).toBe('{ "mcpServers": {},\n}');
    expect(told.join('\n')).toMatch(/not valid JSON \(line 2\)[\s\S]*"holdfast": \{/);
    // The settings were written before: nothing of the answers is lost.
    expect(settings()).toMatchObject({ SHOPIFY_SHOP: 'acme.myshopify.com' });
  });

  it('is not made up where there is no Claude Desktop', async () => {
    expect(await add()).toBe(false);
    expect(existsSync(desktop())).toBe(false);
    expect(told.join('\n')).toContain('is Claude Desktop installed?');
  });
});

describe('the other clients', () => {
  const configure = (client: InitOptions['client'], more: Partial<InitPorts> = {}) =>
    init(
      { ...flags({ shop: 'acme' }), ...(client === undefined ? {} : { client }) },
      ports({ readPiped: async () => 'shpat_planted', ...more }),
    );
  const start = ['/usr/bin/node', '/opt/holdfast/dist/cli/holdfast.js', 'serve', '--env'];

  it.each([
    ['cursor' as const, ['.cursor', 'mcp.json']],
    ['gemini' as const, ['.gemini', 'settings.json']],
  ])('%s: its file gets the entry, and keeps all else', async (client, parts) => {
    mkdirSync(path(parts[0] ?? ''));
    writeFileSync(path(...parts), '{ "theme": "dark" }');
    expect(await configure(client)).toBe(true);
    const text = readFileSync(path(...parts), 'utf8');
    const [command, ...args] = [...start, path('.env')];
    expect(JSON.parse(text)).toEqual({ theme: 'dark', mcpServers: { holdfast: { command, args } } });
    expect(text).not.toContain('planted');
  });

  it.each([
    ['claude-code' as const, 'claude mcp add --scope user holdfast -- '],
    ['codex' as const, 'codex mcp add holdfast -- '],
  ])('%s: its own command is printed, without a secret', async (client, begin) => {
    expect(await configure(client)).toBe(true);
    expect(told.join('\n')).toContain(`\n  ${begin}${start.join(' ')} ${path('.env')}`);
    expect(told.join('\n')).not.toContain('planted');
  });

  it('vscode: what to paste has its own key', async () => {
    expect(await configure('vscode')).toBe(true);
    const printed = told.join('\n');
    const pasted = JSON.parse(printed.slice(printed.indexOf('\n{'), printed.lastIndexOf('}') + 1));
    const [command, ...args] = [...start, path('.env')];
    expect(pasted).toEqual({ servers: { holdfast: { type: 'stdio', command, args } } });
  });

  it('words with blanks are quoted as the shell of the platform wants it', () => {
    const words = ['a/b', "it's here", '--env'];
    expect(commandLine(words, 'linux')).toBe("a/b 'it'\\''s here' --env");
    expect(commandLine(['C:\\Program Files\\node.exe'], 'win32')).toBe('"C:\\Program Files\\node.exe"');
  });
});

describe('replacing a file', () => {
  it('follows a link to the file that it names, and leaves nothing beside it', () => {
    writeFileSync(path('real'), 'old');
    symlinkSync(path('real'), path('link'));
    replaceFile(path('link'), 'new', 'private');
    expect(readFileSync(path('real'), 'utf8')).toBe('new');
    expect(readFileSync(path('link'), 'utf8')).toBe('new');
  });

  it('keeps its mode, and its owner where we may give files away', () => {
    writeFileSync(path('real'), 'old', { mode: 0o640 });
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(path('real'), 4711, 4712);
    const { uid, gid } = statSync(path('real'));
    replaceFile(path('real'), 'new', 'kept');
    expect(statSync(path('real'))).toMatchObject({ uid, gid });
    expect(mode(path('real'))).toBe(0o640);
    replaceFile(path('real'), 'newer', 'private');
    expect(statSync(path('real'))).toMatchObject({ uid, gid });
    expect(mode(path('real'))).toBe(0o600);
  });

  it('is not stopped by what a process with our number left when it died', () => {
    writeFileSync(path('real'), 'old');
    writeFileSync(path(`.real.${process.pid}.new`), 'half of', { mode: 0o644 });
    replaceFile(path('real'), 'new', 'private');
    expect(readFileSync(path('real'), 'utf8')).toBe('new');
    expect(mode(path('real'))).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(['real']);
  });

  it('that can’t be done leaves the old one', () => {
    mkdirSync(path('taken'));
    expect(() => replaceFile(path('taken'), 'new', 'private')).toThrow();
    expect(existsSync(path('taken'))).toBe(true);
    expect(() => replaceFile(path('nowhere', 'file'), 'new', 'private')).toThrow(/ENOENT/);
  });
});

describe('a secret among the words of the command line', () => {
  it.each([
    [['init', '--token', 'abc']],
    [['init', '--client-secret=abc']],
    [['init', '--shop', 'shpat_0123456789']],
    [['serve', '--whatever=shpss_0123456789']],
  ])('is refused, with the reason and another way, and is not repeated: %j', (words) => {
    expect(() => refuseSecretsIn(words)).toThrow(/read by everybody on this machine[\s\S]*--token-file/);
    expect(() => refuseSecretsIn(words)).not.toThrow(/abc|0123456789/);
  });

  it('is not seen where there is none', () => {
    expect(() =>
      refuseSecretsIn(['init', '--token-file', 'x', '--shop', 'shpatula', '--client-id', 'y']),
    ).not.toThrow();
  });
});

describe('22: who takes the money', () => {
  const before = 'SHOPIFY_SHOP=acme.myshopify.com\nSHOPIFY_ACCESS_TOKEN=shpat_x\n';
  const asked = (...answers: string[]) =>
    init(flags({ yes: false }), ports({ dialogue: person('', 'token', '', '', '', ...answers) }));

  it.each([
    ['', before, {}],
    ['pending', before, {}],
    ['paid', before, { HOLDFAST_ORDER_PAYMENT: 'paid' }],
    ['checkout_link', before, { HOLDFAST_ORDER_MODE: 'checkout_link' }],
    ['pending', `${before}HOLDFAST_ORDER_PAYMENT=paid\n`, { HOLDFAST_ORDER_PAYMENT: 'pending' }],
    ['', `${before}HOLDFAST_ORDER_PAYMENT=paid\n`, { HOLDFAST_ORDER_PAYMENT: 'paid' }],
    ['checkout_link', `${before}HOLDFAST_ORDER_PAYMENT=paid\n`, { HOLDFAST_ORDER_MODE: 'checkout_link' }],
    ['paid', `${before}HOLDFAST_ORDER_MODE=checkout_link\n`, { HOLDFAST_ORDER_PAYMENT: 'paid' }],
  ])('is asked: %j after %j writes %j', async (answer, text, wanted) => {
    writeFileSync(path('.env'), text);
    // Where something is replaced or removed, that is asked, too.
    expect(await asked(answer, ...(text === before || answer === '' ? [] : ['y']), 'none')).toBe(true);
    const { HOLDFAST_ORDER_MODE, HOLDFAST_ORDER_PAYMENT } = settings();
    expect({
      ...(HOLDFAST_ORDER_MODE === undefined ? {} : { HOLDFAST_ORDER_MODE }),
      ...(HOLDFAST_ORDER_PAYMENT === undefined ? {} : { HOLDFAST_ORDER_PAYMENT }),
    }).toEqual(wanted);
  });

  it('is a flag for scripts, and left as it is without one', async () => {
    writeFileSync(path('.env'), `${before}HOLDFAST_ORDER_PAYMENT=paid\n`);
    await init(flags({}), ports());
    expect(settings()['HOLDFAST_ORDER_PAYMENT']).toBe('paid');
    await init(flags({ money: 'checkout_link' }), ports());
    expect(settings()).toMatchObject({ HOLDFAST_ORDER_MODE: 'checkout_link' });
    expect(settings()).not.toHaveProperty('HOLDFAST_ORDER_PAYMENT');
  });
});

describe('for an agent over HTTP', () => {
  const given = { shop: 'acme', tokenFile: '', client: 'http' } as const;
  const tokenIn = (lines: readonly string[]): string =>
    /^ {2}(holdfast_\S+)$/m.exec(lines.join('\n'))?.[1] ?? '';

  beforeEach(() => writeFileSync(path('token'), 'shpat_planted\n'));

  it('makes a token, shows it once with what to paste, and names the list in the settings', async () => {
    expect(await init(flags({ ...given, tokenFile: path('token'), agent: 'robot' }), ports())).toBe(true);
    const token = tokenIn(told);
    expect(token).toMatch(/^holdfast_[\w-]{43}$/);
    expect(settings()).toMatchObject({ HOLDFAST_TOKENS: path('holdfast-tokens.json') });
    expect(mode(path('holdfast-tokens.json'))).toBe(0o600);
    const [entry] = JSON.parse(readFileSync(path('holdfast-tokens.json'), 'utf8'));
    expect(entry).toMatchObject({
      principal: 'robot',
      sha256: createHash('sha256').update(token).digest('hex'),
      scopes: ['inventory:read', 'inventory:reserve'],
    });
    expect(Date.parse(entry.expires_at) - Date.parse(entry.created_at)).toBe(90 * 24 * 3_600_000);
    expect(told.join('\n')).toContain(
      `"url":"http://127.0.0.1:8787/mcp","headers":{"Authorization":"Bearer ${token}"}`,
    );
    // A secret on a command line is seen by the whole machine, so none of our words puts one there.
    expect(told.filter((line) => line.includes(String(token)) && /claude|--header| add /.test(line))).toEqual(
      [],
    );
    expect(told.join('\n')).toContain('start it again, or it still lets everybody in');
    expect(readFileSync(path('.env'), 'utf8')).not.toContain(token);
  });

  it('adds to the list that is there, also where the setting holds it itself', async () => {
    const world = ports();
    await init(flags({ ...given, tokenFile: path('token') }), world);
    await init(flags({ ...given, tokenFile: path('token'), agent: 'other' }), world);
    const list = JSON.parse(readFileSync(path('holdfast-tokens.json'), 'utf8'));
    expect(list.map(({ principal }: { principal: string }) => principal)).toEqual(['agent', 'other']);
    writeFileSync(path('.env'), `HOLDFAST_TOKENS='[]'\n`);
    await init(flags({ ...given, tokenFile: path('token'), agent: 'third' }), world);
    expect(JSON.parse(settings()['HOLDFAST_TOKENS'] ?? '')).toMatchObject([{ principal: 'third' }]);
  });

  it('asks a person for the name, and says what a name may be', async () => {
    writeFileSync(path('.env'), 'SHOPIFY_SHOP=acme.myshopify.com\nSHOPIFY_ACCESS_TOKEN=shpat_x\n');
    const answers = ['', 'token', '', '', '', '', 'http', 'local', 'robot', 'y'];
    expect(await init(flags({ yes: false }), ports({ dialogue: person(...answers) }))).toBe(true);
    expect(told.join('\n')).toContain('is the name of whoever starts this server');
    expect(tokenIn(told)).not.toBe('');
    // And whether it may order.
    const [entry] = JSON.parse(readFileSync(path('holdfast-tokens.json'), 'utf8'));
    expect(entry.scopes).toEqual(['inventory:read', 'inventory:reserve', 'orders:submit']);
  });

  it('23: lets it order only where that is said', async () => {
    await init(flags({ ...given, tokenFile: path('token'), canOrder: true }), ports());
    const [entry] = JSON.parse(readFileSync(path('holdfast-tokens.json'), 'utf8'));
    expect(entry.scopes).toContain('orders:submit');
    expect(told.join('\n')).toContain('reserve and order, until');
  });

  it('refuses a name that is none, and writes no list', async () => {
    const wrong = flags({ ...given, tokenFile: path('token'), agent: 'a b' });
    await expect(init(wrong, ports())).rejects.toThrow('--agent wants a name');
    expect(existsSync(path('holdfast-tokens.json'))).toBe(false);
  });
});
