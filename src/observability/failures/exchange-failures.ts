import type { Failure } from './failure.js';

/** What stops the exchange with central for a while, or keeps a change from it. SQLSTATEs are in `src/apply/sqlstate.ts`. */
export const EXCHANGE_FAILURES = {
  CURSOR_MOVED: {
    where: ['status', 'log'],
    meaning: {
      fr: 'Le curseur de la base centrale a été déplacé par quelqu’un d’autre.',
      en: 'Central’s cursor was moved by somebody else.',
    },
    remedy: {
      fr: 'Passe de soi-même. Si cela revient : un script ou un administrateur y écrit.',
      en: 'Passes by itself. If it comes back: a script or an administrator writes there.',
    },
  },
  UNKNOWN_ENTITY: {
    where: ['status', 'log'],
    meaning: {
      fr: 'Le lot contient des données d’un type que ce MedLink ne connaît pas.',
      en: 'The chunk has records of a kind that this MedLink does not know.',
    },
    remedy: {
      fr: 'Mettez à niveau le nœud qui porte le relais.',
      en: 'Upgrade the node that runs the relay.',
    },
  },
  LARGE_SET_REFUSED: {
    where: ['status', 'log'],
    meaning: {
      fr: 'Une transaction plus grande qu’un lot a été refusée.',
      en: 'A transaction larger than a chunk was refused.',
    },
    remedy: {
      fr: 'Passe de soi-même : elle est renvoyée et va en quarantaine.',
      en: 'Passes by itself: it is sent again and goes to quarantine.',
    },
  },
  LANE_HELD: {
    where: ['status', 'log'],
    see: 'changes-are-in-quarantine',
    meaning: {
      fr: 'Une transaction plus grande qu’un lot touche un patient qui attend en quarantaine : elle attend derrière lui.',
      en: 'A transaction larger than a chunk touches a patient who waits in quarantine: it waits behind that.',
    },
    remedy: {
      fr: 'Relancez les modifications de ce patient.',
      en: 'Retry that patient’s changes.',
    },
  },
  SCHEMA_AHEAD: {
    where: ['quarantine'],
    see: 'upgrades',
    meaning: {
      fr: 'Une version plus récente de MedLink a fait cette modification.',
      en: 'A newer version of MedLink made the change.',
    },
    remedy: {
      fr: 'Mettez à niveau le nœud qui la reçoit. Elle est appliquée d’elle-même ensuite.',
      en: 'Upgrade the node that receives it. It is applied by itself then.',
    },
  },
  REGION_CLAIMED: {
    where: ['status', 'log'],
    see: 'a-regions-node-is-lost',
    meaning: {
      fr: 'Une autre base a le code de cette région à la base centrale.',
      en: 'Another database has this region’s code at central.',
    },
    remedy: {
      fr: 'Vérifiez MEDLINK_REGION et la base de ce nœud. Si l’autre est perdue, libérez le code.',
      en: 'Check MEDLINK_REGION and this node’s database. When the other one is lost, release the code.',
    },
  },
  REGION_DISABLED: {
    where: ['status', 'log'],
    meaning: {
      fr: 'Un administrateur a arrêté l’échange de la région. Les modifications attendent dans le journal.',
      en: 'An administrator has stopped the region’s exchange. Changes wait in the journal.',
    },
    remedy: {
      fr: 'PATCH /regions/{code} avec {"enabled": true}.',
      en: 'PATCH /regions/{code} with {"enabled": true}.',
    },
  },
  ML003: {
    where: ['quarantine'],
    see: 'changes-are-in-quarantine',
    meaning: {
      fr: 'Un enregistrement que la région a modifié ou supprimé n’existe pas à la base centrale.',
      en: 'A row that the region changed or removed is not at central.',
    },
    remedy: {
      fr: 'Retrouvez et remettez la ligne, puis relancez.',
      en: 'Find the row, put it back, then retry.',
    },
  },
  ECONNREFUSED: {
    where: ['status', 'log'],
    meaning: {
      fr: 'Le serveur ne répond pas à cette adresse.',
      en: 'No server answers at that address.',
    },
    remedy: {
      fr: 'Démarrez-le, ou corrigez l’URL ; le nœud reprend de lui-même.',
      en: 'Start it, or correct the URL; the node goes on by itself.',
    },
  },
  ECONNRESET: {
    where: ['status', 'log'],
    meaning: {
      fr: 'La connexion a été coupée.',
      en: 'The connection was cut.',
    },
    remedy: {
      fr: 'Rien, si cela ne revient pas ; sinon voyez le réseau et le journal du serveur.',
      en: 'Nothing, unless it comes back; then see the network and the server’s log.',
    },
  },
  ENOTFOUND: {
    where: ['status', 'log'],
    meaning: {
      fr: 'Le nom du serveur n’est pas connu du DNS.',
      en: 'The server’s name is not known to the DNS.',
    },
    remedy: {
      fr: 'Corrigez l’URL ou le DNS ; le nœud reprend de lui-même.',
      en: 'Correct the URL or the DNS; the node goes on by itself.',
    },
  },
  ETIMEDOUT: {
    where: ['status', 'log'],
    meaning: {
      fr: 'Le réseau ne mène pas au serveur.',
      en: 'The network does not lead to the server.',
    },
    remedy: {
      fr: 'Rétablissez-le ; le nœud reprend de lui-même.',
      en: 'Restore it; the node goes on by itself.',
    },
  },
  Error: {
    where: ['status', 'log'],
    meaning: {
      fr: '« Query read timeout » : le serveur a accepté la connexion et n’a pas répondu à temps.',
      en: '"Query read timeout": the server accepted the connection and did not answer in time.',
    },
    remedy: {
      fr: 'Voyez la base centrale : verrous, charge, disque.',
      en: 'Look at central: locks, load, disk.',
    },
  },
} as const satisfies Record<string, Failure>;
