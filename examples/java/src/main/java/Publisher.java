import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import openresponses_grpc.v1.OpenResponsesStreamEvent;
import openresponses_grpc.v1.PublishRequest;
import openresponses_grpc.v1.PublishResponse;

/**
 * Publishes events to a stream, each exactly once. Reconnects and resumes until the stream has ended or a newer
 * publisher claims it.
 */
final class Publisher {
  private static final int REQUEST_BYTES = 1 << 20;
  private static final int WINDOW_BYTES = 8 << 20;

  private final Client client;

  /**
   * The first request of a call. With publisher 0, it draws a publisher number. With a number and an epoch, it claims
   * the stream and verifies that the server still has all acknowledged events.
   */
  private final PublishRequest.Builder claim;

  private final Semaphore window = new Semaphore(WINDOW_BYTES);

  // Guarded by this object's lock: shared by the threads that send, run and receive replies.
  private final List<OpenResponsesStreamEvent> unacknowledged = new ArrayList<>();
  private boolean claimed; // whether the reply to the first claim has set the offsets
  private long offset; // of unacknowledged[0]
  private long sentTo; // the offset after the last event that any call has sent
  private boolean ended;
  private Call call; // the current one

  Publisher(Client client, String streamId) {
    this.client = client;
    this.claim = PublishRequest.newBuilder().setStreamId(streamId).setPublisher(0);
  }

  /** Queues an event. Blocks while the window of unacknowledged events is full. */
  void send(OpenResponsesStreamEvent event) {
    window.acquireUninterruptibly(share(event));
    synchronized (this) {
      unacknowledged.add(event);
      if (call != null) call.sendPending();
    }
  }

  /** Returns the bytes of the window that an event occupies: all of them if the event is larger. */
  private static int share(OpenResponsesStreamEvent event) {
    return Math.min(event.getSerializedSize(), WINDOW_BYTES);
  }

  /** Ends the stream after the queued events. */
  synchronized void end() {
    ended = true;
    if (call != null) call.sendPending();
  }

  /** Publishes until every event is stored and the stream has ended. */
  void run() {
    while (true) {
      try {
        start().outcome.join();
        return;
      } catch (CompletionException failed) {
        client.recover((StatusRuntimeException) failed.getCause());
      }
    }
  }

  private synchronized Call start() {
    call = new Call();
    client.async().publish(call).onNext(claim.build());
    return call;
  }

  /** One call. Once the stream is claimed, it sends events whenever gRPC is ready for them. */
  private final class Call implements ClientResponseObserver<PublishRequest, PublishResponse> {
    final CompletableFuture<Void> outcome = new CompletableFuture<>();
    private ClientCallStreamObserver<PublishRequest> requests;
    private boolean sending; // whether the stream is claimed
    private boolean halfClosed;
    private int sent; // number of unacknowledged events that this call has sent

    @Override
    public void beforeStart(ClientCallStreamObserver<PublishRequest> requests) {
      this.requests = requests;
      requests.setOnReadyHandler(this::sendPending);
    }

    void sendPending() {
      synchronized (Publisher.this) {
        while (sending && !halfClosed && requests.isReady()) {
          int waiting = unacknowledged.size() - sent;
          // Large requests increase the throughput: batch in proportion to the events in flight.
          if (waiting > 0 && (ended || 16 * waiting >= sent)) {
            List<OpenResponsesStreamEvent> events = batch();
            requests.onNext(request().addAllEvents(events).build());
            sent += events.size();
            sentTo = Math.max(sentTo, offset + sent);
          } else if (ended) {
            requests.onNext(request().setEndOfStream(true).build());
            requests.onCompleted();
            halfClosed = true;
          } else {
            return;
          }
        }
      }
    }

    /** Returns a request at the offset of the next pending event. */
    private PublishRequest.Builder request() {
      return PublishRequest.newBuilder()
          .setPublisher(claim.getPublisher())
          .setEpoch(claim.getEpoch())
          .setFirstOffset(offset + sent);
    }

    /** Returns the next pending events, as many as fit into one request. */
    private List<OpenResponsesStreamEvent> batch() {
      int end = sent;
      for (int bytes = 0; end < unacknowledged.size(); end++) {
        bytes += unacknowledged.get(end).getSerializedSize();
        if (end > sent && bytes > REQUEST_BYTES) break;
      }
      return unacknowledged.subList(sent, end);
    }

    @Override
    public void onNext(PublishResponse response) {
      synchronized (Publisher.this) {
        // Only the server computes checksums; a client sends them back.
        claim.setEpoch(response.getEpoch());
        claim.setCheckedOffset(response.getCheckedOffset()).setChecksum(response.getChecksum());
        if (response.hasPublisher()) {
          requests.onNext(claim.setPublisher(response.getPublisher()).build());
          return;
        }
        if (!claimed) offset = sentTo = response.getNextOffset();
        claimed = true;
        if (response.getNextOffset() < offset || response.getNextOffset() > sentTo) {
          String jump = response.getNextOffset() + "; expected " + offset + " to " + sentTo;
          onError(Status.DATA_LOSS.withDescription("the server acknowledged offset " + jump).asRuntimeException());
          return;
        }
        int stored = (int) (response.getNextOffset() - offset);
        List<OpenResponsesStreamEvent> done = unacknowledged.subList(0, stored);
        window.release(done.stream().mapToInt(Publisher::share).sum());
        done.clear();
        offset += stored;
        sent = Math.max(0, sent - stored); // an earlier call may have stored events without an acknowledgement
        sending = true;
        sendPending();
      }
    }

    @Override
    public void onError(Throwable error) {
      outcome.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {
      synchronized (Publisher.this) {
        if (halfClosed && unacknowledged.isEmpty()) outcome.complete(null);
        else onError(Status.UNAVAILABLE.withDescription("the call ended early").asRuntimeException());
      }
    }
  }
}
