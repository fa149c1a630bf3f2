import type { LabelledFlow } from '../live/live-flows.js';
import type { ParamBinder } from '../param-binder.js';

/** An element of a list of messages: its members, all texts. */
export type CelMessage = Readonly<Record<string, string>>;

/** What an expression is evaluated on: a flow, and the variables of `exists` and `all` from the outermost in. */
export interface CelFrame {
  readonly flow: LabelledFlow;
  readonly variables: readonly (string | CelMessage)[];
}

/** What the SQL renderings share. */
export interface CelScope {
  readonly binder: ParamBinder;
  /** Placeholder of the tenant. */
  readonly tenant: string;
}

/** Whose labels an expression reads; their values are in a table of their own. */
export type LabelSide = 'source' | 'destination' | 'node';

/** What an expression needs, which decides where its SQL can stand. */
export interface CelUses {
  /** It can end in an error (NULL in SQL, `undefined` in memory): an index that is not there, an unset wrapper. */
  readonly fallible: boolean;
  /** It reads columns of `flows`. */
  readonly columns: boolean;
  /** It reads the array `labels` of a label set. */
  readonly labels: LabelSide | undefined;
  /** It holds a subquery, which cannot stand inside a lambda. */
  readonly subquery: boolean;
  /** Parts of its SQL, those counted twice that are written twice; bounded, so that no text can grow without end. */
  readonly weight: number;
}

/** A typed expression with its two renderings. Errors travel as NULL and as `undefined`; CEL's logic is Kleene's. */
export interface CelTyped<Kind extends string, Value> {
  readonly kind: Kind;
  readonly sql: (scope: CelScope) => string;
  readonly read: (frame: CelFrame) => Value | undefined;
  readonly uses: CelUses;
}

export type CelBool = CelTyped<'bool', boolean>;
export type CelInt = CelTyped<'int', bigint>;
export type CelText = CelTyped<'string', string>;
/** A `google.protobuf.BoolValue`: null when it is not set. */
export type CelWrapper = CelTyped<'wrapper', boolean | null>;
export type CelNull = CelTyped<'null', null>;
export type CelTexts = CelTyped<'list of strings', readonly string[]>;
/** A list of messages; a member's SQL is made from the SQL of an element. */
export interface CelMessages extends CelTyped<'list of messages', readonly CelMessage[]> {
  readonly members: Readonly<Record<string, (element: string) => string>>;
}
/** One element of a list of messages. */
export interface CelElement extends CelTyped<'message', CelMessage> {
  readonly members: CelMessages['members'];
}

/** Any typed expression. */
export type CelExpression =
  CelBool | CelInt | CelText | CelWrapper | CelNull | CelTexts | CelMessages | CelElement;

/** Uses of a literal. */
export const NOTHING: CelUses = {
  fallible: false,
  columns: false,
  labels: undefined,
  subquery: false,
  weight: 1,
};

/** Uses of a column. */
export const COLUMN: CelUses = { ...NOTHING, columns: true };
