import { Global, Module } from '@nestjs/common';
import { Acknowledgement } from '../journal/acknowledgement.js';
import { DataRouter } from '../routing/data-router.js';
import { DirectLink } from './direct-link.js';
import { Downlink } from './downlink.js';
import { ExchangeWatch } from './exchange-watch.js';
import { CentralHealing } from './central-healing.js';
import { JournalAgreement } from './journal-agreement.js';
import { LINK } from './link.js';
import { PeerRecord } from './peer-record.js';
import { QuarantineWatch } from './quarantine-watch.js';
import { RelayView } from './relay-view.js';
import { RegionHealing } from './region-healing.js';
import { Uplink } from './uplink.js';

/** On regional and standalone nodes: the journal's way to central. */
@Global()
@Module({
  providers: [
    Uplink,
    Downlink,
    RelayView,
    PeerRecord,
    QuarantineWatch,
    JournalAgreement,
    RegionHealing,
    CentralHealing,
    { provide: LINK, useClass: DirectLink },
    {
      provide: ExchangeWatch,
      useFactory: (router: DataRouter, acknowledgement: Acknowledgement, uplink: Uplink) =>
        new ExchangeWatch(router, acknowledgement, uplink),
      inject: [DataRouter, Acknowledgement, Uplink],
    },
  ],
  exports: [Uplink, PeerRecord, RelayView],
})
export class RelayModule {}
