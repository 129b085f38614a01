import { type CustomDecorator, SetMetadata } from '@nestjs/common';

export const PUBLIC_ROUTE = 'medlink:public';

/** Marks a route that anyone may call, without a token. */
export const Public = (): CustomDecorator => SetMetadata(PUBLIC_ROUTE, true);
