/** Figures as a person says them. */

export function durationText(ms: number): string {
  if (Math.abs(ms) < 1_000) return 'less than a second';
  const s = Math.round(Math.abs(ms) / 1_000);
  if (s < 120) return s === 1 ? '1 second' : `${s} seconds`;
  const min = Math.round(s / 60);
  if (min < 120) return `${min} minutes`;
  const h = Math.round(min / 60);
  return h < 48 ? `${h} hours` : `${Math.round(h / 24)} days`;
}

export function agoText(ms: number): string {
  return `${durationText(ms)} ago`;
}

export function bytesText(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.floor(bytes / 2 ** 20)} MiB`;
}

/** Whole numbers with thin groups: 100 000 is read at a glance. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
