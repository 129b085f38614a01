import { type DynamicModule, Module } from '@nestjs/common';
import { registerFeature, type RoutedFeature } from './feature.js';

/**
 * How a module brings its entities and its router, without touching any other file:
 *
 * ```ts
 * @Module({ imports: [RoutingModule.forFeature({ entities: [Stock], router: StockRouter })] })
 * export class StockModule {}
 * ```
 *
 * The connections themselves, and {@link DataRouter}, come from the global `DatabasesModule`.
 */
@Module({})
export class RoutingModule {
  static forFeature(feature: RoutedFeature): DynamicModule {
    registerFeature(feature);
    return { module: RoutingModule };
  }
}
