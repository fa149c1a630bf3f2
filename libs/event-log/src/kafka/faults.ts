import { AppError, isAppError } from '@flowledger/platform';

/** What kafkajs says about an error, read without trusting its classes. */
interface KafkaErrorFacts {
  readonly name: string;
  /** The protocol's name of the error code, such as NOT_LEADER_FOR_PARTITION; empty for errors of the connection. */
  readonly type: string;
  readonly retriable: boolean;
}

/** Facts about anything thrown by kafkajs. */
export function kafkaFacts(error: unknown): KafkaErrorFacts {
  if (!(error instanceof Error)) return { name: '', type: '', retriable: false };
  const type: unknown = 'type' in error ? error.type : undefined;
  const retriable: unknown = 'retriable' in error ? error.retriable : undefined;
  return { name: error.name, type: typeof type === 'string' ? type : '', retriable: retriable === true };
}

/** Error codes after which another member's or another broker's answer is worth asking for. */
const TRY_AGAIN = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'NOT_CONTROLLER',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
]);

const CONNECTION = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSLockTimeout',
  'KafkaJSNumberOfRetriesExceeded',
  'KafkaJSNoBrokerAvailableError',
]);

/** Whether the same request may succeed later, perhaps at another broker. */
export function mayTryAgain(error: unknown): boolean {
  const { name, type, retriable } = kafkaFacts(error);
  if (name === 'KafkaJSSASLAuthenticationError') return false;
  return retriable || TRY_AGAIN.has(type) || CONNECTION.has(name);
}

/** Whether the connection failed: the request may have been carried out all the same. */
export function isConnectionFault(error: unknown): boolean {
  return CONNECTION.has(kafkaFacts(error).name);
}

const GROUP_LOST = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID']);

/** Whether the coordinator said that we are no member, or of an older generation. */
export function isGroupLost(error: unknown): boolean {
  return GROUP_LOST.has(kafkaFacts(error).type);
}

/** The fault for an error of kafkajs; an {@link AppError} passes as it is. `what`: "be read", "append" and so on. */
export function kafkaFault(what: string, error: unknown): AppError {
  if (isAppError(error)) return error;
  const { name, type } = kafkaFacts(error);
  const details = type === '' ? {} : { kafka: type };
  const text = `the Kafka log could not ${what}`;
  if (name === 'KafkaJSSASLAuthenticationError')
    return new AppError('UNAUTHENTICATED', `${text}: the brokers refuse our credentials`, {
      retry: false,
      cause: error,
    });
  if (type.endsWith('_AUTHORIZATION_FAILED'))
    return new AppError('FORBIDDEN', text, { retry: false, cause: error, details });
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')
    return new AppError('TOO_LARGE', text, { retry: false, cause: error, details });
  return new AppError('LOG_UNAVAILABLE', text, { retry: mayTryAgain(error), cause: error, details });
}
