import { Inject, Injectable } from '@nestjs/common';
import { sha256 } from '../common/digest.js';
import { WechatRandomness } from '../common/randomness.js';
import { Sealer } from '../common/sealer.js';

const VERSION = '1';
const ID_BYTES = 16;

/**
 * The OAuth `state`: a version, a random id, and a MAC over that id, the ticket and the browser. So a callback is
 * accepted only in the browser that the sign-in started in, with the ticket it started with, on any instance and
 * without anything stored. 97 characters of [0-9a-f], well under WeChat's limit of 128.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-10.12
 */
@Injectable()
export class States {
  constructor(
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(WechatRandomness) private readonly randomness: WechatRandomness,
  ) {}

  issue(sealedTicket: string, browserId: string): string {
    const id = this.randomness.bytes(ID_BYTES).toString('hex');
    return VERSION + id + this.sealer.mac(boundText(id, sealedTicket, browserId));
  }

  /** @returns whether this state was issued for this ticket and this browser. */
  verify(state: string | undefined, sealedTicket: string, browserId: string | undefined): boolean {
    const [, id, mac] = /^1([0-9a-f]{32})([0-9a-f]{64})$/.exec(state ?? '') ?? [];
    if (id === undefined || mac === undefined || browserId === undefined) return false;
    return this.sealer.verifyMac(boundText(id, sealedTicket, browserId), mac);
  }
}

function boundText(id: string, sealedTicket: string, browserId: string): string {
  return [VERSION, id, sha256(sealedTicket).toString('hex'), browserId].join('.');
}
