import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Collections;
import java.util.Iterator;
import java.util.NoSuchElementException;
import openresponses_grpc.v1.OpenResponsesStreamEvent;
import openresponses_grpc.v1.StreamFailure;
import openresponses_grpc.v1.SubscribeRequest;
import openresponses_grpc.v1.SubscribeResponse;

/**
 * Iterates over the events of a stream, each exactly once and in order. Reconnects and resumes until the stream ends.
 * After the last event of a stream that failed, {@code hasNext} throws a {@link StreamFailedException}.
 */
final class Subscriber implements Iterator<OpenResponsesStreamEvent> {
  private final Client client;
  private final SubscribeRequest.Builder request;
  private long offset; // of the next event
  private boolean ended;
  private Iterator<SubscribeResponse> responses; // of the current call, or null
  private Iterator<OpenResponsesStreamEvent> events = Collections.emptyIterator(); // of the last response
  private StreamFailure failure; // of the stream, or null

  Subscriber(Client client, String streamId) {
    this.client = client;
    this.request = SubscribeRequest.newBuilder().setStreamId(streamId);
  }

  @Override
  public boolean hasNext() {
    // After the end of the stream, one more receive waits for the status of the call.
    while (!events.hasNext() && (!ended || responses != null)) receive();
    if (!events.hasNext() && failure != null) throw new StreamFailedException(failure);
    return events.hasNext();
  }

  @Override
  public OpenResponsesStreamEvent next() {
    if (!hasNext()) throw new NoSuchElementException();
    offset++;
    return events.next();
  }

  /** Receives the next response. After the end of a call or a temporary error, the next one starts a new call. */
  private void receive() {
    try {
      if (responses == null) responses = client.blocking().subscribe(request.setStartOffset(offset).build());
      if (responses.hasNext()) take(responses.next());
      else responses = null;
    } catch (StatusRuntimeException error) {
      responses = null;
      if (!ended) client.recover(error);
    }
  }

  private void take(SubscribeResponse response) {
    if (response.getFirstOffset() != offset) {
      String jump = Long.toUnsignedString(response.getFirstOffset()) + "; expected " + offset;
      throw Status.DATA_LOSS.withDescription("received offset " + jump).asRuntimeException();
    }
    if (response.getEpoch() != 0) request.setEpoch(response.getEpoch()); // 0: the stream does not exist yet
    // Only the server computes checksums; a client sends them back.
    if (response.hasChecksum())
      request.setCheckedOffset(response.getCheckedOffset()).setChecksum(response.getChecksum());
    events = response.getEventsList().iterator();
    ended = response.getEndOfStream();
    failure = response.hasFailure() ? response.getFailure() : null;
  }
}
