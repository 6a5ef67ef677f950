// Prints a response as it streams: go run ./subscribe 127.0.0.1:50051 resp_1
// With --events, it writes the events as length-delimited protobuf instead.
package main

import (
	"cmp"
	"flag"
	"log"

	"openresponses-grpc-example/client"
)

func main() {
	log.SetFlags(0)
	events := flag.Bool("events", false, "write the events as length-delimited protobuf")
	flag.Parse()
	service, err := client.Connect(cmp.Or(flag.Arg(0), "127.0.0.1:50051"))
	if err != nil {
		log.Fatal(err)
	}
	handle := show
	if *events {
		handle = write
	}
	if err := subscribe(service, cmp.Or(flag.Arg(1), "resp_1"), handle); err != nil {
		client.Fail(err)
	}
}
