import { AppError } from '@flowledger/platform';
import type { EventLog } from '../port.js';
import { zstdAvailable } from './codecs.js';
import { KafkaLink } from './kafka-link.js';
import { KafkaLog } from './kafka-log.js';
import { resolveKafkaOptions } from './options.js';
import type { KafkaLogOptions } from './options.js';
import { checkTopic, openTopics, readEpoch } from './topics.js';

/**
 * Opens the event log on a Kafka topic. The caller closes it. Rejects CONFIG_INVALID (partition count, a topic that breaks
 * promises in strict mode, zstd without support), UNAUTHENTICATED, FORBIDDEN, LOG_UNAVAILABLE (retry: no broker answers,
 * no topic yet for a reader).
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  const resolved = resolveKafkaOptions(options);
  if (resolved.compression === 'zstd' && !zstdAvailable)
    throw new AppError('CONFIG_INVALID', 'zstd needs Node.js 22.15 or newer', { retry: false });
  const link = new KafkaLink(resolved, resolved.clock);
  try {
    await link.connect({ what: 'be reached', ms: Math.max(resolved.requestMs, resolved.openWaitMs) });
    await openTopics(link, resolved);
    await checkTopic(link, resolved);
    const epoch = await readEpoch(link, resolved);
    const log = new KafkaLog(resolved, link, epoch, link.partitionsOf(resolved.topic));
    if (resolved.mode === 'writer') log.catchUp();
    return log;
  } catch (error) {
    await link.close();
    throw error;
  }
}
