export type Severity = 'warning' | 'critical';

interface Words {
  readonly fr: string;
  readonly en: string;
}

export interface AlertKind {
  readonly severity: Severity;
  readonly meaning: Words;
  readonly remedy: Words;
}

/** Everything that calls for a person, with what it means and what to do. The API and the console show these texts. */
export const ALERTS = {
  CHANGE_REFUSED: {
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
  CONFLICT_OPENED: {
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
} as const satisfies Record<string, AlertKind>;

export type AlertCode = keyof typeof ALERTS;
