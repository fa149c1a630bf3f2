/** Wire type (protobuf encoding spec, "Message structure") of int32, uint64, bool, enum. */
export const WIRE_VARINT = 0;
/** Wire type of fixed64, double. */
export const WIRE_FIXED64 = 1;
/** Wire type of string, bytes, messages. */
export const WIRE_BYTES = 2;
/** Wire type that opens a group, deprecated. */
export const WIRE_GROUP = 3;
/** Wire type that ends a group. */
export const WIRE_GROUP_END = 4;
/** Wire type of fixed32, float. */
export const WIRE_FIXED32 = 5;
