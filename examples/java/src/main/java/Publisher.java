import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import openresponses.v1.OpenResponsesStreamEvent;
import openresponses.v1.PublishRequest;
import openresponses.v1.PublishResponse;

/** Sends events to a stream, each stored once, over as many connections as it takes. */
final class Publisher {
  private static final int REQUEST_BYTES = 1 << 20;
  private static final int WINDOW_BYTES = 8 << 20;

  private final Client client;
  private final PublishRequest.Builder greeting; // asks where the stream stands
  private final Semaphore window = new Semaphore(WINDOW_BYTES);

  // What follows is shared by the threads that send, that run and that hear of the server.
  private final List<OpenResponsesStreamEvent> unacknowledged = new ArrayList<>();
  private long offset; // of unacknowledged[0], once a call has been answered
  private long sentTo; // the offset after all that was ever sent
  private boolean ended;
  private Call call; // the last one

  Publisher(Client client, String streamId) {
    this.client = client;
    this.greeting = PublishRequest.newBuilder().setStreamId(streamId);
  }

  /** Takes an event to be sent; waits while too much is unacknowledged. */
  void send(OpenResponsesStreamEvent event) {
    window.acquireUninterruptibly(share(event));
    synchronized (this) {
      unacknowledged.add(event);
      if (call != null) call.sendWhatThereIs();
    }
  }

  /** How much of the window an event takes: all of it where it is larger. */
  private static int share(OpenResponsesStreamEvent event) {
    return Math.min(event.getSerializedSize(), WINDOW_BYTES);
  }

  /** Lets the stream end after what was sent. */
  synchronized void end() {
    ended = true;
    if (call != null) call.sendWhatThereIs();
  }

  /** Publishes until the stream has ended and everything is stored. */
  void run() throws InterruptedException {
    while (true) {
      try {
        start().outcome.join();
        return;
      } catch (CompletionException broken) {
        client.recover((StatusRuntimeException) broken.getCause());
      }
    }
  }

  private synchronized Call start() {
    call = new Call();
    client.async().publish(call).onNext(greeting.build());
    return call;
  }

  /** One call. After its answer to the greeting it sends whenever gRPC is ready and there is something to send. */
  private final class Call implements ClientResponseObserver<PublishRequest, PublishResponse> {
    final CompletableFuture<Void> outcome = new CompletableFuture<>();
    private ClientCallStreamObserver<PublishRequest> requests;
    private boolean greeted;
    private boolean halfClosed;
    private int sent; // so many of the unacknowledged

    @Override
    public void beforeStart(ClientCallStreamObserver<PublishRequest> requests) {
      this.requests = requests;
      requests.setOnReadyHandler(this::sendWhatThereIs);
    }

    void sendWhatThereIs() {
      synchronized (Publisher.this) {
        while (greeted && !halfClosed && requests.isReady()) {
          int waiting = unacknowledged.size() - sent;
          // Large requests are what makes a stream fast: the more is on its way, the more has to gather for the next.
          if (waiting > 0 && (ended || 16 * waiting >= sent)) {
            List<OpenResponsesStreamEvent> events = batch();
            requests.onNext(PublishRequest.newBuilder().setFirstOffset(offset + sent).addAllEvents(events).build());
            sent += events.size();
            sentTo = Math.max(sentTo, offset + sent);
          } else if (ended) {
            requests.onNext(PublishRequest.newBuilder().setEndOfStream(true).build());
            requests.onCompleted();
            halfClosed = true;
          } else {
            return;
          }
        }
      }
    }

    /** As many of the events that wait as one request holds. */
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
        if (!greeting.hasEpoch()) offset = sentTo = response.getNextOffset();
        greeting.setEpoch(response.getEpoch());
        if (response.getNextOffset() > sentTo) {
          fail(Status.ABORTED, "another publisher writes to the stream");
          return;
        }
        if (response.getNextOffset() < offset) {
          fail(Status.DATA_LOSS, "the stream has lost events that were acknowledged");
          return;
        }
        int stored = (int) (response.getNextOffset() - offset);
        List<OpenResponsesStreamEvent> done = unacknowledged.subList(0, stored);
        window.release(done.stream().mapToInt(Publisher::share).sum());
        done.clear();
        offset += stored;
        sent = Math.max(0, sent - stored); // more than this call has sent, where one before it was not told
        greeted = true;
        sendWhatThereIs();
      }
    }

    private void fail(Status status, String why) {
      onError(status.withDescription(why).asRuntimeException());
    }

    @Override
    public void onError(Throwable error) {
      outcome.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {
      outcome.complete(null);
    }
  }
}
