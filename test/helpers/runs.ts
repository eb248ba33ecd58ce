/** How many random cases a test looks at: as many as it says, unless HOLDFAST_TEST_RUNS asks for more, or for a quick look. */
export function runsOr(usual: number): number {
  return Number(process.env['HOLDFAST_TEST_RUNS'] ?? usual);
}
