import { Global, Module } from '@nestjs/common';
import { DirectLink } from './direct-link.js';
import { LINK } from './link.js';
import { PeerRecord } from './peer-record.js';
import { QuarantineWatch } from './quarantine-watch.js';
import { Uplink } from './uplink.js';

/** On regional and standalone nodes: the journal's way to central. */
@Global()
@Module({
  providers: [Uplink, PeerRecord, QuarantineWatch, { provide: LINK, useClass: DirectLink }],
  exports: [Uplink, PeerRecord],
})
export class RelayModule {}
