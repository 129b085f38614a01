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
} as const satisfies Record<string, AlertKind>;

export type AlertCode = keyof typeof ALERTS;
