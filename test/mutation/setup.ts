/** A mutant that random cases don't find at once is left to the tests that name theirs. */

import fc from 'fast-check';

fc.configureGlobal({ interruptAfterTimeLimit: 100 });
