import { Module, type DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import type { RequestDeps } from '../request/request-scope.js';
import { RESOLVERS } from '../resolvers/resolvers.js';
import { graphqlOptions } from './graphql-options.js';

/** Wires the schema to its resolvers; everything a resolver needs comes with the request's context. */
@Module({})
export class ApiModule {
  static with(deps: RequestDeps, suggestions: boolean): DynamicModule {
    return {
      module: ApiModule,
      imports: [GraphQLModule.forRoot<MercuriusDriverConfig>(graphqlOptions({ deps, suggestions }))],
      providers: [...RESOLVERS],
    };
  }
}
