import { roundTrips } from '../../support/restore-keys-round-trips.ts';

roundTrips(1, 2);
