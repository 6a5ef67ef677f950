// Publishes length-delimited protobuf as a stream: go run ./publish 127.0.0.1:50051 resp_1 < events.binpb
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"google.golang.org/protobuf/encoding/protodelim"

	"openresponses-grpc-example/client"
	pb "openresponses-grpc/openresponses_grpc/v1"
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	service, err := client.Connect(cmp.Or(flag.Arg(0), "127.0.0.1:50051"))
	if err != nil {
		log.Fatal(err)
	}
	events := newOutbox(cmp.Or(flag.Arg(1), "resp_1"))
	go func() {
		if err := read(bufio.NewReader(os.Stdin), events); err != nil {
			log.Fatal(err)
		}
		events.end()
	}()
	if err := publish(service, events); err != nil {
		client.Fail(err)
	}
}

// read adds each event to the outbox as soon as it is complete. A service would add the events that it produces.
func read(input *bufio.Reader, events *outbox) error {
	limited := protodelim.UnmarshalOptions{MaxSize: client.MaxMessageBytes} // the default is 4 MiB
	for number := 1; ; number++ {
		event := &pb.OpenResponsesStreamEvent{}
		err := limited.UnmarshalFrom(input, event)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("event %d: %w", number, err)
		}
		events.add(event)
	}
}
