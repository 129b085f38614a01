import { Module } from '@nestjs/common';
import { NationalPatientsController } from './national-patients.controller.js';
import { NationalPatientsReader } from './national-patients.reader.js';

@Module({ controllers: [NationalPatientsController], providers: [NationalPatientsReader] })
export class NationalModule {}
