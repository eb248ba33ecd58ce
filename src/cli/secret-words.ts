/** Keeps secrets out of the command line, where others can read them. */

/** Options that would carry a secret, and what to do instead. */
const SECRET_OPTIONS: readonly string[] = [
  '--token',
  '--access-token',
  '--secret',
  '--client-secret',
  '--webhook-secret',
];

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
  const isOption = (word: string): boolean => SECRET_OPTIONS.includes(word.split('=', 1)[0] ?? '');
  if (!words.some((word) => isOption(word) || SHOPIFY_SECRET.test(word))) return;
  throw new SecretInWords(
    'A secret on the command line can be read by everybody on this machine (ps), and stays in the history of the shell. ' +
      'Give it with --token-file PATH or --token-env NAME (--secret-file, --secret-env for a client secret), or pipe it in:\n' +
      '  pbpaste | holdfast init --shop NAME --yes\n' +
      'If it was a real one, it may be known by now: make a new one in Shopify.',
  );
}
