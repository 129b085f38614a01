import { dataSourceOf } from '../src/app-data-source.js';
import { REGIONALE } from '../src/routing/connection-names.js';

/** For the TypeORM command line: `npx typeorm migration:show -d dist/ormconfig/regionale.js`. */
export default await dataSourceOf(REGIONALE, process.env);
