import { Controller, Get, Param, ParseUUIDPipe } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { PatientsReader } from '../patients/patients.reader.js';
import { PatientSyncReader } from './patient-sync.reader.js';
import { PatientSyncDto } from './sync-status.dto.js';

@ApiTags('Patients')
@Controller('patients/:id/sync')
export class PatientSyncController {
  constructor(
    private readonly patients: PatientsReader,
    private readonly sync: PatientSyncReader,
  ) {}

  @Get()
  @Allow('patients:read')
  @ApiOperation({ summary: 'How far one patient’s changes have travelled' })
  @ApiOkResponse({ type: PatientSyncDto })
  @ApiNotFoundResponse({ description: 'No such patient, or one of another region' })
  async read(
    @Param('id', ParseUUIDPipe) id: string,
    @CurrentPrincipal() caller: Principal,
  ): Promise<PatientSyncDto> {
    await this.patients.get(caller, id);
    return this.sync.read(id);
  }
}
