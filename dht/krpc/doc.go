// Package krpc encodes the messages of the DHT: one bencoded dict in each UDP datagram (BEP 5, 32, 42 and 43).
//
// # Nouns
//
// A [Message] is a query, a response or an error. [Message.Parse] reads one that a stranger sent; [Message.AppendTo] writes
// one. The transaction T of a query comes back in its answer, byte for byte. A [Method] is what a query asks for. [Values] are
// the peers of a get_peers response, and [Peers] the form in which they are collected for one. An [Error] is a refusal, on the
// wire and as a Go error.
//
//	var m krpc.Message
//	switch err := m.Parse(packet); {
//	case errors.Is(err, krpc.ErrMalformed): // nothing to answer
//	case err != nil: // an *Error to answer with
//	}
//
// # Limitations
//
// Scrapes, stored items and samples (BEP 33, 44 and 51) are not read: their queries parse as methods without a name here, and
// their keys are passed over. A message longer than [MaxSize] or a transaction longer than [MaxTransaction] is refused.
//
// Parsing does not copy: the fields of a message alias the packet. Neither parsing nor encoding allocates, given room in dst.
// A Message is used by one goroutine at a time.
package krpc
