package main

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "openresponses-grpc/openresponses_grpc/v1"
)

const (
	requestBytes = 1 << 20 // large requests make a stream fast
	windowBytes  = 8 << 20
)

// outbox buffers the events that are not acknowledged yet, for retries.
type outbox struct {
	mu      sync.Mutex
	changed *sync.Cond
	events  []*pb.OpenResponsesStreamEvent
	bytes   int
	offset  uint64  // of events[0]
	sent    uint64  // the offset after the last event that was ever sent
	epoch   *uint64 // nil before the first reply, which sets the offsets
	ended   bool
}

func newOutbox() *outbox {
	o := &outbox{}
	o.changed = sync.NewCond(&o.mu)
	return o
}

// add queues an event. It blocks while the window of unacknowledged events is full.
func (o *outbox) add(event *pb.OpenResponsesStreamEvent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.bytes >= windowBytes {
		o.changed.Wait()
	}
	o.events = append(o.events, event)
	o.bytes += proto.Size(event)
	o.changed.Broadcast()
}

// end ends the stream after the events that were added.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.changed.Broadcast()
}

// next waits for the request to send at an offset: events, as many as one request holds, or the end of the stream. It
// returns nil if the context is done.
func (o *outbox) next(ctx context.Context, offset uint64) *pb.PublishRequest {
	defer context.AfterFunc(ctx, o.wake)()
	o.mu.Lock()
	defer o.mu.Unlock()
	for ctx.Err() == nil {
		offset = max(offset, o.offset) // an earlier call may have stored more meanwhile
		if events := o.batch(offset); len(events) > 0 {
			o.sent = max(o.sent, offset+uint64(len(events)))
			return &pb.PublishRequest{FirstOffset: &offset, Events: events}
		}
		if o.ended {
			return &pb.PublishRequest{EndOfStream: true}
		}
		o.changed.Wait()
	}
	return nil
}

func (o *outbox) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changed.Broadcast()
}

func (o *outbox) batch(offset uint64) []*pb.OpenResponsesStreamEvent {
	var events []*pb.OpenResponsesStreamEvent
	bytes := 0
	for _, event := range o.events[offset-o.offset:] {
		bytes += proto.Size(event)
		if len(events) > 0 && bytes > requestBytes {
			break
		}
		events = append(events, event)
	}
	return events
}

// acknowledge removes the stored events.
func (o *outbox) acknowledge(response *pb.PublishResponse) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.epoch == nil {
		o.offset, o.sent, o.epoch = response.NextOffset, response.NextOffset, &response.Epoch
	}
	if response.NextOffset > o.sent {
		return status.Error(codes.Aborted, "another publisher writes to the stream")
	}
	if response.NextOffset < o.offset {
		return status.Errorf(codes.DataLoss, "offset %d, but %d was acknowledged", response.NextOffset, o.offset)
	}
	stored := int(response.NextOffset - o.offset)
	for _, event := range o.events[:stored] {
		o.bytes -= proto.Size(event)
	}
	o.events = slices.Delete(o.events, 0, stored)
	o.offset = response.NextOffset
	o.changed.Broadcast()
	return nil
}

// done reports whether all events are stored.
func (o *outbox) done() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended && len(o.events) == 0
}
