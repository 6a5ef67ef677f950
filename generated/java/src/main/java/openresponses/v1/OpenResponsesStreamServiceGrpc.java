package openresponses.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Keeps a log of the events of each stream and hands it to any number of subscribers, in order and without loss.
 * A stream is the log of one response, named by its `stream_id`. Offsets count its events from 0, without gaps. A
 * stream's epoch is a random number that the server draws when it creates the stream: one id with another epoch is
 * another stream.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class OpenResponsesStreamServiceGrpc {

  private OpenResponsesStreamServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "openresponses.v1.OpenResponsesStreamService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<openresponses.v1.PublishRequest,
      openresponses.v1.PublishResponse> getPublishMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Publish",
      requestType = openresponses.v1.PublishRequest.class,
      responseType = openresponses.v1.PublishResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
  public static io.grpc.MethodDescriptor<openresponses.v1.PublishRequest,
      openresponses.v1.PublishResponse> getPublishMethod() {
    io.grpc.MethodDescriptor<openresponses.v1.PublishRequest, openresponses.v1.PublishResponse> getPublishMethod;
    if ((getPublishMethod = OpenResponsesStreamServiceGrpc.getPublishMethod) == null) {
      synchronized (OpenResponsesStreamServiceGrpc.class) {
        if ((getPublishMethod = OpenResponsesStreamServiceGrpc.getPublishMethod) == null) {
          OpenResponsesStreamServiceGrpc.getPublishMethod = getPublishMethod =
              io.grpc.MethodDescriptor.<openresponses.v1.PublishRequest, openresponses.v1.PublishResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Publish"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  openresponses.v1.PublishRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  openresponses.v1.PublishResponse.getDefaultInstance()))
              .setSchemaDescriptor(new OpenResponsesStreamServiceMethodDescriptorSupplier("Publish"))
              .build();
        }
      }
    }
    return getPublishMethod;
  }

  private static volatile io.grpc.MethodDescriptor<openresponses.v1.SubscribeRequest,
      openresponses.v1.SubscribeResponse> getSubscribeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Subscribe",
      requestType = openresponses.v1.SubscribeRequest.class,
      responseType = openresponses.v1.SubscribeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<openresponses.v1.SubscribeRequest,
      openresponses.v1.SubscribeResponse> getSubscribeMethod() {
    io.grpc.MethodDescriptor<openresponses.v1.SubscribeRequest, openresponses.v1.SubscribeResponse> getSubscribeMethod;
    if ((getSubscribeMethod = OpenResponsesStreamServiceGrpc.getSubscribeMethod) == null) {
      synchronized (OpenResponsesStreamServiceGrpc.class) {
        if ((getSubscribeMethod = OpenResponsesStreamServiceGrpc.getSubscribeMethod) == null) {
          OpenResponsesStreamServiceGrpc.getSubscribeMethod = getSubscribeMethod =
              io.grpc.MethodDescriptor.<openresponses.v1.SubscribeRequest, openresponses.v1.SubscribeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Subscribe"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  openresponses.v1.SubscribeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  openresponses.v1.SubscribeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new OpenResponsesStreamServiceMethodDescriptorSupplier("Subscribe"))
              .build();
        }
      }
    }
    return getSubscribeMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static OpenResponsesStreamServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<OpenResponsesStreamServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<OpenResponsesStreamServiceStub>() {
        @java.lang.Override
        public OpenResponsesStreamServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new OpenResponsesStreamServiceStub(channel, callOptions);
        }
      };
    return OpenResponsesStreamServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static OpenResponsesStreamServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<OpenResponsesStreamServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<OpenResponsesStreamServiceBlockingV2Stub>() {
        @java.lang.Override
        public OpenResponsesStreamServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new OpenResponsesStreamServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return OpenResponsesStreamServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static OpenResponsesStreamServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<OpenResponsesStreamServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<OpenResponsesStreamServiceBlockingStub>() {
        @java.lang.Override
        public OpenResponsesStreamServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new OpenResponsesStreamServiceBlockingStub(channel, callOptions);
        }
      };
    return OpenResponsesStreamServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static OpenResponsesStreamServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<OpenResponsesStreamServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<OpenResponsesStreamServiceFutureStub>() {
        @java.lang.Override
        public OpenResponsesStreamServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new OpenResponsesStreamServiceFutureStub(channel, callOptions);
        }
      };
    return OpenResponsesStreamServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Keeps a log of the events of each stream and hands it to any number of subscribers, in order and without loss.
   * A stream is the log of one response, named by its `stream_id`. Offsets count its events from 0, without gaps. A
   * stream's epoch is a random number that the server draws when it creates the stream: one id with another epoch is
   * another stream.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Appends events to a stream. The server answers each request, once its events are stored, with the offset after
     * them; answers are cumulative. The first request may hold no events: its answer tells where the stream stands.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<openresponses.v1.PublishRequest> publish(
        io.grpc.stub.StreamObserver<openresponses.v1.PublishResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getPublishMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads a stream from an offset on, first what is stored and then what arrives, until `end_of_stream`. A call that
     * ends without `end_of_stream` means: resume at your next offset. A stream nobody has published yet is waited for.
     * </pre>
     */
    default void subscribe(openresponses.v1.SubscribeRequest request,
        io.grpc.stub.StreamObserver<openresponses.v1.SubscribeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSubscribeMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service OpenResponsesStreamService.
   * <pre>
   * Keeps a log of the events of each stream and hands it to any number of subscribers, in order and without loss.
   * A stream is the log of one response, named by its `stream_id`. Offsets count its events from 0, without gaps. A
   * stream's epoch is a random number that the server draws when it creates the stream: one id with another epoch is
   * another stream.
   * </pre>
   */
  public static abstract class OpenResponsesStreamServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return OpenResponsesStreamServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service OpenResponsesStreamService.
   * <pre>
   * Keeps a log of the events of each stream and hands it to any number of subscribers, in order and without loss.
   * A stream is the log of one response, named by its `stream_id`. Offsets count its events from 0, without gaps. A
   * stream's epoch is a random number that the server draws when it creates the stream: one id with another epoch is
   * another stream.
   * </pre>
   */
  public static final class OpenResponsesStreamServiceStub
      extends io.grpc.stub.AbstractAsyncStub<OpenResponsesStreamServiceStub> {
    private OpenResponsesStreamServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected OpenResponsesStreamServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new OpenResponsesStreamServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Appends events to a stream. The server answers each request, once its events are stored, with the offset after
     * them; answers are cumulative. The first request may hold no events: its answer tells where the stream stands.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<openresponses.v1.PublishRequest> publish(
        io.grpc.stub.StreamObserver<openresponses.v1.PublishResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncBidiStreamingCall(
          getChannel().newCall(getPublishMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * Reads a stream from an offset on, first what is stored and then what arrives, until `end_of_stream`. A call that
     * ends without `end_of_stream` means: resume at your next offset. A stream nobody has published yet is waited for.
     * </pre>
     */
    public void subscribe(openresponses.v1.SubscribeRequest request,
        io.grpc.stub.StreamObserver<openresponses.v1.SubscribeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getSubscribeMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service OpenResponsesStreamService.
   * <pre>
   * Keeps a log of the events of each stream and hands it to any number of subscribers, in order and without loss.
   * A stream is the log of one response, named by its `stream_id`. Offsets count its events from 0, without gaps. A
   * stream's epoch is a random number that the server draws when it creates the stream: one id with another epoch is
   * another stream.
   * </pre>
   */
  public static final class OpenResponsesStreamServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<OpenResponsesStreamServiceBlockingV2Stub> {
    private OpenResponsesStreamServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected OpenResponsesStreamServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new OpenResponsesStreamServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Appends events to a stream. The server answers each request, once its events are stored, with the offset after
     * them; answers are cumulative. The first request may hold no events: its answer tells where the stream stands.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<openresponses.v1.PublishRequest, openresponses.v1.PublishResponse>
        publish() {
      return io.grpc.stub.ClientCalls.blockingBidiStreamingCall(
          getChannel(), getPublishMethod(), getCallOptions());
    }

    /**
     * <pre>
     * Reads a stream from an offset on, first what is stored and then what arrives, until `end_of_stream`. A call that
     * ends without `end_of_stream` means: resume at your next offset. A stream nobody has published yet is waited for.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, openresponses.v1.SubscribeResponse>
        subscribe(openresponses.v1.SubscribeRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getSubscribeMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service OpenResponsesStreamService.
   * <pre>
   * Keeps a log of the events of each stream and hands it to any number of subscribers, in order and without loss.
   * A stream is the log of one response, named by its `stream_id`. Offsets count its events from 0, without gaps. A
   * stream's epoch is a random number that the server draws when it creates the stream: one id with another epoch is
   * another stream.
   * </pre>
   */
  public static final class OpenResponsesStreamServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<OpenResponsesStreamServiceBlockingStub> {
    private OpenResponsesStreamServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected OpenResponsesStreamServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new OpenResponsesStreamServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Reads a stream from an offset on, first what is stored and then what arrives, until `end_of_stream`. A call that
     * ends without `end_of_stream` means: resume at your next offset. A stream nobody has published yet is waited for.
     * </pre>
     */
    public java.util.Iterator<openresponses.v1.SubscribeResponse> subscribe(
        openresponses.v1.SubscribeRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getSubscribeMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service OpenResponsesStreamService.
   * <pre>
   * Keeps a log of the events of each stream and hands it to any number of subscribers, in order and without loss.
   * A stream is the log of one response, named by its `stream_id`. Offsets count its events from 0, without gaps. A
   * stream's epoch is a random number that the server draws when it creates the stream: one id with another epoch is
   * another stream.
   * </pre>
   */
  public static final class OpenResponsesStreamServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<OpenResponsesStreamServiceFutureStub> {
    private OpenResponsesStreamServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected OpenResponsesStreamServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new OpenResponsesStreamServiceFutureStub(channel, callOptions);
    }
  }

  private static final int METHODID_SUBSCRIBE = 0;
  private static final int METHODID_PUBLISH = 1;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_SUBSCRIBE:
          serviceImpl.subscribe((openresponses.v1.SubscribeRequest) request,
              (io.grpc.stub.StreamObserver<openresponses.v1.SubscribeResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_PUBLISH:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.publish(
              (io.grpc.stub.StreamObserver<openresponses.v1.PublishResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getPublishMethod(),
          io.grpc.stub.ServerCalls.asyncBidiStreamingCall(
            new MethodHandlers<
              openresponses.v1.PublishRequest,
              openresponses.v1.PublishResponse>(
                service, METHODID_PUBLISH)))
        .addMethod(
          getSubscribeMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              openresponses.v1.SubscribeRequest,
              openresponses.v1.SubscribeResponse>(
                service, METHODID_SUBSCRIBE)))
        .build();
  }

  private static abstract class OpenResponsesStreamServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    OpenResponsesStreamServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return openresponses.v1.StreamServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("OpenResponsesStreamService");
    }
  }

  private static final class OpenResponsesStreamServiceFileDescriptorSupplier
      extends OpenResponsesStreamServiceBaseDescriptorSupplier {
    OpenResponsesStreamServiceFileDescriptorSupplier() {}
  }

  private static final class OpenResponsesStreamServiceMethodDescriptorSupplier
      extends OpenResponsesStreamServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    OpenResponsesStreamServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (OpenResponsesStreamServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new OpenResponsesStreamServiceFileDescriptorSupplier())
              .addMethod(getPublishMethod())
              .addMethod(getSubscribeMethod())
              .build();
        }
      }
    }
    return result;
  }
}
