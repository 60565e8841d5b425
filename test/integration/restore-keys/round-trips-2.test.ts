import { roundTrips } from '../../support/restore/restore-keys-round-trips.ts';

roundTrips(2, 2);
