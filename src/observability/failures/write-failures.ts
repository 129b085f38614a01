import type { Failure } from './failure.js';

/** Writes that were refused so that the journal stays whole. */
export const WRITE_FAILURES = {
  ML001: {
    where: ['psql'],
    meaning: {
      fr: 'Quelqu’un a voulu modifier le journal.',
      en: 'Somebody tried to change the journal.',
    },
    remedy: {
      fr: 'On ne fait qu’y ajouter.',
      en: 'It is append-only.',
    },
  },
  ML002: {
    where: ['psql'],
    meaning: {
      fr: 'TRUNCATE d’une table répliquée.',
      en: '`TRUNCATE` of a replicated table.',
    },
    remedy: {
      fr: 'Utilisez DELETE.',
      en: 'Use `DELETE`.',
    },
  },
  ML004: {
    where: ['psql'],
    meaning: {
      fr: 'Une transaction a encore modifié après avoir été journalisée.',
      en: 'A transaction changed more after it had been journaled.',
    },
    remedy: {
      fr: 'Pas de SET CONSTRAINTS … IMMEDIATE avant sa dernière modification.',
      en: 'No `SET CONSTRAINTS … IMMEDIATE` before its last change.',
    },
  },
  JOURNAL_CONTRADICTED: {
    where: ['log'],
    meaning: {
      fr: 'À la validation, les tables contredisent ce qui devait être journalisé. La transaction est annulée.',
      en: 'At commit the tables contradict what was to be journaled. The transaction was rolled back.',
    },
    remedy: {
      fr: 'Cherchez un déclencheur ou une règle qui écrit dans une table répliquée, et retirez-le.',
      en: 'Look for a trigger or rule that writes to a replicated table, and remove it.',
    },
  },
  COMMIT_ROLLED_BACK: {
    where: ['log'],
    meaning: {
      fr: 'Une instruction avait échoué, et la transaction a continué : sa validation l’a annulée. Rien n’a été écrit.',
      en: 'A statement had failed and the transaction went on: its commit rolled it back. Nothing was written.',
    },
    remedy: {
      fr: 'Répétez la requête ; si cela se répète, signalez-le aux développeurs.',
      en: 'Repeat the request; if it happens again, tell the developers.',
    },
  },
  UNDESCRIBABLE_WRITE: {
    where: ['log'],
    meaning: {
      fr: 'Un module a écrit d’une façon qui ne peut être journalisée. Rien n’a été écrit.',
      en: 'A module wrote in a way that cannot be journaled. Nothing was written.',
    },
    remedy: {
      fr: 'Signalez-le aux développeurs ; le message dit par quoi remplacer l’écriture.',
      en: 'Tell the developers; the message says what to write instead.',
    },
  },
} as const satisfies Record<string, Failure>;
