/**
 * Why an event or a record became a dead letter. A closed list: the words are stored in `dead_letters.reason`, so an
 * entry may be added but never renamed.
 *
 * - `envelope`: the log record is no envelope, or its parts contradict each other
 * - `envelope_version`, `codec`: written by a newer version of us
 * - `wire`: bytes that are no protobuf message (bad tag, varint over 10 bytes, length past the end)
 * - `invalid_utf8`: a string field, or a JSON line, that is not UTF-8 (or holds half a surrogate pair)
 * - `schema`: well-formed, but no event in it (`{}`, a list, a response without its oneof)
 * - `json_syntax`, `json_trailing`, `json_depth`: not one JSON value; more than one value on the line; nested deeper than 64
 * - `json_value`: a value that its field cannot hold (text for a number, 1e400, an unparsable time)
 * - `too_large`: longer than the limit for one event
 */
export type RejectReason =
  | 'envelope'
  | 'envelope_version'
  | 'codec'
  | 'wire'
  | 'invalid_utf8'
  | 'schema'
  | 'json_syntax'
  | 'json_trailing'
  | 'json_depth'
  | 'json_value'
  | 'too_large';

/** Why an understood event is in no table of facts; stored in `skipped_events.reason`, so never renamed. */
export type SkipReason = 'duplicate' | 'unsupported_kind' | 'control' | 'blank';

/** The result of a step that bad data can fail: never an exception (style guide 5). */
export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: RejectReason };

/** A good outcome. */
export function accept<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

/** A bad outcome with its reason. */
export function reject<T>(reason: RejectReason): Outcome<T> {
  return { ok: false, reason };
}
