import { Injectable } from '@nestjs/common';
import type { Principal } from '../../accounts/principal.js';
import { Problem } from '../../http/problem.js';
import { DataRouter } from '../../routing/data-router.js';
import { Conflict } from '../conflict.entity.js';
import { withinScope } from '../conflict-scope.js';
import { Disputables } from '../disputable.js';
import type { PolicyPreviewDto, PreviewDto } from './preview.dto.js';
import { previewPolicies } from './preview-policies.js';
import { wantedPolicies } from './wanted-policies.js';

/** Reads what a preview of policies is made of. */
@Injectable()
export class PolicyPreview {
  constructor(
    private readonly router: DataRouter,
    private readonly disputables: Disputables,
  ) {}

  /** Over the newest conflicts that `caller` may know of. Throws a Problem: 400 and 422 for what cannot be previewed. */
  async preview(caller: Principal, { policies, last, entity }: PreviewDto): Promise<PolicyPreviewDto> {
    const table = this.disputables.get(entity);
    if (!table) throw unknownEntity();
    const readable = table.readableBy(caller.role);
    const fields = table.fields.filter(({ property }) => readable.includes(property));
    const wanted = wantedPolicies(policies, fields);
    const conflicts = await withinScope(
      this.router
        .forRead(Conflict)
        .createQueryBuilder('c')
        .where(`c.kind = 'fields' AND c.entity = :entity`, { entity }),
      caller,
    )
      .orderBy('c.created_at', 'DESC')
      .addOrderBy('c.id', 'DESC')
      .limit(last)
      .getMany();
    return previewPolicies(conflicts, wanted, fields);
  }
}

function unknownEntity(): Problem {
  return new Problem(422, 'invalid-input', 'Some values cannot be accepted', {
    errors: [{ path: 'entity', message: 'is not one that conflicts are about' }],
  });
}
