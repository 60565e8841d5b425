import { testCells } from '../../support/matrix/test-cells.ts';

testCells(0, 2);
