/** Group d: what a call costs the server over a tool that does nothing. Filled in below. */
export async function server() {
  return [];
}
