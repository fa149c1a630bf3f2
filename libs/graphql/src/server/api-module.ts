import { Module, type DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import { RESOLVERS } from '../resolvers/resolvers.js';
import { graphqlOptions, type GraphqlOptions } from './graphql-options.js';

/** Wires the schema to its resolvers; everything a resolver needs comes with the request's context. */
@Module({})
export class ApiModule {
  static with(options: GraphqlOptions): DynamicModule {
    return {
      module: ApiModule,
      imports: [GraphQLModule.forRoot<MercuriusDriverConfig>(graphqlOptions(options))],
      providers: [...RESOLVERS],
    };
  }
}
