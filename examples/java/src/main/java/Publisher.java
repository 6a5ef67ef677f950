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
 * Publishes events to a stream, each exactly once. Reconnects and resumes until the stream has ended, or until a newer
 * publisher claims it.
 */
final class Publisher {
  private static final int REQUEST_BYTES = 1 << 20;
  private static final int WINDOW_BYTES = 8 << 20;

  private final Client client;

  /**
   * The first request of a call. Publisher 0 draws a number. With the number and the epoch, the request claims the stream,
   * and verifies that the server still has what it acknowledged.
   */
  private final PublishRequest.Builder claim;

  private final Semaphore window = new Semaphore(WINDOW_BYTES);

  // The threads that send, that run and that receive replies share these fields, under the lock of this object.
  private final List<OpenResponsesStreamEvent> unacknowledged = new ArrayList<>();
  private boolean claimed; // the reply to the first claim has set the offsets
  private long offset; // of unacknowledged[0]
  private long sentTo; // the offset after the last event that any call has sent
  private boolean ended;
  private Call call; // the current one

  Publisher(Client client, String streamId) {
    this.client = client;
    this.claim = PublishRequest.newBuilder().setStreamId(streamId).setPublisher(0);
  }

  /** Queues an event; blocks while too many bytes are unacknowledged. */
  void send(OpenResponsesStreamEvent event) {
    window.acquireUninterruptibly(share(event));
    synchronized (this) {
      unacknowledged.add(event);
      if (call != null) call.sendPending();
    }
  }

  /** The share of the window that an event uses: all of it if the event is larger. */
  private static int share(OpenResponsesStreamEvent event) {
    return Math.min(event.getSerializedSize(), WINDOW_BYTES);
  }

  /** Ends the stream after the events so far. */
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

  /** One call. It sends events once the stream is claimed, whenever gRPC has room for them. */
  private final class Call implements ClientResponseObserver<PublishRequest, PublishResponse> {
    final CompletableFuture<Void> outcome = new CompletableFuture<>();
    private ClientCallStreamObserver<PublishRequest> requests;
    private boolean sending; // the stream is claimed
    private boolean halfClosed;
    private int sent; // how many of the unacknowledged events this call has sent

    @Override
    public void beforeStart(ClientCallStreamObserver<PublishRequest> requests) {
      this.requests = requests;
      requests.setOnReadyHandler(this::sendPending);
    }

    void sendPending() {
      synchronized (Publisher.this) {
        while (sending && !halfClosed && requests.isReady()) {
          int waiting = unacknowledged.size() - sent;
          // Large requests make a stream fast: the more events are in flight, the more are batched into the next.
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

    /** A request at the offset of the next pending event. */
    private PublishRequest.Builder request() {
      return PublishRequest.newBuilder()
          .setPublisher(claim.getPublisher())
          .setEpoch(claim.getEpoch())
          .setFirstOffset(offset + sent);
    }

    /** The next pending events, as many as fit into one request. */
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
        // The server computed the checksum: a client only sends it back.
        claim.setEpoch(response.getEpoch());
        claim.setCheckedOffset(response.getCheckedOffset()).setChecksum(response.getChecksum());
        if (response.hasPublisher()) {
          requests.onNext(claim.setPublisher(response.getPublisher()).build());
          return;
        }
        if (!claimed) offset = sentTo = response.getNextOffset();
        claimed = true;
        if (response.getNextOffset() < offset || response.getNextOffset() > sentTo) {
          String jump = response.getNextOffset() + " instead of " + offset + " to " + sentTo;
          onError(Status.DATA_LOSS.withDescription("the server acknowledged offset " + jump).asRuntimeException());
          return;
        }
        int stored = (int) (response.getNextOffset() - offset);
        List<OpenResponsesStreamEvent> done = unacknowledged.subList(0, stored);
        window.release(done.stream().mapToInt(Publisher::share).sum());
        done.clear();
        offset += stored;
        sent = Math.max(0, sent - stored); // an earlier call may have stored events that nobody acknowledged
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
        else onError(Status.UNAVAILABLE.withDescription("the call ended before the stream").asRuntimeException());
      }
    }
  }
}
