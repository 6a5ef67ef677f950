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
	requestBytes = 1 << 20 // large requests increase the throughput
	windowBytes  = 8 << 20
)

// outbox buffers unacknowledged events, for retries.
type outbox struct {
	// The first request of a call. With publisher 0, it draws a publisher number. With a number and an epoch, it claims
	// the stream and verifies that the server still has all acknowledged events.
	claim pb.PublishRequest

	mu      sync.Mutex
	changed *sync.Cond
	events  []*pb.OpenResponsesStreamEvent
	bytes   int
	offset  uint64 // of events[0]
	sent    uint64 // the offset after the last event that any call has sent
	claimed bool   // whether the reply to the first claim has set the offsets
	ended   bool
}

func newOutbox(streamID string) *outbox {
	o := &outbox{claim: pb.PublishRequest{StreamId: streamID, Publisher: proto.Uint64(0)}}
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

// end ends the stream after the added events.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.changed.Broadcast()
}

// next waits for the next request to send at an offset: a batch of events, or the end of the stream. It returns nil if
// the context is done.
func (o *outbox) next(ctx context.Context, offset uint64) *pb.PublishRequest {
	defer context.AfterFunc(ctx, o.wake)()
	o.mu.Lock()
	defer o.mu.Unlock()
	for ctx.Err() == nil {
		offset = max(offset, o.offset) // events from an earlier call may have been stored in the meantime
		if events := o.batch(offset); len(events) > 0 {
			o.sent = max(o.sent, offset+uint64(len(events)))
			return o.request(offset, events, false)
		}
		if o.ended {
			return o.request(offset, nil, true)
		}
		o.changed.Wait()
	}
	return nil
}

func (o *outbox) request(offset uint64, events []*pb.OpenResponsesStreamEvent, end bool) *pb.PublishRequest {
	return &pb.PublishRequest{
		Publisher:   o.claim.Publisher,
		Epoch:       o.claim.Epoch,
		FirstOffset: &offset,
		Events:      events,
		EndOfStream: end,
	}
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

// acknowledge removes the stored events and copies the position for the next claim. Only the server computes checksums;
// a client sends them back.
func (o *outbox) acknowledge(response *pb.PublishResponse) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.claim.Epoch = &response.Epoch
	o.claim.CheckedOffset, o.claim.Checksum = &response.CheckedOffset, response.Checksum
	if response.Publisher != nil {
		o.claim.Publisher = response.Publisher
		return nil
	}
	if !o.claimed {
		o.offset, o.sent, o.claimed = response.NextOffset, response.NextOffset, true
	}
	if response.NextOffset < o.offset || response.NextOffset > o.sent {
		return status.Errorf(codes.DataLoss, "the server acknowledged offset %d; expected %d to %d",
			response.NextOffset, o.offset, o.sent)
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
