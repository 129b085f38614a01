import { Module } from '@nestjs/common';
import { MedicalIds } from '../patients/medical-id/medical-ids.js';
import { RoutingModule } from '../routing/routing.module.js';
import { Importer } from './importer.js';
import { ImportRuns } from './import-runs.js';
import { IMPORT_ENTITIES, ImportsRouter } from './imports.router.js';

/** The import itself, for the API and for the command line. */
@Module({
  imports: [RoutingModule.forFeature({ entities: IMPORT_ENTITIES, router: ImportsRouter })],
  // Medical ids come in blocks, so a second giver of them is no second way to give one twice.
  providers: [Importer, ImportRuns, MedicalIds],
  exports: [Importer, ImportRuns],
})
export class ImporterModule {}
