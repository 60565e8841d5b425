import { roundTrips } from '../../support/restore-keys-round-trips.ts';

roundTrips(2, 2);
