import { Module } from '@nestjs/common';
import { NationalPatientsController } from './national-patients.controller.js';
import { NationalPatientsReader } from './national-patients.reader.js';
import { NationalPatientsWriter } from './national-patients.writer.js';
import { PatientCopies } from './patient-copies.js';
import { PatientCopiesController } from './patient-copies.controller.js';

@Module({
  controllers: [NationalPatientsController, PatientCopiesController],
  providers: [NationalPatientsReader, NationalPatientsWriter, PatientCopies],
})
export class NationalModule {}
