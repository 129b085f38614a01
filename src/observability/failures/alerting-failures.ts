import type { Failure, Severity } from './failure.js';

/** What raises an alert. */
export const ALERTING_FAILURES = {
  CHANGE_REFUSED: {
    where: ['alert'],
    see: 'changes-are-in-quarantine',
    severity: 'critical',
    meaning: {
      fr: 'La base centrale a refusé des modifications. Elles sont en quarantaine, entières ; les modifications suivantes des mêmes patients attendent derrière elles.',
      en: 'Central refused changes. They are in quarantine, whole; later changes of the same patients wait behind them.',
    },
    remedy: {
      fr: 'Consultez GET /sync/quarantine, corrigez la cause, puis relancez ; ou écartez avec un motif.',
      en: 'Look at GET /sync/quarantine, correct the cause, then retry; or discard with a reason.',
    },
  },
  HELD_FOR_UPGRADE: {
    where: ['alert'],
    severity: 'warning',
    meaning: {
      fr: 'La base centrale est d’une version plus ancienne : des modifications attendent, entières, qu’elle soit mise à niveau.',
      en: 'Central is of an older version: changes wait, whole, until it is upgraded.',
    },
    remedy: {
      fr: 'Mettez à niveau le nœud central. Elles seront appliquées d’elles-mêmes, dans l’ordre.',
      en: 'Upgrade the central node. They are applied by themselves then, in order.',
    },
  },
  CHUNK_CORRUPT: {
    where: ['status', 'log', 'alert'],
    severity: 'critical',
    meaning: {
      fr: 'Plusieurs envois de suite sont arrivés endommagés à la base centrale. Rien n’en a été appliqué ; ils sont renvoyés.',
      en: 'Several chunks in a row arrived damaged at central. Nothing of them was applied; they are sent again.',
    },
    remedy: {
      fr: 'Faites vérifier la ligne, les équipements intermédiaires et la mémoire des deux serveurs. Utilisez TLS.',
      en: 'Have the line, what lies on it and the memory of both servers checked. Use TLS.',
    },
  },
  EXCHANGE_STALLED: {
    where: ['status', 'log', 'alert'],
    see: 'the-backlog-does-not-shrink-though-the-link-is-up',
    severity: 'critical',
    meaning: {
      fr: 'Des modifications attendent, la base centrale répond, et rien n’avançait plus. L’échange a été coupé et recommencé.',
      en: 'Changes wait, central answers, and nothing moved any more. The exchange was cut and began anew.',
    },
    remedy: {
      fr: 'Si l’alerte revient : cherchez une transaction ouverte ou un verrou dans l’une des deux bases (voir docs/operations.md), et l’état de leurs disques.',
      en: 'If it comes again: look for an open transaction or a lock in either database (see docs/operations.md), and at their disks.',
    },
  },
  DELIVERY_REFUSED: {
    where: ['alert'],
    severity: 'critical',
    meaning: {
      fr: 'La base de cette région a refusé des modifications venues de la base centrale. Ces patients ne sont plus à jour ici ; les autres le restent.',
      en: 'This region’s database refused changes that came from central. These patients are not up to date here; all others are.',
    },
    remedy: {
      fr: 'Consultez la table stale_lanes pour la cause (une contrainte ou un déclencheur ajouté ici ?) et corrigez-la : le dossier entier est redemandé toutes les 30 s.',
      en: 'See the table stale_lanes for the cause (a constraint or trigger that was added here?) and correct it: the whole file is fetched anew every 30 s.',
    },
  },
  CONFLICT_OPENED: {
    where: ['alert'],
    severity: 'warning',
    meaning: {
      fr: 'Deux personnes ont modifié la même donnée sans le savoir. La valeur de la base centrale reste en vigueur, l’autre est conservée.',
      en: 'Two people changed the same value without knowing of each other. Central’s value is in force, the other one is kept.',
    },
    remedy: {
      fr: 'Consultez GET /conflicts et décidez champ par champ, avec un motif.',
      en: 'Look at GET /conflicts and decide field by field, with a reason.',
    },
  },
  REGION_RECOVERED: {
    where: ['alert'],
    severity: 'warning',
    meaning: {
      fr: 'La base de la région a été restaurée à partir d’une sauvegarde plus ancienne. Les modifications qui lui manquaient sont revenues de la base centrale ; celles faites depuis la restauration ont été conservées par-dessus.',
      en: 'The region’s database was restored from an older backup. The changes that it lacked came back from central; those made since the restore were kept on top of them.',
    },
    remedy: {
      fr: 'Vérifiez ce qui ne voyage pas : comptes, imports, et les modifications que la base centrale n’avait pas encore reçues avant la restauration.',
      en: 'Check what does not travel: accounts, imports, and changes that central had not yet received before the restore.',
    },
  },
  RECOVERED_VALUE_COVERED: {
    where: ['alert'],
    severity: 'critical',
    meaning: {
      fr: 'Un dossier a été modifié avant la restauration, puis de nouveau après, sans que la première valeur soit visible. La plus récente est en vigueur ; l’autre est dans l’historique.',
      en: 'A record was changed before the restore, and again after it by someone who could not see the first value. The newer one is in force; the other one is in the history.',
    },
    remedy: {
      fr: 'Ouvrez l’historique du patient, comparez les deux valeurs et corrigez le dossier au besoin.',
      en: 'Open the patient’s history, compare the two values, and correct the record where needed.',
    },
  },
  CENTRAL_RESTORED: {
    where: ['alert'],
    severity: 'warning',
    meaning: {
      fr: 'La base centrale a été restaurée à partir d’une sauvegarde plus ancienne. La région lui renvoie ce qui lui manque.',
      en: 'Central’s database was restored from an older backup. The region sends again what it lacks.',
    },
    remedy: {
      fr: 'Attendez que la file soit vide (GET /sync/status). Vérifiez les comptes nationaux et les décisions prises en quarantaine depuis la sauvegarde.',
      en: 'Wait until the queue is empty (GET /sync/status). Check national accounts, and decisions made in quarantine since the backup.',
    },
  },
  JOURNAL_REMOVED: {
    where: ['status', 'log', 'alert'],
    see: 'how-long-the-journal-is-kept',
    severity: 'critical',
    meaning: {
      fr: 'L’une des deux bases a été restaurée à partir d’une sauvegarde plus ancienne que les mois de journal que l’autre conserve, ou recréée. Ce qui manque entre les deux ne peut plus être envoyé ; l’échange est arrêté, le travail continue.',
      en: 'One of the two databases was restored from a backup that is older than the months of journal which the other one keeps, or was set up anew. What lies between cannot be sent any more; the exchange has stopped, and work goes on.',
    },
    remedy: {
      fr: 'Restaurez une sauvegarde plus récente de la base qui est en retard (voir docs/operations.md).',
      en: 'Restore a newer backup of the database that is behind (see docs/operations.md).',
    },
  },
  MEDICAL_ID_REPLACED: {
    where: ['alert'],
    severity: 'critical',
    meaning: {
      fr: 'Un patient enregistré après une restauration portait le numéro médical d’un autre, revenu depuis. Il a reçu un nouveau numéro.',
      en: 'A patient who was registered after a restore had the medical id of another one, who has come back since, and was given a new one.',
    },
    remedy: {
      fr: 'Ouvrez les deux dossiers : s’il s’agit de la même personne, gardez le plus ancien ; sinon remettez au patient sa nouvelle carte.',
      en: 'Open both files: if they are the same person, keep the older one; otherwise give the patient a new card.',
    },
  },
} as const satisfies Record<string, Failure & { readonly severity: Severity }>;
