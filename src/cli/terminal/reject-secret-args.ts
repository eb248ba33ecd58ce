/** Keeps secrets out of the command line, where others can read them. */

/** Options that would carry a secret, and what to do instead. */
const SECRET_OPTIONS: readonly string[] = [
  '--token',
  '--access-token',
  '--secret',
  '--client-secret',
  '--webhook-secret',
];

/** Of an HTTP caller; `mint-token.ts` makes them. */
const HOLDFAST_TOKEN = /holdfast_[\w-]{43}/;

const SHOPIFY_SECRET = /shp(?:at|ca|pa|ss|ua|tka)_/;

/** Thrown for a command line with a secret in it. The message does not repeat it. */
export class SecretInWords extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SecretInWords';
  }
}

/** Throws SecretInWords when any word is, or would carry, a secret. */
export function refuseSecretsIn(words: readonly string[]): void {
  if (words.some((word) => HOLDFAST_TOKEN.test(word))) {
    throw new SecretInWords(
      'That is a token of an HTTP caller. It can be read now by everybody on this machine (ps), and stays in the history of the shell: revoke it by the name of its principal, or by its SHA-256 as holdfast tokens list shows it.',
    );
  }
  const isOption = (word: string): boolean => SECRET_OPTIONS.includes(word.split('=', 1)[0] ?? '');
  if (!words.some((word) => isOption(word) || SHOPIFY_SECRET.test(word))) return;
  throw new SecretInWords(
    'A secret on the command line can be read by everybody on this machine (ps), and stays in the history of the shell. ' +
      'Give it with --token-file PATH or --token-env NAME (--secret-file, --secret-env for a client secret), or pipe it in:\n' +
      '  pbpaste | holdfast init --shop NAME --yes\n' +
      'If it was a real one, it may be known by now: make a new one in Shopify.',
  );
}
