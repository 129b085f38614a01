import { dataSourceOf } from '../src/app-data-source.js';
import { CENTRAL } from '../src/routing/connection-names.js';

/** For the TypeORM command line: `npx typeorm migration:show -d dist/ormconfig/default.js`. */
export default await dataSourceOf(CENTRAL, process.env);
