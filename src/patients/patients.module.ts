import { Module } from '@nestjs/common';
import { RoutingModule } from '../routing/routing.module.js';
import { HistoryController } from './history/history.controller.js';
import { PatientHistory } from './history/patient-history.js';
import { MedicalIdsGivenTwice } from './medical-id/given-twice.js';
import { MedicalIds } from './medical-id/medical-ids.js';
import { Patient } from './patient.entity.js';
import { PatientsController } from './patients.controller.js';
import { PatientsReader } from './patients.reader.js';
import { PatientsRouter } from './patients.router.js';
import { PatientsWriter } from './patients.writer.js';

@Module({
  imports: [RoutingModule.forFeature({ entities: [Patient], router: PatientsRouter })],
  controllers: [PatientsController, HistoryController],
  providers: [PatientsReader, PatientsWriter, PatientHistory, MedicalIds, MedicalIdsGivenTwice],
  exports: [PatientsReader],
})
export class PatientsModule {}
