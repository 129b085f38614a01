import { Module } from '@nestjs/common';
import { ConflictsModule } from '../conflicts/conflicts.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { HistoryController } from './history/history.controller.js';
import { PatientHistory } from './history/patient-history.js';
import { MedicalIdsGivenTwice } from './medical-id/given-twice.js';
import { MedicalIds } from './medical-id/medical-ids.js';
import { Patient } from './patient.entity.js';
import { PatientDisputes } from './patient-disputes.js';
import { PatientsController } from './patients.controller.js';
import { PatientsReader } from './patients.reader.js';
import { PatientsRouter } from './patients.router.js';
import { PatientsWriter } from './patients.writer.js';
import { ShownPatients } from './shown-patients.js';

@Module({
  imports: [ConflictsModule, RoutingModule.forFeature({ entities: [Patient], router: PatientsRouter })],
  controllers: [PatientsController, HistoryController],
  providers: [
    PatientsReader,
    PatientsWriter,
    PatientHistory,
    MedicalIds,
    MedicalIdsGivenTwice,
    PatientDisputes,
    ShownPatients,
  ],
  exports: [PatientsReader, ShownPatients],
})
export class PatientsModule {}
