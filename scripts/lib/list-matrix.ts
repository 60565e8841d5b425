// Prints what scripts/test-matrix is about to do, and what it leaves out.
import { describeMatrix, restoreMatrix } from '../../test/support/matrix/cells.ts';

console.log(describeMatrix(restoreMatrix()));
