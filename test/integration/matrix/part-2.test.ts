import { testCells } from '../../support/matrix/test-cells.ts';

testCells(1, 2);
