import { Injectable } from '@nestjs/common';
import { Downlink } from './downlink.js';
import { PeerRecord } from './peer-record.js';
import { Uplink } from './uplink.js';

/** Both directions of the exchange with central, to look at. On a central node there is none. */
@Injectable()
export class RelayView {
  constructor(
    readonly uplink: Uplink,
    readonly downlink: Downlink,
    readonly peer: PeerRecord,
  ) {}
}
